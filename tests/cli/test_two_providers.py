"""One name at two providers: one plan, each applied by itself; who lags behind is told, and held up by nobody."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_world import KEY, Targets, World, wait_for

pytestmark = pytest.mark.slow
BOTH = ("127.0.0.1", "127.0.0.2")


class TwoProviders(World):
    """The world with a second name server that holds the same zone."""

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
            'zones = ["example.com"]\nkey_secret_file = "tsig.key"\ntimeout = "1s"\n[health]\n'
        )
        fresh = self.folder / "outlast.toml.second"
        fresh.write_text(text.replace("[health]\n", second, 1))
        fresh.replace(path)

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
