"""The automation of 2025 as processes for a script: `python -m outlast.drill.hazard`.

Its planner is started anew for each plan, with that plan's number and what people have configured.
"""

import json
import time
from typing import Any

from outlast.drill import holds
from outlast.drill.replay.script import PLANNER, ZONE, Step
from outlast.drill.replay.world import World

WALK_EVERY = 0.05
RECORD_TTL = 1
FOR_EVER = 3600.0
"""Seconds that a lock lives where the script lets none expire: nobody sleeps that long."""
EXPIRING = 3.0
"""Seconds that a lock lives where the script lets one expire; that step waits for it."""


class Automation(World):
    """Enactors and a planner that meet at the name server and in a folder of plans, nowhere else."""

    def _roles_at_the_start(self) -> tuple[str, ...]:
        return self.script.enactor_names

    def _start_role(self, name: str) -> None:
        options = {
            "role": name,
            "nameserver": "127.0.0.1",
            "port": self.port,
            "zone": f"{ZONE}.",
            "key_name": f"{name}.",
            "key_secret": self.keys.secret(name),
            "plans": str(self.folder / "plans"),
            "trace": str(self._trace_file(name)),
            "every": WALK_EVERY,
            "keep": self.script.keep,
            "lock_lifetime": EXPIRING if self._lets_expire() else FOR_EVER,
            "ttl": RECORD_TTL,
        }
        self._start_hazard(name, "enactor", options)

    def prepare(self, step: Step) -> None:
        """Start the planner for its next plan; wait for a lock to expire."""
        if step.actor == PLANNER:
            self._start_planner(step)
        if step.says.get("is_expired"):
            time.sleep(EXPIRING)

    def _start_planner(self, step: Step) -> None:
        self.crew.dismiss(PLANNER)
        number = step.fields["plan"]
        options = {
            "plans": str(self.folder / "plans"),
            "first": number,
            "ceiling": number,
            "endpoints": {name: list(addresses) for name, addresses in step.configured.items()},
            "trace": str(self._trace_file(PLANNER)),
        }
        # Its reading of the ceiling is nobody's business: the drill sets it.
        holds.disarm(self.holds, PLANNER)
        holds.arm(self.holds, PLANNER, step.effect)
        self._start_hazard(PLANNER, "planner", options)

    def _lets_expire(self) -> bool:
        return any(step.says.get("is_expired") for step in self.script.steps)

    def _start_hazard(self, name: str, kind: str, options: dict[str, Any]) -> None:
        path = self._write(f"{name}.json", json.dumps(options))
        self.crew.start(name, "outlast.drill.hazard", kind, "--options", str(path), "--holds", str(self.holds))
