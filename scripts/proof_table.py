"""Writes the table of guards into docs/PROOF.md, between its two marks. Run by `make docs`."""

from pathlib import Path

from outlast.simulator.plan_guards import GUARDS

PAGE = Path(__file__).parents[1] / "docs" / "PROOF.md"
BEGIN, END = "<!-- guards -->\n", "<!-- /guards -->"


def table() -> str:
    """One row for each guard: what it is, which draft lacked it, and the check that misses it."""
    rows = [f"| `{name}` | {guard.text} | {guard.row} | {guard.fault} |" for name, guard in GUARDS.items()]
    return "\n".join(("| `--without` | the guard | draft | found missing by |", "|---|---|---|---|", *rows)) + "\n"


def page(text: str) -> str:
    """The page with the table as it is now."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}{table()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
