"""`make bench`: each benchmark side by side with its peers, in one run on one machine.

Figures of two machines or two days say nothing beside each other; the ratios printed do.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import explorer, failover, policy, spool, traffic, updates, zone_change

BENCHMARKS = {
    "policy": policy,
    "spool": spool,
    "updates": updates,
    "traffic": traffic,
    "zone_change": zone_change,
    "failover": failover,
    "explorer": explorer,
}


def main() -> int:
    """Run the benchmarks that the command line names, by default all; return the exit status."""
    parser = argparse.ArgumentParser("make bench", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument("--transactions", type=int, default=300, metavar="N", help="how much each measures (300)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results into FILE")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there is {', '.join(BENCHMARKS)}")
    if not 1 <= arguments.transactions <= 100_000:
        parser.error(f"--transactions {arguments.transactions} is not within 1 and 100000")
    results = []
    for name in arguments.names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="outlast-bench-") as folder:
            results.append(BENCHMARKS[name].run(arguments.transactions, Path(folder)))
        print("\n".join(BENCHMARKS[name].lines(results[-1])))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
