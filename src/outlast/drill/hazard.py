"""`python -m outlast.drill.hazard enactor|planner --options FILE --holds FOLDER`: a hazard role that can be held.

The same role as `python -m outlast.incidents` runs, with the drill's holds around its carry-out step.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outlast.drill.holds import held
from outlast.incidents.command import parser, run
from outlast.incidents.trace import CarryOut, Trace


def main(argv: Sequence[str] | None = None) -> int:
    """Run a hazard role that the drill can hold; return the exit status."""
    arguments = _parser().parse_args(argv)

    def watch(carry_out: CarryOut[Any, Any], *, trace: Trace) -> CarryOut[Any, Any]:
        return held(carry_out, role=trace.role, folder=arguments.holds, trace=trace)

    return run(arguments, watch)


def _parser() -> argparse.ArgumentParser:
    arguments = parser("python -m outlast.drill.hazard")
    arguments.add_argument(
        "--holds", type=Path, required=True, metavar="FOLDER", help="where the drill tells it to stop"
    )
    return arguments


if __name__ == "__main__":
    sys.exit(main())
