"""Plays a script on real processes: one role at a time, one effect at a time, in the script's order and in no other.

Every role is stopped before each of its effects. The one whose turn it is does it and is stopped again before it hears of
the answer; then DNS is asked from outside. What was done, what answered and what DNS says must be what the script says:
where reality differs, the play ends and names the step.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from outlast.drill.holds import NotHeld
from outlast.drill.replay.facts import facts
from outlast.drill.replay.script import DIED, Facts, Script, Step
from outlast.drill.replay.world import Answer, NotAsTold, World

PLAY_SECONDS = 600.0
"""A step takes some hundredths of a second: five hundred of them a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A step that was made: when (seconds since the first began), and what DNS answers after it, by endpoint."""

    number: int
    step: Step
    at: float
    dns: dict[str, Answer]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "step": self.number,
            "at_s": round(self.at, 3),
            "actor": self.step.actor,
            "effect": self.step.effect,
            "answer": self.step.answer,
            "words": self.step.words,
            "dns": {name: answer._asdict() for name, answer in self.dns.items()},
        }


def play(world: World, tell: Callable[[Seen], None]) -> None:
    """Play the world's script, telling each step when it has been made.

    Raises:
        NotAsTold: A step did not come about, or not as the script says; names it.
        ChildDied: A role ended by itself.

    """
    began = time.monotonic()
    for number, step in enumerate(world.script.steps, 1):
        where = f"step {number} of {len(world.script.steps)} ({step.actor} {step.words or step.effect})"
        if time.monotonic() - began > PLAY_SECONDS:
            raise NotAsTold(f"{where}: {PLAY_SECONDS:g} s are over", hint="the machine may be overloaded")
        try:
            dns = _make(world, step)
        except NotAsTold as error:
            raise NotAsTold(f"{where}: {error.message}", hint=error.hint) from error
        except NotHeld as error:
            raise NotAsTold(f"{where}: {error.message}", hint="keep its log with --keep and look there") from error
        tell(Seen(number=number, step=step, at=time.monotonic() - began, dns=dns))


def _make(world: World, step: Step) -> dict[str, Answer]:
    world.prepare(step)
    _check(world.script, "is about to do", step.effect, step.fields, found=_wanted(world.arrive(step.actor)))
    if step.answer == DIED:
        world.kill(step.actor)
    else:
        line = world.let_do(step.actor)
        _check(world.script, "is answered", step.answer, step.says, found=(line["answer"], line["result"]))
    dns = {endpoint: world.ask(endpoint) for endpoint in step.dns}
    _check_dns(step, dns)
    if step.answer != DIED:
        world.go_on(step.actor)
    return dns


def _wanted(held: dict[str, Any]) -> tuple[str, Facts]:
    return held["effect"], held["detail"]


def _check(script: Script, what: str, name: str, told: Facts, *, found: tuple[str, Facts]) -> None:
    found_name, found_facts = found[0], facts(script.protocol, *found)
    if (found_name, found_facts) != (name, told):
        raise NotAsTold(
            f"it {what} {_worded(found_name, found_facts)}; the script says {_worded(name, told)}",
            hint="the script was not written for this version, or was changed by hand; write it anew",
        )


def _worded(name: str, told: Facts) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in told.items())})"


def _check_dns(step: Step, dns: dict[str, Answer]) -> None:
    for endpoint, answer in dns.items():
        told = step.dns[endpoint]
        if answer.addresses != tuple(sorted(told)):
            raise NotAsTold(f"DNS answers {answer} for {endpoint}; the script says {' '.join(told) or 'no address'}")
