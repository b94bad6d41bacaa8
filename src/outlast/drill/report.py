"""What is left at the end: the acts side by side, the groups of each act, a sentence for each, and the JSON."""

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from outlast.drill import ablation
from outlast.drill.score import ActScore, GroupScore


def to_json(
    *, scenario: str, seed: int, factors: dict[str, Any], seconds: float, version: str, acts: list[ActScore]
) -> dict[str, Any]:
    """The whole result as plain values."""
    return {
        "scenario": scenario,
        "seed": seed,
        "factors": factors,
        "seconds": round(seconds, 1),
        "version": version,
        "acts": [act.to_dict() for act in acts],
    }


def show(console: Console, acts: list[ActScore], *, factors: dict[str, Any]) -> None:
    """Print factors, tables, sentences and expectations."""
    console.print(Text("\nScaled down, and what stands for what:", style="bold"))
    for name, text in factors.items():
        console.print(Text(f"  {name}: {text}"), soft_wrap=True)
    console.print()
    console.print(_acts(acts))
    console.print(_groups(acts))
    for act in acts:
        console.print(Text.assemble((f"\n{act.name}: ", "bold"), act.proves), soft_wrap=True)
        for bought in ablation.lines_of(act):
            console.print(Text(f"  {bought}"), soft_wrap=True)
        for expectation in act.expectations:
            mark, style = ("held  ", "green") if expectation.held else ("FAILED", "bold red")
            line = Text.assemble("  ", (mark, style), f"  {expectation.claim}  [{expectation.measured}]")
            console.print(line, soft_wrap=True)


def _acts(acts: list[ActScore]) -> Table:
    table = Table(title="The acts side by side", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    for act in acts:
        table.add_column(act.name, justify="right")
    for label, value in _ROWS:
        table.add_row(label, *(value(act) for act in acts))
    return table


def _groups(acts: list[ActScore]) -> Table:
    table = Table(title="The groups of clients in each act", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for label, _ in _GROUP_COLUMNS:
        table.add_column(label, justify="right", min_width=max(len(word) for word in label.splitlines()))
    for act in acts:
        table.add_section()
        table.add_row(Text(act.name, style="bold"))
        for score in act.groups:
            table.add_row(f" {score.group}", *(value(score) for _, value in _GROUP_COLUMNS))
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _expected(act: ActScore) -> str:
    return f"{sum(item.held for item in act.expectations)} of {len(act.expectations)}"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _parked(score: GroupScore) -> str:
    return f"{score.writes_acked} / {score.parked}"


_ROWS = (
    ("seconds", lambda act: _number(act.seconds)),
    ("zone versions / samples", lambda act: f"{act.zone_versions} / {act.samples}"),
    ("record empty, seconds", lambda act: _number(act.empty_seconds)),
    ("empty answers seen", lambda act: _number(act.empty_answers)),
    ("generations that went back", lambda act: _number(act.generation_regressions)),
    ("stale transactions refused", lambda act: _number(act.stale_refused)),
    ("transactions refused while stuck", lambda act: _number(act.stuck_transactions)),
    ("first success after repair, s", lambda act: _number(act.first_success_after_repair_s)),
    ("expectations held", _expected),
)
_GROUP_COLUMNS = (
    ("answered", lambda score: _share(score.availability)),
    ("outage\ns", lambda score: _number(score.longest_outage_s)),
    ("attempts\nper call", lambda score: "-" if score.attempts_per_call is None else f"{score.attempts_per_call:.2f}"),
    ("p99\nms", lambda score: _milliseconds(score.p99_ms)),
    ("acked /\nparked", _parked),
    ("lost /\ntwice", lambda score: f"{_number(score.writes_lost)} / {_number(score.writes_duplicated)}"),
)
"""Longest outage; attempts per call; writes acknowledged by a region, and parked; writes lost, and accepted twice."""
