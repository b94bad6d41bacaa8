"""`python -m outlast.drill.roles ROLE OPTIONS.json`: the product's own roles as children of the drill.

ROLE is a kind, `nameserver`, `planner`, `enactor`, `janitor` or `prober`, and if there are several, a dash and which.

They run the same code as `outlast planner run` and the others; the drill adds that they die with it, that they can be
stopped at a named effect, and that each effect leaves a line in a trace.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outlast.config import run
from outlast.config.key import read_key_file
from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.drill.child import read_options
from outlast.drill.holds import held
from outlast.drill.unfenced import unfenced
from outlast.errors import OutlastError
from outlast.incidents.trace import Trace
from outlast.nameserver import Nameserver, ServerOptions, UpdateKey, ZoneOptions
from outlast.traffic.driver import CarryOut


@dataclass(frozen=True, slots=True, kw_only=True)
class NameserverRole:
    """What the drill's name server is told; `ready` appears, with the port in it, when it answers."""

    zones: tuple[dict[str, Any], ...]
    keys: tuple[str, ...]
    journal: str
    route53_aliases: bool
    ready: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRole:
    """What a role of the control plane is told, beside its outlast.toml."""

    config: str
    holds: str
    trace: str
    address_map: dict[str, tuple[str, int]]
    fence: bool


def main() -> int:
    """Run one role until SIGTERM; return the exit status."""
    role, path = sys.argv[1], Path(sys.argv[2])
    try:
        if role == "nameserver":
            asyncio.run(_until_told(lambda stop: _nameserver(read_options(NameserverRole, path), stop)))
        else:
            options = read_options(ControlRole, path)
            asyncio.run(_until_told(lambda stop: _control(role, options, stop)))
    except OutlastError as error:
        sys.stderr.write(f"{role}: {error}\n")
        return 1
    return 0


async def _until_told(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await work(stop)


async def _nameserver(options: NameserverRole, stop: asyncio.Event) -> None:
    keys = (read_key_file(Path(path)) for path in options.keys)
    server = Nameserver(
        ServerOptions(
            zones=tuple(ZoneOptions(**_with_path(zone)) for zone in options.zones),
            keys=tuple(UpdateKey(name=key.name, secret=key.secret, algorithm=key.algorithm) for key in keys),
            journal=Path(options.journal),
            route53_aliases=options.route53_aliases,
        )
    )
    await server.start()
    ready = Path(options.ready)
    beside = ready.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps({"port": server.port}), encoding="utf-8")
    beside.replace(ready)
    await stop.wait()
    await server.stop()


def _with_path(zone: dict[str, Any]) -> dict[str, Any]:
    return {key: Path(value) if key == "file" else value for key, value in zone.items()}


async def _control(role: str, options: ControlRole, stop: asyncio.Event) -> None:
    settings = load(Path(options.config))
    trace = Trace(Path(options.trace), role=role)

    def wrap(carry_out: CarryOut) -> CarryOut:
        carry_out = carry_out if options.fence else unfenced(carry_out)
        return held(carry_out, role=role, folder=Path(options.holds), trace=trace)

    await _run(role, settings, options, wrap, stop)


async def _run(role: str, settings: Settings, options: ControlRole, wrap: run.Wrap, stop: asyncio.Event) -> None:
    kind = role.partition("-")[0]
    if kind == "planner":
        await run.run_planner(settings, name=role, wrap=wrap, stop=stop, tell=_tell)
    elif kind == "janitor":
        await run.run_janitor(settings, name=role, wrap=wrap, stop=stop, tell=_tell)
    elif kind == "prober":

        def dial(address: str, port: int) -> tuple[str, int]:
            mapped = options.address_map.get(address, (address, port))
            return mapped[0], mapped[1]

        await run.run_prober(settings, name=role, stop=stop, tell=_tell, dial=dial)
    else:
        await run.run_enactor(settings, name=role, wrap=wrap, stop=stop, tell=_tell)


def _tell(notice: Notice) -> None:
    sys.stderr.write(f"{notice}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
