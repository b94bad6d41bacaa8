"""The registry and the primaries of the plan protocol, as values with atomic operations: what the real ones promise.

The contract suites hold the real adapters to the same promises. Nothing here decides for the machines.
"""

from typing import NamedTuple

from outlast.traffic import messages as m
from outlast.traffic.content import Content
from outlast.traffic.plan import Plan
from outlast.traffic.ports import Known, Live, PlanInfo, Record, supersedes

ABSENT = Live((), ())


class Shelf(NamedTuple):
    """The stored plans, oldest first, when each was tombstoned, and the largest generation ever stored."""

    plans: tuple[Plan, ...] = ()
    tombstones: tuple[tuple[int, int], ...] = ()
    floor: int = 0

    @property
    def latest(self) -> Plan | None:
        return self.plans[-1] if self.plans else None

    @property
    def generation(self) -> int:
        return self.plans[-1].generation if self.plans else 0

    def known(self, endpoint: str, record: Record | None) -> Known:
        entry = self.plans[-1].entry(endpoint) if self.plans else None
        return Known(self.generation, entry, record)

    def published(self, plan: Plan, after: int) -> "Shelf | None":
        """With `plan` on it, if the latest generation is still `after`; otherwise nothing."""
        if self.generation != after:
            return None
        plans = tuple(sorted((*self.plans, plan), key=lambda stored: stored.generation))
        return self._replace(plans=plans, floor=max(self.floor, plan.generation))

    def find_content(self, endpoint: str, digest: str) -> Content | None:
        entries = (plan.entry(endpoint) for plan in self.plans)
        return next((entry.content for entry in entries if entry is not None and entry.digest == digest), None)

    def listed(self) -> tuple[PlanInfo, ...]:
        """As the janitor sees it, newest first."""
        tombstones = dict(self.tombstones)
        return tuple(
            PlanInfo(plan.generation, plan.at, tombstones.get(plan.generation, 0)) for plan in reversed(self.plans)
        )

    def tombstoned(self, generation: int, at: int) -> "Shelf":
        if generation in dict(self.tombstones):
            return self
        return self._replace(tombstones=tuple(sorted((*self.tombstones, (generation, at)))))

    def without(self, deed: m.DeletePlan, named: frozenset[int], *, is_checked: bool = True) -> "Shelf | None":
        """Without that plan, if the registry's own check allows it; otherwise nothing. `named`: by a record."""
        tombstone = dict(self.tombstones).get(deed.generation, 0)
        newest = {plan.generation for plan in self.plans[-deed.keep :]}
        is_there = any(plan.generation == deed.generation for plan in self.plans)
        may_go = 0 < tombstone < deed.tombstoned_before and deed.generation not in newest | named
        if not is_there or (is_checked and not may_go):
            return None
        return self._replace(
            plans=tuple(plan for plan in self.plans if plan.generation != deed.generation),
            tombstones=tuple(item for item in self.tombstones if item[0] != deed.generation),
        )


def recorded(there: Record | None, record: Record, *, pending: bool) -> Record | None:
    """What the registry then holds as the record; nothing if `record` does not supersede what is there."""
    if there is not None and not supersedes(record.sentinel, there.sentinel, pending=pending):
        return None
    return record
