"""`outlast drill --trace` with what cannot be played: refused before anything is started."""

from pathlib import Path

from command_world import Run


def test_a_script_is_played_alone(run: Run) -> None:
    """Each option that is about acts is named."""
    done = run("drill", "us-east-1-2026", "--trace", "x.json", "--act", "history", "--seed", "0")

    assert 2 == done.returncode
    assert ["SCENARIO", "--act", "--seed"] == [line.split()[1] for line in done.stderr.splitlines()]


def test_a_script_that_is_not_there_or_none(run: Run) -> None:
    """The file is named, and what is wrong with it; so is a result that could not be written."""
    missing = run("drill", "--trace", "x.json")
    Path("x.json").write_text('{"version": 9}')
    newer = run("drill", "--trace", "x.json")
    homeless = run("drill", "--trace", "x.json", "--json", "no/r.json")

    assert [2, 2, 2] == [done.returncode for done in (missing, newer, homeless)]
    assert "x.json: No such file or directory; write one with outlast verify --script" in missing.stderr
    assert "x.json: version = 9: this outlast plays version 1" in newer.stderr
    assert "--json no/r.json: there is no folder no" in homeless.stderr
    assert ["x.json"] == [path.name for path in Path.cwd().iterdir()]
