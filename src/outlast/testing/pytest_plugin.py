"""The pytest plugin: `outlast_dns`, a scripted upstream for one test. Installed with outlast, loaded by pytest itself.

pytest loads it into every run of whoever has outlast installed; it loads nothing else until a test asks for the fixture.
"""

from collections.abc import Iterator

import pytest

from outlast import testing


@pytest.fixture
def outlast_dns() -> "Iterator[testing.ScriptedDns]":
    """A DNS server on a free loopback port, over UDP and TCP, whose answers the test switches while it runs."""
    with testing.ScriptedDns() as dns:
        yield dns
