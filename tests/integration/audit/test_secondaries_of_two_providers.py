"""A zone at two providers, both in its NS: a lagging secondary is told from another provider's primary, on real servers."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from servers.embedded import embedded

from outlast.audit.findings import Level
from outlast.audit.zone_facts import Server, gather_facts
from outlast.audit.zone_rules import ZoneFacts, judge_zone
from outlast.cli import main

KEY, SECRET = "outlast.", "b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE="
LARGE, SMALL = 2026112703, 9
ADDRESSES = {name: f"127.0.3.{number}" for number, name in enumerate(("ns1", "ns2", "third"), start=1)}
NAMES = "$ORIGIN names.test.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 1209600 5\n@ NS ns1\n" + "".join(
    f"{name} A {address}\n" for name, address in ADDRESSES.items()
)


class World(NamedTuple):
    """A resolver that knows the names, and what is heard at ns1, ns2 and a third server, all of them in NS."""

    resolver: Server
    first: Server
    second: Server

    def facts(self, *, has_unseen: bool = False, follows: Server | None = None) -> tuple[ZoneFacts, ZoneFacts]:
        """What is seen at either provider; the third server may be known to follow one of them."""
        known = () if follows is None else ((ADDRESSES["third"], follows),)

        async def gather(own: Server, *others: Server) -> ZoneFacts:
            return await gather_facts(
                "child.test",
                own,
                self.resolver,
                authority_port=own.port,
                others=others,
                has_unseen=has_unseen,
                followers=known,
            )

        async def both() -> tuple[ZoneFacts, ZoneFacts]:
            return await gather(self.first, self.second), await gather(self.second, self.first)

        return asyncio.run(both())


def zone(serial: int, *, by: str = "ns") -> str:
    servers = "".join(f"@ NS {name}.names.test.\n" for name in ADDRESSES)
    return f"$ORIGIN child.test.\n$TTL 300\n@ SOA {by} hostmaster {serial} 3600 600 1209600 5\n{servers}"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def a_world(stack: ExitStack, folder: Path, *, third: str, second: str | None = None) -> World:
    """The first provider has large serials and the second small ones; `third` is the zone of the server that is neither."""
    port = 0
    for number, (address, text) in enumerate(
        zip(ADDRESSES.values(), (zone(LARGE), second or zone(SMALL), third), strict=True)
    ):
        (folder / str(number)).mkdir()
        server = stack.enter_context(
            embedded(
                folder / str(number),
                zones={"child.test": text},
                closed=(),
                key=KEY,
                secret=SECRET,
                address=address,
                port=port,
            )
        )
        port = server.port
    (folder / "names").mkdir()
    names = stack.enter_context(
        embedded(folder / "names", zones={"names.test": NAMES}, closed=(), key=KEY, secret=SECRET)
    )
    first, second_at, _ = (Server(address, port) for address in ADDRESSES.values())
    return World(Server(names.address, names.port), first, second_at)


@pytest.mark.parametrize(
    ("third", "at_first", "at_second"),
    [
        pytest.param(zone(LARGE), (), (), id="level with the first"),
        pytest.param(zone(LARGE - 2), (LARGE - 2, LARGE), (), id="behind the first, and beyond the second"),
        pytest.param(zone(SMALL - 2), (SMALL - 2, LARGE), (SMALL - 2, SMALL), id="behind both"),
        pytest.param(zone(SMALL, by="ns.second"), (), (), id="level with the second, whose SOA it has"),
        pytest.param(zone(SMALL - 2, by="ns.second"), (), (SMALL - 2, SMALL), id="behind the second, whose SOA it has"),
    ],
)
def test_a_secondary_is_held_against_whom_it_can_follow(
    stack: ExitStack, tmp_path: Path, third: str, at_first: tuple[int, ...], at_second: tuple[int, ...]
) -> None:
    """The other provider's primary is never said to lag, and a real secondary is, where it belongs."""
    second = zone(SMALL, by="ns.second") if "ns.second" in third else None
    found = a_world(stack, tmp_path, third=third, second=second).facts()

    def said(serials: tuple[int, ...]) -> tuple[str, ...]:
        words = f"third.names.test ({ADDRESSES['third']}): serial {{}}, and the primary has {{}}"
        return (words.format(*serials),) if serials else ()

    assert [(said(at_first), ()), (said(at_second), ())] == [(it.behind, it.unclear) for it in found]


def test_what_cannot_be_told_is_not_advised_on(stack: ExitStack, tmp_path: Path) -> None:
    """Level with one primary and behind the other, of the same SOA: that may be sound, and nobody is sent to take it out."""
    first, second = a_world(stack, tmp_path, third=zone(SMALL)).facts()
    (finding,) = (it for it in judge_zone(replace(first, at="big")) if it.check == "secondaries")

    assert ((), ()) == (first.behind, second.behind)
    assert (Level.UNKNOWN, "child.test at big") == (finding.level, finding.subject)
    assert f"third.names.test ({ADDRESSES['third']}): serial {SMALL}, and the primary has {LARGE}" in finding.there
    assert "take it out" not in finding.fix
    assert ("secondaries", Level.OK) in {(it.check, it.level) for it in judge_zone(second)}


def test_a_secondary_that_a_provider_names_is_its_own(stack: ExitStack, tmp_path: Path) -> None:
    """Then the same serial says it: level with the second if it follows that, far behind if it follows the first."""
    world = a_world(stack, tmp_path, third=zone(SMALL))
    of_first, of_second = world.facts(follows=world.first), world.facts(follows=world.second, has_unseen=True)
    words = f"third.names.test ({ADDRESSES['third']}): serial {SMALL}, and the primary has {LARGE}"

    assert [((words,), ()), ((), ())] == [(it.behind, it.unclear) for it in of_first]
    assert [((), ()), ((), ())] == [(it.behind, it.unclear) for it in of_second]


def test_servers_of_a_provider_that_nobody_named_are_left_alone(stack: ExitStack, tmp_path: Path) -> None:
    """Where the zone lies at Route 53 too, what has neither primary's SOA is Amazon's."""
    world = a_world(stack, tmp_path, third=zone(1, by="ns.amazon"))
    with_amazon, without = world.facts(has_unseen=True), world.facts()

    assert [((), ()), ((), ())] == [(it.behind, it.unclear) for it in with_amazon]
    assert [1, 1] == [len(it.behind) for it in without if isinstance(it.behind, tuple)]


def test_doctor_names_the_provider(stack: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is said of a zone that lies at two providers says at which; of a zone at one it does not."""
    world = a_world(stack, tmp_path, third=zone(LARGE))
    (tmp_path / "tsig.key").write_text(f'key "outlast" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    head = 'realm = "test"\n[registry]\nkind = "sqlite"\npath = "plans.db"\n'
    one, two = (
        f'[provider.{name}]\nkind = "rfc2136"\naddress = "{at.address}"\nport = {at.port}\n'
        'zones = ["child.test"]\nkey_secret_file = "tsig.key"\n'
        for name, at in (("big", world.first), ("small", world.second))
    )
    tail = '[endpoint."db.child.test".targets]\neast = ["192.0.2.1"]\n'

    def subjects(text: str) -> set[tuple[str, str]]:
        (tmp_path / "outlast.toml").write_text(text)
        with pytest.raises(SystemExit):
            main(["doctor", "--json", "--config", str(tmp_path / "outlast.toml")])
        checks = {"negative TTL", "SOA expire", "delegation", "DNSSEC"}
        findings = json.loads(capsys.readouterr().out)["findings"]
        return {(it["check"], it["subject"]) for it in findings if it["check"] in checks}

    checks = ("negative TTL", "SOA expire", "delegation", "DNSSEC")

    assert {(check, f"child.test at {name}") for check in checks for name in ("big", "small")} == subjects(
        head + one + two + tail
    )
    assert {(check, "child.test") for check in checks} == subjects(head + one + tail)
