"""The folder of published plans: one file per plan, kept for ever, and the planner's ceiling.

A plan appears whole or not at all (write beside, then rename). Nothing is synced to disk: a drill that loses its
machine starts anew.
"""

import os
import re
from pathlib import Path

from outlast.errors import UnsafePlan
from outlast.incidents.plan import Plan, parse, to_json

PLAN_FILE = re.compile(r"plan-(\d{6})\.json")
CEILING_FILE = "ceiling"


class PlanStore:
    """The published plans in `folder`, which is created."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"<PlanStore {self._folder}>"

    def publish(self, plan: Plan) -> None:
        """Make a plan visible."""
        _write(self._folder / f"plan-{plan.number:06d}.json", to_json(plan))

    def numbers(self) -> tuple[int, ...]:
        """All numbers ever published, ascending."""
        names = (PLAN_FILE.fullmatch(path.name) for path in self._folder.iterdir())
        return tuple(sorted(int(name[1]) for name in names if name))

    def latest(self) -> Plan | None:
        """Read the plan with the largest number, or `None` if there is none.

        Raises:
            UnsafePlan: The file is no plan, or not the plan that its name says.

        """
        numbers = self.numbers()
        if not numbers:
            return None
        path = self._folder / f"plan-{numbers[-1]:06d}.json"
        plan = parse(path.read_text(encoding="utf-8"))
        if plan.number != numbers[-1]:
            raise UnsafePlan(f"{path.name} contains plan {plan.number}")
        return plan

    def raise_ceiling(self, number: int) -> None:
        """Allow the planner to publish up to `number`; a lower one than before stops it."""
        _write(self._folder / CEILING_FILE, str(number))

    def ceiling(self, default: int) -> int:
        """Read the ceiling, or `default` if none was ever set.

        Raises:
            UnsafePlan: The file holds no number.

        """
        try:
            text = (self._folder / CEILING_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return default
        if not text.strip().isdecimal():
            raise UnsafePlan(f"the ceiling is {text!r}, which is no number")
        return int(text)


def _write(path: Path, text: str) -> None:
    # The writer's pid keeps two writers from sharing one temporary file.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
