"""The delegation as the parent's own servers tell it, over a real resolver's face: a name server that serves both."""

import asyncio
from pathlib import Path

from servers.embedded import embedded

from outlast.audit.findings import Level
from outlast.audit.zone_facts import Server, gather_facts
from outlast.audit.zone_rules import judge_zone

PARENT = (
    "$ORIGIN test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 1209600 5\n@ NS ns\nns A 127.0.0.1\n"
    "child NS ns.child\nchild NS old.child\nns.child A 127.0.0.1\nold.child A 127.0.0.2\n"
)
CHILD = "$ORIGIN child.test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 1209600 5\n@ NS ns\n@ NS new\nns A 127.0.0.1\n"
KEY, SECRET = "outlast.", "b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE="


def test_a_parent_that_names_others_is_told(tmp_path: Path) -> None:
    """The parent still names a server that the zone has dropped: both sets are printed, with the fix."""
    (tmp_path / "parent").mkdir()
    (tmp_path / "child").mkdir()
    with (
        embedded(tmp_path / "parent", zones={"test": PARENT}, closed=(), key=KEY, secret=SECRET) as parent,
        embedded(tmp_path / "child", zones={"child.test": CHILD}, closed=(), key=KEY, secret=SECRET) as child,
    ):
        resolver = Server(parent.address, parent.port)
        facts = asyncio.run(
            gather_facts("child.test", Server(child.address, child.port), resolver, authority_port=parent.port)
        )
    found = {item.check: item for item in judge_zone(facts)}

    assert ("new.child.test", "ns.child.test") == facts.servers
    assert ("ns.child.test", "old.child.test") == facts.parent_servers
    assert (Level.WARN, "make the two NS sets the same (RFC 1912, 2.3)") == (
        found["delegation"].level,
        found["delegation"].fix,
    )
    assert isinstance(facts.behind, tuple)
    (behind,) = facts.behind
    assert behind.startswith("ns.child.test (127.0.0.1): ")  # what answers there does not serve the zone
    assert Level.FAIL is found["secondaries"].level
    assert (False, Level.OK) == (facts.delegation_signed, found["DNSSEC"].level)
