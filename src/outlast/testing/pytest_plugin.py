"""The pytest plugin: `outlast_dns`, a scripted upstream for one test. Installed with outlast, loaded by pytest itself.

pytest loads it into every run of whoever has outlast installed; it loads nothing else until a test asks for the fixture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from outlast.testing.scripted_dns import ScriptedDns


@pytest.fixture
def outlast_dns() -> "Iterator[ScriptedDns]":
    """A DNS server on a free loopback port, over UDP and TCP, whose answers the test switches while it runs."""
    from outlast.testing.scripted_dns import ScriptedDns  # noqa: PLC0415  every other run would load DNS for nothing

    with ScriptedDns() as dns:
        yield dns
