"""What is left at the end: the table of the acts side by side, a sentence for each, and the JSON."""

from typing import Any

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
    """Print factors, table, sentences and expectations."""
    console.print(Text("\nScaled down, and what stands for what:", style="bold"))
    for name, text in factors.items():
        console.print(Text(f"  {name}: {text}"), soft_wrap=True)
    console.print()
    console.print(_table(acts))
    for act in acts:
        console.print(Text.assemble((f"\n{act.name}: ", "bold"), act.proves), soft_wrap=True)
        for bought in ablation.lines_of(act):
            console.print(Text(f"  {bought}"), soft_wrap=True)
        for expectation in act.expectations:
            mark, style = ("held  ", "green") if expectation.held else ("FAILED", "bold red")
            line = Text.assemble("  ", (mark, style), f"  {expectation.claim}  [{expectation.measured}]")
            console.print(line, soft_wrap=True)


def _table(acts: list[ActScore]) -> Table:
    table = Table(title="The acts side by side", title_justify="left")
    table.add_column("")
    for act in acts:
        table.add_column(act.name, justify="right")
    for label, value in _ROWS:
        table.add_row(label, *(value(act) for act in acts))
    for group in dict.fromkeys(score.group for act in acts for score in act.groups):
        table.add_section()
        for label, of_group in _GROUP_ROWS:
            table.add_row(f"{group}: {label}", *(_of(act, group, of_group) for act in acts))
    return table


def _of(act: ActScore, group: str, value: Any) -> str:
    return next((value(score) for score in act.groups if score.group == group), "")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _expected(act: ActScore) -> str:
    return f"{sum(item.held for item in act.expectations)} of {len(act.expectations)}"


def _calls(score: GroupScore) -> str:
    return f"{score.calls} / {score.resolving_calls}"


def _writes(score: GroupScore) -> str:
    return f"{score.writes_acked} / {score.parked} / {score.drained}"


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
_GROUP_ROWS = (
    ("answered", lambda score: _share(score.availability)),
    ("answered, of those that had to resolve", lambda score: _share(score.availability_resolving)),
    ("calls / had to resolve", _calls),
    ("longest outage, s", lambda score: _number(score.longest_outage_s)),
    ("attempts per call", lambda score: _number(score.attempts_per_call)),
    ("p50 / p99 ms", lambda score: f"{_number(score.p50_ms)} / {_number(score.p99_ms)}"),
    ("writes acknowledged / parked / drained", _writes),
    ("writes lost / duplicated", lambda score: f"{_number(score.writes_lost)} / {_number(score.writes_duplicated)}"),
    ("failover, s", lambda score: _number(score.failover_s)),
)
