"""The embedded server compared each added record with all before it: 512 addresses cost seconds, during which it was deaf."""

import asyncio
import time
from pathlib import Path

import pytest
from servers.embedded import embedded
from zone_world import CLOSED, KEY, NOTHING, PLACES, SECRET, ZONES, addresses, done, fresh, write

from outlast.traffic.content import MAX_VALUES
from outlast.traffic.ports import Outcome


@pytest.mark.slow
def test_the_largest_set_is_replaced_in_little_time(tmp_path: Path) -> None:
    """As many addresses as content may hold are created and replaced within a second of CPU time, not ten."""
    first, second = (addresses(*(f"2001:db8:{n}::{host:x}" for host in range(MAX_VALUES))) for n in (1, 2))
    created = write(fresh(), NOTHING, first)
    replaced = write(created.endpoint, done(created), second, n=2)
    with embedded(tmp_path, zones=ZONES, closed=(CLOSED,), key=KEY, secret=SECRET) as server:
        provider = PLACES["embedded"]._replace(address=server.address, port=server.port).provider()
        before = time.process_time()
        replies = [asyncio.run(provider.commit(transaction)) for transaction in (created, replaced)]
        spent = time.process_time() - before
        read = asyncio.run(provider.read(created.endpoint))

    assert [Outcome.COMMITTED] * 2 == [reply.outcome for reply in replies]
    assert done(replaced) == read
    assert spent < 1.0
