"""Stops a role at a named effect, so that a drill can force an interleaving of real processes.

Idea: a wrapper around a driver's carry-out step looks into a folder before and after each effect. If the drill has put
`<role>.hold.json` there and the effect matches, the role writes `<role>.held.json` and stops itself (SIGSTOP): not a
sleeping task but a whole frozen process, clocks and sockets included. The drill waits for the held file, takes the hold
away and continues the process (SIGCONT). The role then deletes the held file.

The role stops itself again until the hold has changed, and the drill continues it until the held file is gone: the
signal of one side may arrive before the other side is ready for it, and a stray SIGCONT must not release anybody.

`<role>.die.json` makes the role kill itself (SIGKILL) after an effect, before its machine hears of the answer.

Nothing here serves in production: no role of outlast imports this module, the drill's own entry points do.
"""

import contextlib
import json
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from outlast.errors import OutlastError
from outlast.incidents.trace import CarryOut, Trace, named_fields, plain

Effect = TypeVar("Effect")
Event = TypeVar("Event")
Moment = Literal["before", "after"]

ANY = "*"
"""Stands for every effect that is answered; notes are for people, and nobody stops at them."""

NOTE = "Note"
"""The effect without an answer, of every machine."""

# How often the drill's side looks at a file; the role's side never polls, it is stopped.
POLL_SECONDS = 0.005

# A continued process deletes its held file at once; one that does not is gone or hangs in the kernel.
RELEASE_SECONDS_MAX = 5.0


class NotHeld(OutlastError):
    """A role did not arrive at its hold, or did not go on from it, in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Where a role is to stop.

    Args:
        effect: The effect's class name, such as `BuildTree`, or `ANY`.
        where: Values that fields of the effect must have, by name; `plan.number` looks into the field `plan`.
            What is absent may be anything. Compared as JSON says them.
        moment: Stop before the effect is carried out, or after it and before the machine hears of its answer.

    """

    effect: str
    where: dict[str, Any] = field(default_factory=dict)
    moment: Moment = "before"

    def matches(self, effect: object, moment: Moment) -> bool:
        """Tell whether a role that is at `moment` of `effect` must stop."""
        name = type(effect).__name__
        return (
            (self.effect == name or (self.effect == ANY and name != NOTE))
            and self.moment == moment
            and all(_look_up(effect, path) == plain(wanted) for path, wanted in self.where.items())
        )


# The role's side.


def held(carry_out: CarryOut[Effect, Event], *, role: str, folder: Path, trace: Trace) -> CarryOut[Effect, Event]:
    """Wrap a driver's carry-out step with holds, with death, and with a trace of every effect.

    Args:
        carry_out: The driver's step.
        role: The name that the drill's files begin with.
        folder: Where the drill's files appear.
        trace: Gets the lines `begin` and `end` of each effect, and `held` and `continued` of each hold.

    """
    number = 0

    async def carry_out_held(effect: Effect) -> Event | None:
        nonlocal number
        _stop_if_told(effect, "before", role=role, folder=folder, trace=trace)
        trace.write("begin", effect)
        answer = await carry_out(effect)
        trace.write("end", effect, answer)
        number += 1
        _die_if_told(number, role=role, folder=folder)
        _stop_if_told(effect, "after", role=role, folder=folder, trace=trace)
        return answer

    return carry_out_held


def _stop_if_told(effect: object, moment: Moment, *, role: str, folder: Path, trace: Trace) -> None:
    text = _text(_hold_file(folder, role))
    if not text or not Hold(**json.loads(text)).matches(effect, moment):
        return
    trace.write("held", effect)
    at = {"effect": type(effect).__name__, "detail": named_fields(effect), "moment": moment, "pid": os.getpid()}
    at["since"] = time.monotonic()  # no two holds look the same
    _write(_held_file(folder, role), json.dumps(at))
    while _text(_hold_file(folder, role)) == text:
        os.kill(os.getpid(), signal.SIGSTOP)
    _held_file(folder, role).unlink(missing_ok=True)
    trace.write("continued", effect)


def _die_if_told(number: int, *, role: str, folder: Path) -> None:
    path = _die_file(folder, role)
    text = _text(path)
    if text and number >= json.loads(text)["die_after"]:
        # Once told, once dead: the next process of this role lives.
        path.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)


# The drill's side.


def arm(
    folder: Path, role: str, effect: str, *, where: dict[str, Any] | None = None, moment: Moment = "before"
) -> None:
    """Tell a role to stop at an effect; replaces what it was told before. It may be armed before it is started."""
    _arm(folder, role, Hold(effect=effect, where=where or {}, moment=moment))


def arm_death(folder: Path, role: str, *, die_after: int) -> None:
    """Tell a role to kill itself after its process has carried out `die_after` effects; at once if it already has."""
    _write(_die_file(folder, role), json.dumps({"die_after": die_after}))


def disarm(folder: Path, role: str) -> None:
    """Take back what a role was told, and forget where a killed one was held; a held one must be released."""
    for path in (_hold_file(folder, role), _die_file(folder, role), _held_file(folder, role)):
        path.unlink(missing_ok=True)


def is_held(folder: Path, role: str) -> bool:
    """Tell whether a role has stopped at its hold; looks once and does not wait."""
    return bool(_text(_held_file(folder, role)))


def wait_until_held(folder: Path, role: str, timeout: float) -> dict[str, Any]:
    """Wait until a role has stopped; return `{"effect", "detail", "moment", "pid"}`.

    Args:
        folder: As in `arm`.
        role: As in `arm`.
        timeout: Seconds.

    Raises:
        NotHeld: The role did not come that far.

    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if text := _text(_held_file(folder, role)):
            at: dict[str, Any] = json.loads(text)
            return at
        time.sleep(POLL_SECONDS)
    raise NotHeld(
        f"{role} was not held within {timeout} s", hint=f"told: {_text(_hold_file(folder, role)) or 'nothing'}"
    )


def release(folder: Path, role: str, pid: int, *, then: Hold | None = None) -> None:
    """Continue a held role, and wait until it has gone on; one that has not come to its hold yet passes it.

    Args:
        folder: As in `arm`.
        role: As in `arm`.
        pid: The role's process.
        then: Where it must stop next, told before it can run on; another hold than the present one.

    Raises:
        NotHeld: The role is gone, or did not go on.

    """
    before = _text(_held_file(folder, role))
    if then is None:
        _hold_file(folder, role).unlink(missing_ok=True)
    else:
        _arm(folder, role, then)
    deadline = time.monotonic() + RELEASE_SECONDS_MAX
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            # Again and again: the first one is lost if the role was just about to stop itself.
            os.kill(pid, signal.SIGCONT)
            # It may be held anew before we look: then another text stands there. It may not have come to its hold
            # yet: then it finds none.
            if not before or _text(_held_file(folder, role)) != before:
                return
            time.sleep(POLL_SECONDS)
    raise NotHeld(f"{role} (process {pid}) did not go on from its hold")


def _arm(folder: Path, role: str, hold: Hold) -> None:
    _write(_hold_file(folder, role), json.dumps({"effect": hold.effect, "where": hold.where, "moment": hold.moment}))


def _hold_file(folder: Path, role: str) -> Path:
    return folder / f"{role}.hold.json"


def _held_file(folder: Path, role: str) -> Path:
    return folder / f"{role}.held.json"


def _die_file(folder: Path, role: str) -> Path:
    return folder / f"{role}.die.json"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _write(path: Path, text: str) -> None:
    # Whole or not at all: the other side may read at any moment.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _look_up(effect: object, path: str) -> Any:
    value: object = effect
    for name in path.split("."):
        value = getattr(value, name, None)
    return plain(value)
