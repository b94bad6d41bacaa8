"""How expectations are judged and worded."""

from outlast.drill.score import Expectation


def at_least(claim: str, value: float | None, bound: float, *, unit: str = "") -> Expectation:
    """The claim holds if something was measured and it is at least `bound`."""
    return _bounded(claim, value, f"≥ {bound:g}", held=value is not None and value >= bound, unit=unit)


def at_most(claim: str, value: float | None, bound: float, *, unit: str = "") -> Expectation:
    """The claim holds if something was measured and it is at most `bound`."""
    return _bounded(claim, value, f"≤ {bound:g}", held=value is not None and value <= bound, unit=unit)


def true(claim: str, measured: str, *, held: bool) -> Expectation:
    """The claim holds if the caller has found so; `measured` says on what."""
    return Expectation(claim=claim, measured=measured, held=held)


def cut(value: float | None) -> float | None:
    """A figure as it is shown: no more digits than it deserves."""
    return None if value is None else round(value, 2)


def _bounded(claim: str, value: float | None, bound: str, *, held: bool, unit: str) -> Expectation:
    shown = "nothing measured" if value is None else f"{value:g} {unit}".strip()
    return Expectation(claim=f"{claim}: {bound}", measured=shown, held=held)
