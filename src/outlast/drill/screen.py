"""What a person sees while the drill runs: a live view in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from outlast.drill.names import ENACTORS, HAZARDS, JANITOR, PLANNERS
from outlast.drill.tail import Line

if TYPE_CHECKING:
    from outlast.drill.stage import Stage

REDRAW = 0.2
"""Seconds between two pictures; each costs some milliseconds of the cores that the clients need."""
HISTORY_SECONDS = 40
STORY_LINES = 8
BARS = " ▁▂▃▄▅▆▇█"
STATUS_EVERY = 2.0


class LineScreen:
    """One line per phase, sentence and two seconds: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def progress(self, text: str) -> None:
        self._print(f"[world] {text}")

    def act(self, name: str, title: str, *, seconds: float) -> None:
        self._print(f"\n== act {name}: {title} (about {seconds:g} s)")

    def phase(self, name: str) -> None:
        self._print(f"-- {name}")

    def tell(self, at: float, text: str) -> None:
        self._print(f"{at:6.1f} s  {text}")

    def draw(self, stage: "Stage") -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + STATUS_EVERY
        groups = ", ".join(f"{group} {_now_text(_per_second(stage, group))}" for group in stage.world.evidence.calls)
        self._print(f"{stage.elapsed:6.1f} s  [{groups}]  DNS: {_answer(stage)}")

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


class LiveScreen:
    """The view of a terminal, drawn over itself."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._next = 0.0
        self._act = self._title = self._phase = ""
        self._seconds = 1.0
        self._story: list[Text] = []

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._live.__exit__(None, None, None)

    def progress(self, text: str) -> None:
        self._live.update(Panel(Text(f"{text} …"), title="outlast drill"), refresh=True)

    def act(self, name: str, title: str, *, seconds: float) -> None:
        self._act, self._title, self._seconds = name, title, seconds
        self._story = []

    def phase(self, name: str) -> None:
        self._phase = name

    def tell(self, at: float, text: str) -> None:
        self._story.append(Text.assemble((f"{at:5.1f} s  ", "dim"), text))

    def draw(self, stage: "Stage") -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REDRAW
        self._live.update(self._picture(stage), refresh=True)

    def _picture(self, stage: "Stage") -> RenderableType:
        progress = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=self._seconds, completed=min(stage.elapsed, self._seconds), width=40)
        progress.add_row(Text(f"{stage.elapsed:5.1f} s"), bar, Text(f"phase: {self._phase}", style="bold"))
        parts: list[RenderableType] = [
            progress,
            Text(),
            _groups(stage),
            Text(),
            _dns(stage),
            _roles(stage),
            Text(),
            *self._story[-STORY_LINES:],
        ]
        return Panel(Group(*parts), title=f"outlast drill · act {self._act}: {self._title}", title_align="left")


def _groups(stage: "Stage") -> Table:
    table = Table.grid(padding=(0, 2))
    for group in stage.world.evidence.calls:
        seconds = _per_second(stage, group)
        bars = Text("".join(BARS[round(share * (len(BARS) - 1))] if share is not None else " " for share in seconds))
        table.add_row(Text(group, style="bold"), bars, Text(_now_text(seconds)))
    return table


def _per_second(stage: "Stage", group: str) -> list[float | None]:
    """The share of calls answered in each of the last seconds, the newest last; `None` for a second without calls."""
    calls: Counter[int] = Counter()
    answered: Counter[int] = Counter()
    for call in _recent(stage.world.evidence.calls[group], stage.start):
        second = int(call["scheduled"] - stage.start)
        calls[second] += 1
        answered[second] += bool(call["ok"])
    last = int(stage.elapsed)
    return [answered[s] / calls[s] if calls[s] else None for s in range(max(0, last - HISTORY_SECONDS), last + 1)]


def _recent(calls: Sequence[Line], start: float) -> list[Line]:
    oldest = max(start, time.monotonic() - HISTORY_SECONDS - 2)
    recent = []
    for call in reversed(calls):
        # Lines come in the order of their ends; a call may end some seconds after a younger one.
        if call["ended"] < oldest:
            break
        if call["scheduled"] >= start:
            recent.append(call)
    return recent


def _now_text(seconds: Sequence[float | None]) -> str:
    counted = [share for share in seconds if share is not None]
    return f"{counted[-1]:4.0%} answered" if counted else "no answers yet"


def _answer(stage: "Stage") -> str:
    versions = stage.world.evidence.versions(stage.endpoint)
    if not any(version.addresses for version in versions):
        return "nothing yet"
    return f"{' '.join(versions[-1].addresses) or 'EMPTY'} (generation {versions[-1].generation})"


def _dns(stage: "Stage") -> Text:
    answer = _answer(stage)
    style = "bold red" if answer.startswith("EMPTY") else "bold green"
    return Text.assemble(f"DNS answers now for {stage.endpoint}: ", (answer, style))


def _roles(stage: "Stage") -> Table:
    table = Table.grid(padding=(0, 2))
    ours = stage.name != "history"
    for role in (*ENACTORS, *PLANNERS, JANITOR) if ours else HAZARDS:
        line = stage.world.evidence.doing.get(role)
        text, style = ("not started", "dim") if line is None else _doing(line)
        table.add_row(Text(role), Text(text, style=style))
    return table


def _doing(line: Line) -> tuple[str, str]:
    detail = line.get("detail", {})
    plan = detail.get("plan") or detail.get("transaction", {}).get("sentinel", {}).get("gen")
    what = f"{line['effect']}{f' of {plan}' if isinstance(plan, int) else ''}"
    match line["phase"]:
        case "held":
            return f"STOPPED before {what}", "bold yellow"
        case "begin":
            return f"{what} …", ""
        case _:
            return f"{what}: {line.get('answer', line['phase'])}", "red" if "Refused" in line.get("answer", "") else ""
