"""The command line of the hazard roles."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from outlast.errors import InvalidConfig, OutlastError
from outlast.incidents.options import EnactorOptions, PlannerOptions, read
from outlast.incidents.roles import Wrap, run_enactor, run_planner
from outlast.incidents.trace import CarryOut, Trace, traced
from outlast.system_clock import SystemClock

DESCRIPTION = """\
Hazard mode: the DNS automation of 2025-10-20, to be broken.
It can never be configured for real use: it talks to a nameserver on loopback only, publishes only loopback and
documentation addresses, and needs the private alias type of the drill's nameserver.
"""

EXAMPLE = """\
example of an enactor's file:
  {"role": "a", "nameserver": "127.0.0.1", "port": 5300, "zone": "example.test.", "plans": "plans",
   "key_name": "drill.", "key_secret": "c2VjcmV0c2VjcmV0c2VjcmV0", "trace": "a.jsonl"}
example of a planner's file:
  {"plans": "plans", "first": 109, "ceiling": 145, "every": 0.1,
   "endpoints": {"db.example.test.": ["127.0.1.1", "127.0.1.2"]}}
"""


class Watch(Protocol):
    """Puts something around a driver's carry-out step that writes to the role's trace."""

    def __call__(self, carry_out: CarryOut[Any, Any], *, trace: Trace) -> CarryOut[Any, Any]: ...


INVALID_OPTIONS = 2
INTERRUPTED = 130


def parser(prog: str) -> argparse.ArgumentParser:
    """Build the parser of `role`, `--options` and `--once`."""
    arguments = argparse.ArgumentParser(
        prog, description=DESCRIPTION, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("role", choices=("enactor", "planner"), help="which machine to run")
    arguments.add_argument("--options", type=Path, required=True, metavar="FILE", help="its settings, JSON")
    arguments.add_argument("--once", action="store_true", help="one walk (enactor), or up to the ceiling (planner)")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run a role until it is ended; return the exit status."""
    arguments = parser("python -m outlast.incidents").parse_args(argv)
    return run(arguments, traced)


def run(arguments: argparse.Namespace, watch: Watch) -> int:
    """Run the role that `arguments` name, with `watch` around its carry-out step; return the exit status."""
    try:
        asyncio.run(_serve(arguments, watch))
    except InvalidConfig as error:
        sys.stderr.write(f"{error}\n")
        return INVALID_OPTIONS
    except (OutlastError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


async def _serve(arguments: argparse.Namespace, watch: Watch) -> None:
    options: EnactorOptions | PlannerOptions
    if arguments.role == "enactor":
        options = read(EnactorOptions, arguments.options)
    else:
        options = read(PlannerOptions, arguments.options)
    with contextlib.closing(Trace(Path(options.trace or os.devnull), role=options.role)) as trace:
        await _run_role(options, partial(watch, trace=trace), once=arguments.once)


async def _run_role(options: EnactorOptions | PlannerOptions, wrap: Wrap, *, once: bool) -> None:
    if isinstance(options, EnactorOptions):
        await run_enactor(options, SystemClock(), wrap=wrap, once=once)
    else:
        await run_planner(options, wrap=wrap, once=once)
