"""What a registry holds at most, and the check at its door; the same for every adapter."""

from outlast.errors import Refused, UnsafePlan
from outlast.traffic.plan import Plan

MAX_REPORTS = 10_000
"""One per provider and endpoint. A report that finds no room is dropped: its enactor reports again on its next pass."""
MAX_SIGNALS = 100_000
"""One per target and observer. Beyond, the signals probed longest ago go first: they decide nothing any more."""
MAX_ORDERS = 1_000
"""Orders that stand at once."""
MAX_DEEDS = 100_000
"""Lines of the audit log; beyond, the oldest go."""


def admit(plan: Plan, *, known: Plan | None = None) -> str:
    """The plan as text, if it reads back from it whole and safe: the second door of "never empty".

    It takes seconds for a very large plan, so it is done before the transaction begins. What the plan shares with `known`,
    one that was read from a registry, was read back then.

    Raises:
        UnsafePlan: It may not be stored.

    """
    text = plan.to_json()
    if Plan.from_json(text, known=known) != plan:
        raise UnsafePlan(f"plan {plan.generation} does not read back as it was written", hint="plan anew")
    return text


def refuse_many(standing: int) -> None:
    """Refuse one more order when that many others stand.

    Raises:
        Refused: There is no room.

    """
    if standing >= MAX_ORDERS:
        raise Refused(f"{standing} orders stand already", hint="lift some: outlast plan show lists them")


def refuse_old(generation: int, *, floor: int) -> None:
    """Refuse what is not above the largest generation ever published here: it would let sleepers write again.

    Raises:
        UnsafePlan: It may not be stored.

    """
    if generation <= floor:
        raise UnsafePlan(
            f"plan {generation} is not above {floor}, the largest generation ever published here",
            hint="plan anew on what the registry holds",
        )
