"""What a registry holds at most, and the check at its door; the same for every adapter."""

from outlast.errors import UnsafePlan
from outlast.traffic.plan import Plan

MAX_REPORTS = 10_000
"""One per provider and endpoint. A report that finds no room is dropped: its enactor reports again on its next pass."""
MAX_SIGNALS = 100_000
"""One per target and observer. Beyond, the signals probed longest ago go first: they decide nothing any more."""


def admit(plan: Plan, floor: int) -> str:
    """The plan as text, if it may be stored: the second door of "never empty".

    Args:
        plan: Reads back, whole and safe, from its own text; otherwise it is refused.
        floor: The largest generation ever published here. A plan at or below it would let sleepers write again.

    Raises:
        UnsafePlan: It may not be stored.

    """
    if plan.generation <= floor:
        raise UnsafePlan(
            f"plan {plan.generation} is not above {floor}, the largest generation ever published here",
            hint="plan anew on what the registry holds",
        )
    text = plan.to_json()
    if Plan.from_json(text) != plan:
        raise UnsafePlan(f"plan {plan.generation} does not read back as it was written", hint="plan anew")
    return text
