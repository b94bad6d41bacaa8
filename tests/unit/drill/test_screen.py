"""What a person sees, drawn without a terminal."""

import io
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from outlast.drill.evidence import Evidence
from outlast.drill.screen import LineScreen, LiveScreen

NAME = "db.example.test"


def stage(tmp_path: Path, *, act: str = "fenced", addresses: tuple[str, ...] = ("127.0.1.1",)) -> Any:
    """An act under way: one group with three answered calls of four, one version of the zone, one role at work."""
    evidence = Evidence(groups={"plain": tmp_path / "p"}, journal=tmp_path / "j", observer=tmp_path / "o", roles={})
    now = time.monotonic()
    ended = ((now - 0.4, True), (now - 0.3, False), (now - 0.2, True), (now - 0.1, True))
    evidence.calls["plain"] = [{"scheduled": now - 0.5, "ended": at, "ok": ok} for at, ok in ended]
    evidence.journal = [{"monotonic": 0.0, "outcome": "committed", "answers": {NAME: {"A": addresses}}}]
    detail = {"transaction": {"sentinel": {"gen": 7}}}
    evidence.doing = {
        "enactor-a": {"effect": "Commit", "phase": "held", "detail": detail},
        "enactor-b": {"effect": "Commit", "phase": "end", "answer": "Conflict", "detail": detail},
        "hazard-a": {"effect": "BuildTree", "phase": "begin", "detail": {"plan": 145}},
        "hazard-b": {"effect": "SwapTop", "phase": "end", "answer": "Refused", "detail": {"plan": 146}},
    }
    return SimpleNamespace(
        name=act, endpoint=NAME, start=now - 0.9, elapsed=0.9, world=SimpleNamespace(evidence=evidence)
    )


def live_picture(of: Any) -> str:
    """One picture of the live view."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120, height=40, color_system=None)
    screen = LiveScreen(console)
    screen.act("fenced", "a title", seconds=24.0)
    screen.phase("the others go on")
    screen.tell(1.5, "Something [bold]happened[/bold].")
    with console.capture() as captured:
        console.print(screen._picture(of))
    return captured.get()


def lines_of(of: Any) -> str:
    """What the line view prints."""
    out = io.StringIO()
    with LineScreen(out) as screen:
        screen.progress("starting")
        screen.act("fenced", "a title", seconds=24.0)
        screen.phase("the others go on")
        screen.tell(1.5, "Something happened.")
        screen.draw(of)
        screen.draw(of)
    return out.getvalue()


def test_live_view_shows_act_phase_groups_answer_and_roles(tmp_path: Path) -> None:
    """Everything a person needs to follow the act, in one picture."""
    picture = live_picture(stage(tmp_path))
    wanted = (
        "act fenced: a title",
        "phase: the others go on",
        "plain",
        "75% answered",
        f"DNS answers now for {NAME}: 127.0.1.1 (generation 0)",
        "STOPPED before Commit of 7",
        "Commit of 7: Conflict",
        "enactor-c",
        "not started",
        "Something [bold]happened[/bold].",
    )

    assert () == tuple(text for text in wanted if text not in picture)


def test_live_view_of_history_shows_the_hazard_roles(tmp_path: Path) -> None:
    """The roles of the act that plays, not ours."""
    picture = live_picture(stage(tmp_path, act="history"))

    assert (True, True, False) == (
        "BuildTree of 145 …" in picture,
        "SwapTop of 146: Refused" in picture,
        "enactor-a" in picture,
    )


@pytest.mark.parametrize("view", [live_picture, lines_of])
def test_empty_record_is_named(tmp_path: Path, view: Any) -> None:
    """EMPTY stands where the addresses were; a record that never had one is not called empty."""
    emptied = stage(tmp_path)
    gone = {"monotonic": 1.0, "outcome": "committed", "answers": {NAME: {"A": ()}}}
    emptied.world.evidence.journal.append(gone)

    assert (True, False) == (
        "EMPTY (generation 0)" in view(emptied),
        "EMPTY" in view(stage(tmp_path, addresses=())),
    )


def test_nothing_known_is_said(tmp_path: Path) -> None:
    """Before the first call and the first version there is nothing to show, and no fault."""
    fresh = stage(tmp_path)
    fresh.world.evidence.calls["plain"] = []
    fresh.world.evidence.journal = []
    picture = live_picture(fresh)

    assert (True, True) == ("no answers yet" in picture, "nothing yet" in picture)


def test_line_view_says_each_thing_once(tmp_path: Path) -> None:
    """One line for each event; the state in between only every two seconds."""
    lines = lines_of(stage(tmp_path)).splitlines()

    assert [
        "[world] starting",
        "",
        "== act fenced: a title (about 24 s)",
        "-- the others go on",
        "   1.5 s  Something happened.",
        "   0.9 s  [plain  75% answered]  DNS: 127.0.1.1 (generation 0)",
    ] == lines
