"""The pytest plugin: `outlast_dns`, a scripted upstream for one test. Installed with outlast, loaded by pytest itself."""

from collections.abc import Iterator

import pytest

from outlast.testing.scripted_dns import ScriptedDns


@pytest.fixture
def outlast_dns() -> Iterator[ScriptedDns]:
    """A DNS server on a free loopback port, over UDP and TCP, whose answers the test switches while it runs."""
    with ScriptedDns() as dns:
        yield dns
