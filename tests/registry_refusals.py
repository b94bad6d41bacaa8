"""What the tests of registries on servers share: names of their own, and why a registry refuses."""

import asyncio
import traceback
import uuid
from collections.abc import Awaitable, Callable

import pytest
from servers import postgres, s3

from outlast.errors import Unavailable


def own() -> str:
    """A name that nobody else has on this server."""
    return f"t{uuid.uuid4().hex}"


def refusal(call: Callable[[], Awaitable[object]]) -> str:
    """Why it is unavailable, and that neither words nor traceback hold a password."""

    async def ask() -> None:
        await call()

    with pytest.raises(Unavailable) as caught:
        asyncio.run(ask())
    everything = "".join(traceback.format_exception(caught.value))
    assert postgres.PASSWORD not in everything
    assert s3.SECRET not in everything
    return str(caught.value)
