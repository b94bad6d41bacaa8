"""The race of 20 October 2025 as a sketch, once as a value for the explorer and once in Promela by hand.

A planner publishes plans by number; an enactor picks the latest, checks once that it is newer than what is live, puts it
live, and deletes plans that are older than the one before its own, one at a time. Both count the same states.
"""

from collections.abc import Iterator

from outlast.simulator import Agent, Check, Move, Protocol
from outlast.simulator.protocol import Values

IDLE, PICKED, CHECKED, CLEANING = range(4)


def race(enactors: int, plans: int) -> Protocol:
    """Parts: the latest plan, the live one, the deleted ones, and each enactor's step and pick."""

    def publish(values: Values) -> Iterator[Move]:
        if values[0] < plans:
            yield Move((values[0] + 1,), "publishes")

    def enact(values: Values) -> Iterator[Move]:
        (step, pick), latest, live, gone = values
        match step:
            case 0 if latest:
                yield Move(((PICKED, latest), latest, live, gone), "picks")
            case 1:
                yield Move(((CHECKED if pick > live else IDLE, pick), latest, live, gone), "checks")
            case 2:
                yield Move(((CLEANING, pick), latest, pick, gone), "puts it live")
            case 3:
                old = next((plan for plan in range(1, pick - 1) if plan not in gone), 0)
                after = (CLEANING, pick) if old else (IDLE, pick)
                yield Move((after, latest, live, gone | {old} if old else gone), "cleans up")

    names = tuple(f"e{number + 1}" for number in range(enactors))
    return Protocol(
        name="race",
        parts=("latest", "live", "deleted", *names),
        initial=(0, 0, frozenset(), *([(IDLE, 0)] * enactors)),
        agents=(
            Agent(name="planner", part=0, footprint=lambda _: (), moves=publish),
            *(
                Agent(name=name, part=3 + at, footprint=lambda _: (0, 1, 2), moves=enact)
                for at, name in enumerate(names)
            ),
        ),
        checks=(Check(name="counts", parts=(0,), fault=lambda _: ""),),
    )


def promela(enactors: int, plans: int) -> str:
    """Return the same for SPIN."""
    old = "\n".join(_cleaning(plan) for plan in range(1, plans - 1))
    none = " && ".join(f"(dead[{plan}] || {plan} + 1 >= pick)" for plan in range(1, plans - 1)) or "true"
    return f"""
byte latest = 0; byte live = 0; bit dead[{plans + 1}];
active proctype planner() {{ end: do :: d_step {{ latest < {plans} -> latest++ }} od }}
active [{enactors}] proctype enactor() {{
  byte at = 0; byte pick = 0;
end: do
  :: d_step {{ at == 0 && latest > 0 -> pick = latest; at = 1 }}
  :: d_step {{ at == 1 && pick > live -> at = 2 }}
  :: d_step {{ at == 1 && pick <= live -> at = 0 }}
  :: d_step {{ at == 2 -> live = pick; at = 3 }}
{old}
  :: d_step {{ at == 3 && {none} -> at = 0 }}
  od
}}
"""


def _cleaning(plan: int) -> str:
    older = "".join(f" && dead[{other}]" for other in range(1, plan))
    return f"  :: d_step {{ at == 3 && {plan} + 1 < pick && !dead[{plan}]{older} -> dead[{plan}] = 1 }}"
