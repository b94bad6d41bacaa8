"""`outlast verify --script` and `--stops`: a trace as a script that `outlast drill --trace` plays on real processes."""

import sys
from pathlib import Path

from outlast.cli.output import put, put_json
from outlast.drill.replay.reading import read
from outlast.drill.replay.script import Script, to_json
from outlast.drill.replay.stops import Stops
from outlast.drill.replay.writing import script_of_2025
from outlast.errors import Refused
from outlast.incidents.exploration import HazardOptions
from outlast.simulator.protocol import Verdict
from outlast.simulator.tracing import Line
from outlast.simulator.verification import Report


def write_trace(path: Path, options: HazardOptions, report: Report) -> None:
    """Write the trace of a verification of aws-2025.

    Raises:
        Refused: There is no trace, or one that cannot be forced on real processes, or it cannot be written there.

    """
    if not report.steps:
        raise Refused(f"{report.verdict}: there is no trace to write", hint="take fewer guards or limits away")
    _write(path, script_of_2025(options, report.steps, shows=report.reason))


def follow(stops: Path, path: Path | None, *, is_outlast: bool, as_json: bool) -> Verdict:
    """Lead outlast's machines through the stops of a script of aws-2025, tell it, and write it if `path` is given.

    Raises:
        InvalidConfig: The script has faults.
        Refused: It is none of aws-2025, or the result cannot be written.

    """
    if not is_outlast:
        raise Refused("--stops leads the machines of outlast", hint="take --protocol aws-2025 away")
    found = Stops(read(stops))
    if path is not None:
        _write(path, found.script())
    if as_json:
        trace = [line._asdict() for line in found.lines]
        put_json({
            "protocol": "outlast", "verdict": str(found.verdict), "reason": found.reason, "refused": found.refused,
            "trace": trace,
        })  # fmt: skip
    else:
        put(f"{found.verdict}: {found.reason}")
        tell_trace(found.lines)
    return found.verdict


def tell_trace(lines: tuple[Line, ...]) -> None:
    """Print a trace: steps of one actor in a row belong together; what DNS answers is told where it changes."""
    actor, answer = "", ""
    for number, line in enumerate(lines, 1):
        changed = f"   DNS: {line.answer}" if line.answer != answer else ""
        put(f"{number:3} {line.actor if line.actor != actor else '':9} {line.step}{changed}")
        actor, answer = line.actor, line.answer


def _write(path: Path, script: Script) -> None:
    try:
        path.write_text(to_json(script), encoding="utf-8")
    except OSError as error:
        raise Refused(f"--script {path}: {error.strerror}", hint="name a file in a folder that is there") from error
    sys.stderr.write(f"{len(script.steps)} steps written; play them with: outlast drill --trace {path}\n")
