"""The seam between a role's machine and its driver, which the drill uses to stop a role at a named effect."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from command_world import World

from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.config.run import run_enactor, run_planner
from outlast.config.settings import Settings
from outlast.traffic.driver import CarryOut
from outlast.traffic.messages import Commit, Effect, Event

pytestmark = pytest.mark.slow


class Seen:
    """A wrapper that notes every effect, and raises once at a chosen one."""

    def __init__(self, *, fails_at: type[Effect] | None = None) -> None:
        self.names: list[str] = []
        self.wrapped = 0
        self._fails_at = fails_at

    def __call__(self, carry_out: CarryOut) -> CarryOut:
        self.wrapped += 1

        async def noted(effect: Effect) -> Event | None:
            self.names.append(type(effect).__name__)
            if self._fails_at is not None and isinstance(effect, self._fails_at):
                self._fails_at = None
                raise RuntimeError("a fault of ours")
            return await carry_out(effect)

        return noted


async def until(role: Callable[[asyncio.Event], Awaitable[None]], check: Callable[[], bool]) -> None:
    """Run a role until `check()` is true."""
    stop = asyncio.Event()

    async def watch() -> None:
        while not check():  # noqa: ASYNC110  what a role does is seen from outside only
            await asyncio.sleep(0.02)
        stop.set()

    async with asyncio.timeout(15):
        await asyncio.gather(role(stop), watch())


async def planned_and_enacted(settings: Settings, planner: Seen, enactor: Seen, heard: list[Notice]) -> None:
    await until(
        lambda stop: run_planner(settings, name="planner-a", wrap=planner, stop=stop, tell=heard.append),
        lambda: "Publish" in planner.names and planner.names.count("ReadInputs") > 2,
    )
    await until(
        lambda stop: run_enactor(settings, name="enactor-a", wrap=enactor, stop=stop, tell=heard.append),
        lambda: any(notice.note.name == "enacted" for notice in heard),
    )


def test_a_wrapper_sees_every_effect(world: World) -> None:
    """A role wraps its carry-out step once, and the wrapper sees the effects in their order, notes included."""
    planner, enactor, heard = Seen(), Seen(), list[Notice]()
    asyncio.run(planned_and_enacted(load(world.folder / "outlast.toml"), planner, enactor, heard))
    first = enactor.names[: enactor.names.index("Commit") + 3]

    assert (1, 1) == (planner.wrapped, enactor.wrapped)
    assert ["ReadInputs", "ReadSentinels", "Publish", "Note"] == planner.names[:4]
    assert [
        "ReadKnown", "ReadLive", "ReadKnown", "Note", "WriteRecord", "Commit", "Note", "WriteRecord"
    ] == first  # fmt: skip


def test_a_fault_of_ours_ends_one_pass_only(world: World) -> None:
    """An exception out of a pass is told with its place, and the next pass goes on."""
    planner, enactor, heard = Seen(), Seen(fails_at=Commit), list[Notice]()
    asyncio.run(planned_and_enacted(load(world.folder / "outlast.toml"), planner, enactor, heard))
    failed = [notice for notice in heard if notice.note.name == "pass failed"]

    assert ["db.example.com@primary"] == [notice.place for notice in failed]
    assert failed[0].note.detail.startswith("RuntimeError: a fault of ours at test_wrapped_roles.py:")
