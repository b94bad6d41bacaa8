"""Two roles of one name beside the same files: the second does not start, and says which process is in its way."""

import signal
from pathlib import Path

import pytest
from command_world import Run, World, wait_for

from outlast.cli.readiness import alone
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import Refused

pytestmark = pytest.mark.slow
HINT = "  stop that one, or give this one a name of its own: --name"


@pytest.fixture
def settings(run: Run, tmp_path: Path) -> Settings:
    run("init")
    return load(tmp_path / "outlast.toml")


def test_a_second_up_does_not_start(world: World) -> None:
    """Neither `up` nor one of its roles starts under a name that runs; under another name, or once it is killed, it does."""
    first = world.start("up", "--name", "a")
    log = world.folder / "up---name.log"
    wait_for(lambda: "up-a started" in log.read_text())
    second, enactor, prober = (
        world.run(*words)
        for words in (
            ("up", "--name", "a"),
            ("enactor", "run", "--name", "enactor-a"),
            ("prober", "run", "--name", "prober-a"),
        )
    )
    other = world.start("enactor", "run", "--name", "enactor-b")
    wait_for(lambda: "enactor-b started" in (world.folder / "enactor-run.log").read_text())
    world.stop(first, signal.SIGKILL)
    again = world.start("up", "--name", "a")
    wait_for(lambda: log.read_text().count("up-a started") == 2)

    def told(role: str) -> list[str]:
        return [f"outlast: {role}-a runs already: process {first.pid} holds shop.{role}-a.lock", HINT]

    assert [1, 1, 1] == [done.returncode for done in (second, enactor, prober)]
    assert [told("enactor"), told("enactor"), told("prober")] == [
        done.stderr.splitlines() for done in (second, enactor, prober)
    ]
    assert [0, 0] == [world.stop(other), world.stop(again)]


def test_the_name_is_free_afterwards(settings: Settings) -> None:
    """While a role runs its name is taken, whoever asks; afterwards it is not, and its file may stay."""
    with (
        alone(settings, "enactor-a"),
        pytest.raises(Refused, match="enactor-a runs already"),
        alone(settings, "enactor-a"),
    ):
        pass
    with alone(settings, "enactor-a"), alone(settings, "enactor-b"):
        pass

    assert ["shop.enactor-a.lock", "shop.enactor-b.lock"] == sorted(
        it.name for it in settings.path.parent.glob("*.lock")
    )


def test_where_no_file_can_be_made_the_role_runs(settings: Settings) -> None:
    """A folder that may not be written keeps nobody from running: a folder in the lock's place is no lock either."""
    (settings.path.parent / "shop.enactor-a.lock").mkdir()
    with alone(settings, "enactor-a"), alone(settings, "enactor-a"):
        pass
