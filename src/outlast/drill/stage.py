"""Where an act plays: it waits here, and while it waits the evidence is read, the screen drawn, the children watched."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from outlast.drill.scale import DEADLINE, Pace
from outlast.drill.world import World
from outlast.errors import OutlastError

PAUSE = 0.03
"""Seconds between two looks at the evidence: short beside every wait, cheap beside the clients."""


REPORT_TIMEOUT = 20.0
"""Seconds for the clients to report calls whose deadline is over: they may be behind on a machine that is too slow."""


class NotReached(OutlastError):
    """Something that the act must bring about did not come about in time."""


class Screen(Protocol):
    """What shows the drill to a person."""

    def act(self, name: str, title: str, *, seconds: float) -> None: ...

    def phase(self, name: str) -> None: ...

    def tell(self, at: float, text: str) -> None: ...

    def draw(self, stage: "Stage") -> None: ...


class Stage:
    """One act's stage.

    Args:
        world: The running processes.
        screen: Where it is shown.
        name: The act's name.
        title: What it is about.
        endpoint: The name under test.
        seconds: About how long it takes.

    """

    def __init__(self, world: World, screen: Screen, *, name: str, title: str, endpoint: str, seconds: float) -> None:
        self.world = world
        self.screen = screen
        self.name = name
        self.endpoint = endpoint
        self.start = time.monotonic()
        self.phase_name = ""
        self.story: list[dict[str, Any]] = []
        self._phases: list[tuple[float, str]] = []
        screen.act(name, title, seconds=seconds)

    @property
    def pace(self) -> Pace:
        return self.world.options.pace

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.start

    def restart_clock(self) -> None:
        """Let the act's time begin now: what was before was preparation."""
        self.start = time.monotonic()

    def phase(self, name: str) -> None:
        """Name what goes on now."""
        self.phase_name = name
        self._phases.append((time.monotonic(), name))
        self.screen.phase(name)

    def phases(self) -> tuple[dict[str, Any], ...]:
        """The phases so far, each with the second of the act in which it began; preparation is none of them."""
        begun: list[dict[str, Any]] = [
            {"at_s": round(max(0.0, at - self.start), 2), "name": name} for at, name in self._phases
        ]
        prepared = sum(phase["at_s"] <= 0 for phase in begun[1:])  # the last of these goes on as the act begins
        return tuple(begun[prepared:])

    def tell(self, text: str) -> None:
        """Add a sentence to the act's story."""
        at = round(self.elapsed, 2)
        self.story.append({"at_s": at, "phase": self.phase_name, "text": text})
        self.screen.tell(at, text)

    def pump(self) -> None:
        """Read, draw and watch once."""
        self.world.crew.check()
        self.world.evidence.poll()
        self.screen.draw(self)

    def wait(self, seconds: float) -> None:
        """Let the world go on for that long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.pump()
            time.sleep(max(0.0, min(PAUSE, until - time.monotonic())))
        self.pump()

    def until(self, what: str, condition: Callable[[], bool], *, timeout: float) -> None:
        """Let the world go on until the condition holds.

        Raises:
            NotReached: It did not within `timeout` seconds; names `what`.

        """
        limit = time.monotonic() + timeout
        while True:
            self.pump()
            if condition():
                return
            if time.monotonic() >= limit:
                raise NotReached(
                    f"{what}: not within {timeout:g} s", hint="the machine may be overloaded; look at --keep"
                )
            time.sleep(PAUSE)

    def settle(self) -> float:
        """End the act: wait until every call scheduled so far is reported; return the instant at which counting ends.

        A call that is not reported is not counted, so that clients that lag behind would look better than they are.

        Raises:
            NotReached: The clients are too far behind to say what became of their calls.

        """
        self.phase("settling")
        end = time.monotonic()
        self.wait(DEADLINE)
        self.until("the clients' last reports", lambda: self._is_reported(end), timeout=REPORT_TIMEOUT)
        return end

    def _is_reported(self, end: float) -> bool:
        # Calls begin in the order of their schedule, and each is reported at its deadline at the latest.
        return all(
            any(call["scheduled"] >= end for call in calls) and any(call["ended"] >= end + DEADLINE for call in calls)
            for calls in self.world.evidence.calls.values()
        )
