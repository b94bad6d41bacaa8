"""Hazard mode: the DNS automation of 2025-10-20 as its owner described it, kept to be broken.

A planner publishes numbered plans. Enactors build a tree of records for a plan, take a lock that is itself a record,
flip the top alias to the tree and clean up trees that are much older than their own plan. Three defects, each
survivable alone, make the name go empty and keep it so:

1. whether a plan is newer than what is live is asked once, and the answer is used much later (`Enactor`, CHECKING);
2. the cleaner measures age against its own plan and never asks what is live (`Enactor`, LISTING);
3. the same transaction writes the top alias and a rollback alias to what was live before; when that is gone, every
   later transaction is refused (`Enactor`, INSTALLING).

It can never be configured for real use: the nameserver must be on loopback, the addresses published must be loopback
or documentation addresses, and the alias is a private record type that only the drill's nameserver understands.
"""

from outlast.incidents.enactor import Enactor, Phase, State
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.planner import Planner, PlannerState
from outlast.incidents.protocol import Effect, Event, IllegalEvent

__all__ = [
    "Effect",
    "Enactor",
    "Endpoint",
    "Event",
    "IllegalEvent",
    "Phase",
    "Plan",
    "Planner",
    "PlannerState",
    "State",
]
