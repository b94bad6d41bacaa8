"""`outlast verify --script` and `--stops`: a trace as a script that `outlast drill --trace` plays on real processes."""

import sys
from pathlib import Path

from outlast.cli.output import put, put_json
from outlast.drill.replay.reading import read
from outlast.drill.replay.script import Script, to_json
from outlast.drill.replay.stops import Stops
from outlast.errors import Refused
from outlast.simulator.protocol import Verdict
from outlast.simulator.tracing import Line


def check_target(path: Path) -> None:
    """See that a script can be written there, before it is sought.

    Raises:
        Refused: It cannot.

    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise Refused(f"--script {path}: no file can be there", hint="name a file in a folder that is there")


def write_script(path: Path, script: Script) -> None:
    """Write a script, and say how it is played.

    Raises:
        Refused: It cannot be written there.

    """
    try:
        path.write_text(to_json(script), encoding="utf-8")
    except OSError as error:
        raise Refused(f"--script {path}: {error.strerror}", hint="name a file that may be written") from error
    sys.stderr.write(f"{len(script.steps)} steps written; play them with: outlast drill --trace {path}\n")


def follow(stops: Path, path: Path | None, *, is_outlast: bool, as_json: bool) -> Verdict:
    """Lead outlast's machines through the stops of a script of aws-2025, tell it, and write it if `path` is given.

    Raises:
        InvalidConfig: The script has faults.
        Refused: It is none of aws-2025, or the result cannot be written.

    """
    if not is_outlast:
        raise Refused("--stops leads the machines of outlast", hint="take --protocol aws-2025 away")
    if path is not None:
        check_target(path)
    found = Stops(read(stops))
    if as_json:
        trace = [line._asdict() for line in found.lines]
        put_json({
            "protocol": "outlast", "verdict": str(found.verdict), "reason": found.reason, "refused": found.refused,
            "trace": trace,
        })  # fmt: skip
    else:
        put(f"{found.verdict}: {found.reason}")
        tell_trace(found.lines)
    if path is not None:
        write_script(path, found.script())
    return found.verdict


def tell_trace(lines: tuple[Line, ...]) -> None:
    """Print a trace: steps of one actor in a row belong together; what DNS answers is told where it changes."""
    actor, answer = "", ""
    for number, line in enumerate(lines, 1):
        changed = f"   DNS: {line.answer}" if line.answer != answer else ""
        put(f"{number:3} {line.actor if line.actor != actor else '':9} {line.step}{changed}")
        actor, answer = line.actor, line.answer
