"""The gate of the parked writes: a region that has come back is given its backlog when it has caught up.

It is asked by the queue before each delivery and must not wait, so a task of its own looks at the regions' `/lag` while
something is parked, and only then.
"""

import asyncio
import contextvars
import math
from collections.abc import Callable
from typing import Any

import httpx

from outlast.client.ports import Resolves
from outlast.client.protecting import protect
from outlast.errors import OutlastError
from outlast.policy.policy import Policy

LOOK_EVERY = 0.25
LOOK_TIMEOUT = 0.4
LAG_MAX = 1.0
"""Seconds that the oldest write which another region has not got may be old."""


class LagGate:
    """Open when every region answers and none is behind.

    Args:
        urls: Base URLs of the regions.
        client: Builds the HTTP client to ask with.
        resolver: Gives it addresses.

    """

    def __init__(self, urls: tuple[str, ...], *, client: Callable[[], httpx.AsyncClient], resolver: Resolves) -> None:
        self._urls = urls
        self._client = protect(client(), Policy("lag", deadline=LOOK_TIMEOUT), resolver=resolver)
        self._is_open = False
        self._watching: asyncio.Task[None] | None = None

    def is_open(self) -> bool:
        """Whether the backlog may go now."""
        return self._is_open

    def watch(self) -> None:
        """Begin to look, because something was parked."""
        if self._watching is None:
            # In a context of its own: what it asks is no part of the call that was parked.
            self._watching = asyncio.get_running_loop().create_task(self._watch(), context=contextvars.Context())

    def rest(self) -> None:
        """Look no longer: nothing is parked."""
        self._is_open = False
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self) -> None:
        while True:
            # One after another: the first that is not there settles it.
            self._is_open = all([await self._has_caught_up(url) for url in self._urls])
            await asyncio.sleep(LOOK_EVERY)

    async def _has_caught_up(self, url: str) -> bool:
        try:
            response = await self._client.get(f"{url}/lag")
            return response.status_code == httpx.codes.NOT_FOUND or seconds_of(response.json()) <= LAG_MAX
        except (httpx.HTTPError, OutlastError, ValueError):
            return False

    async def aclose(self) -> None:
        """Stop looking."""
        watching = self._watching
        self.rest()
        if watching is not None:
            await asyncio.gather(watching, return_exceptions=True)
        await self._client.aclose()


def seconds_of(told: Any) -> float:
    """The longest lag in what `/lag` says; a region that is not ready yet is infinitely far behind.

    Raises:
        ValueError: It says something else.

    """
    try:
        if not told["ready"]:
            return math.inf
        return max((float(peer["seconds"]) for peer in told["lag"].values()), default=0.0)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no lag: {told!r:.200}") from error
