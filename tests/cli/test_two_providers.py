"""One name at two providers: one plan, each applied by itself; who lags behind is told, and held up by nobody."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rdatatype
import pytest
from command_world import KEY, Targets, World, wait_for

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")


class TwoProviders(World):
    """The world with a second name server that holds the same zone."""

    patience = "1s"

    def open(self) -> None:
        """Start both name servers."""
        super().open()
        self.second = self.start(
            "nameserver", "serve", "--zone", "example.com", "--key-file", KEY, "--listen", "127.0.0.1:0"
        )
        assert self.second.stdout is not None
        self.second_port = int(self.second.stdout.readline().rsplit(":", 1)[1])
        self.configure(*BOTH)

    def configure(self, *addresses: str) -> None:
        """Write the configuration with both providers."""
        super().configure(*addresses)
        if not hasattr(self, "second_port"):
            return
        path = self.folder / "outlast.toml"
        text = path.read_text()
        second = (
            f'[provider.other]\nkind = "rfc2136"\naddress = "127.0.0.1"\nport = {self.second_port}\n'
            f'zones = ["example.com"]\nkey_secret_file = "tsig.key"\ntimeout = "{self.patience}"\n[health]\n'
        )
        fresh = self.folder / "outlast.toml.second"
        fresh.write_text(text.replace("[health]\n", second, 1))
        fresh.replace(path)

    def sentinel(self) -> str:
        """What stands beside the name at the first provider."""
        query = dns.message.make_query("_outlast.db.example.com", dns.rdatatype.TXT)
        return dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=2).to_text()

    def by_provider(self) -> dict[str, dict[str, Any]]:
        """What status says of each provider."""
        lines = json.loads(self.run("status", "--json").stdout)["endpoints"]
        return {line["provider"]: line for line in lines}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoProviders]:
    targets = Targets(*BOTH)
    world = TwoProviders(tmp_path, targets)
    try:
        world.open()
        yield world
    finally:
        world.second.send_signal(signal.SIGCONT)
        world.close()
        targets.close()


@pytest.mark.long
def test_a_provider_that_lags_is_told_and_holds_up_nobody(two: TwoProviders) -> None:
    """Both follow; with one of them standing still the other goes on, and evacuate, freeze and status name the one."""
    up = two.start("up", "--name", "a")
    wait_for(lambda: {"in step"} == {line["agreement"] for line in two.by_provider().values()})
    evacuated = two.run("evacuate", "127.0.0.2", "--apply", "--json")
    arrivals = {item["provider"]: item["seconds"] for item in json.loads(evacuated.stdout)["arrivals"]}
    two.second.send_signal(signal.SIGSTOP)
    undone = two.run("evacuate", "127.0.0.2", "--undo", "--apply", "--wait", "6")
    frozen = two.run("freeze", "--all", "--apply")
    during = two.by_provider()
    two.second.send_signal(signal.SIGCONT)
    # What was sent to it while it stood still arrives now, the freeze among it.
    wait_for(lambda: two.by_provider()["other"]["agreement"] != "unknown")
    thawed = two.run("thaw", "--all", "--apply")
    wait_for(lambda: {"in step"} == {line["agreement"] for line in two.by_provider().values()})
    after = {tuple(line["sets"][0][2]) for line in two.by_provider().values()}
    two.stop(up)

    assert (0, {"primary", "other"}) == (evacuated.returncode, set(arrivals))
    assert json.loads(evacuated.stdout)["slowest_seconds"] == max(arrivals.values())
    assert 1 == undone.returncode
    assert "db.example.com at other: DOES NOT FOLLOW within 6 s" in undone.stderr
    assert "db.example.com at primary: follows after" in undone.stderr
    assert (1, True) == (frozen.returncode, "NOT FROZEN: db.example.com at other" in frozen.stdout)
    assert ("held", "unknown") == (during["primary"]["agreement"], during["other"]["agreement"])
    assert (0, {BOTH}) == (thawed.returncode, after)


def test_an_interrupted_freeze_says_what_it_has_frozen(two: TwoProviders) -> None:
    """One provider has taken it, the other keeps it waiting: Ctrl-C tells both, and what was done is in the audit log."""
    two.settle()
    two.patience = "30s"
    two.configure(*BOTH)
    two.second.send_signal(signal.SIGSTOP)
    freezing = two.start("freeze", "--all", "--apply", "--reason", "INC-44")
    wait_for(lambda: "st=held" in two.sentinel())
    wait_for(lambda: json.loads(two.run("audit", "--last", "1", "--json").stdout)[0]["why"] == "INC-44")
    status = two.stop(freezing, signal.SIGINT)
    said = (two.folder / "freeze---all.log").read_text().splitlines()

    assert (130, "outlast: interrupted: what was done stands all the same") == (status, said[0])
    assert [
        "  db.example.com at other: under way, perhaps done: outlast status tells",
        "  db.example.com at primary: written",
    ] == sorted(said[1:])


def test_a_provider_that_hangs_for_long_does_not_hold_up_the_other(two: TwoProviders) -> None:
    """An evacuation arrives where it can, although the one that sleeps may take longer than signals are fresh."""
    two.patience = "30s"
    two.configure(*BOTH)
    process = two.start("up", "--name", "a")
    wait_for(lambda: two.is_settled(*BOTH))
    two.second.send_signal(signal.SIGSTOP)
    two.run("evacuate", "127.0.0.2", "--apply", "--wait", "0")
    wait_for(lambda: two.addresses() == ["127.0.0.1"])
    process.kill()
    process.wait()
