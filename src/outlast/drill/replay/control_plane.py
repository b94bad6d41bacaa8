"""Our own control plane as processes for a script: what `outlast planner run`, `enactor run` and `janitor run` start."""

import json
from collections.abc import Callable
from pathlib import Path

from outlast.drill.names import OPERATOR
from outlast.drill.replay.script import JANITOR, PLANNER, ZONE, Script, Step
from outlast.drill.replay.world import World
from outlast.simulator.plan_layout import REALM, TTL

PROVIDER = "p1"
"""As the explorer calls it."""


class ControlPlane(World):
    """Planner, enactors and janitor that meet at the name server and in one registry, nowhere else."""

    def __init__(self, script: Script, *, is_interrupted: Callable[[], bool]) -> None:
        super().__init__(script, is_interrupted=is_interrupted)
        # A role does not start without an endpoint; until a step says more, what people configure first stands there.
        self._configured: dict[str, tuple[str, ...]] = {}
        for step in script.steps:
            self._configured = {**step.configured, **self._configured}

    def _roles_at_the_start(self) -> tuple[str, ...]:
        return (PLANNER, *self.script.enactor_names, JANITOR)

    def _start_role(self, name: str) -> None:
        options = {
            "config": str(self._configuration(name)),
            "holds": str(self.holds),
            "trace": str(self._trace_file(name)),
            "address_map": {},
            "fence": True,
        }
        self._start(name, options)

    def prepare(self, step: Step) -> None:
        """Edit the planner's configuration, as people do; it follows the file."""
        if step.configured:
            self._configured |= step.configured
            self._configuration(PLANNER)

    def _configuration(self, name: str) -> Path:
        key = self.keys.file(name if name in self.script.enactor_names else OPERATOR)
        endpoints = "\n".join(_endpoint(endpoint, found) for endpoint, found in self._configured.items())
        head = _HEAD.format(port=self.port, key=key.name, keep=self.script.keep)
        return self._write(f"{name}.toml", head + endpoints)


def _endpoint(name: str, addresses: tuple[str, ...]) -> str:
    return f"""
[endpoint."{name}"]
ttl = "{TTL}s"
probed = false

[endpoint."{name}".targets]
here = {json.dumps(addresses)}
"""


# The explorer's janitor is the harshest there is: no age is young. Its enactors never stand back for one another.
_HEAD = f"""\
realm = "{REALM}"

[registry]
kind = "sqlite"
path = "registry.db"

[provider.{PROVIDER}]
kind = "rfc2136"
address = "127.0.0.1"
port = {{port}}
zones = ["{ZONE}"]
key_secret_file = "{{key}}"

[planner]
interval = "100ms"

[enactor]
interval = "100ms"
stand_back = "0s"

[janitor]
interval = "100ms"
keep = {{keep}}
grace = "0s"
wait = "0s"
"""
