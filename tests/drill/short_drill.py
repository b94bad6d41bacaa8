"""`python short_drill.py '{"acts": ["fenced"]}'`: the drill as `outlast drill` runs it, shortened; options as JSON.

The command has no option for this on purpose: a shortened drill proves less.
"""

import json
import sys
from pathlib import Path

from outlast.interrupts import uninterrupted


def main() -> int:
    """Run it; return its exit status."""
    try:
        with uninterrupted():
            from rich.console import Console  # noqa: PLC0415  as the command does: Ctrl-C may come this early

            from outlast.drill import scale  # noqa: PLC0415  as above
            from outlast.drill.main import DrillOptions, run_drill  # noqa: PLC0415  as above

        told = json.loads(sys.argv[1])
        json_file = Path(told.pop("json_file")) if "json_file" in told else None
        options = DrillOptions(pace=scale.SHORT, json_file=json_file, acts=tuple(told.pop("acts", ())), **told)
        return run_drill(options, Console())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
