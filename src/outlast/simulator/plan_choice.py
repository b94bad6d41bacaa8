"""What is explored for a question about the plan protocol, and by which arguments less suffices; each is told."""

from collections.abc import Mapping
from typing import NamedTuple

from outlast.simulator.plan_layout import ORDERLY, Machines, PlanOptions
from outlast.simulator.plan_publishing import UNFIT

MANY = 3
"""Enactors from which on a world is too large to be explored in every detail."""

INDEPENDENT = (
    "each endpoint has its own transaction and its own machine (rule h), and an enactor's effects name no other endpoint: "
    "one endpoint is explored, with plans that change it every time"
)
ALIKE = "enactors sign alike; a reply that was lost may turn out to be anybody's"
ATOMIC = "the planner's pass is one move, checked by: nothing is ever ahead of the latest plan"
SILENT = "what is refused whatever happens is refused at once"


class Choice(NamedTuple):
    """The world to explore, and the arguments it rests on, in words."""

    options: PlanOptions
    arguments: tuple[str, ...]


def choose(
    *,
    enactors: int,
    plans: int,
    endpoints: int,
    has_janitor: bool,
    budgets: Mapping[str, int],
    machines: Machines | None = None,
    lacks: frozenset[str] = frozenset(),
) -> Choice:
    """Small worlds in every detail; larger ones with twins that sign alike and the planner's pass as one move."""
    is_large = enactors >= MANY
    are_alike = (
        (is_large or "break-glasses" in budgets) and budgets.keys() <= ORDERLY and not lacks and machines is None
    )
    is_atomic = is_large and not (UNFIT & budgets.keys()) and not lacks and machines is None
    # Without transactions of their own endpoints are not independent: then all of them are explored together.
    coupled = endpoints if "own-transactions" in lacks else 1
    options = PlanOptions(
        enactors=enactors,
        plans=plans,
        endpoints=coupled,
        coupled=coupled,
        has_janitor=has_janitor,
        budgets=budgets,
        machines=machines or Machines(),
        lacks=lacks,
        are_named=not are_alike,
        is_planner_atomic=is_atomic,
    )
    is_silent = budgets.keys() <= ORDERLY and not lacks and machines is None
    arguments = (
        (endpoints > coupled, INDEPENDENT),
        (are_alike, ALIKE),
        (is_atomic, ATOMIC),
        (is_silent, SILENT),
    )
    return Choice(options, tuple(text for applies, text in arguments if applies))
