"""Tables: the figures behind the plots, the groups side by side, expectations, factors."""

from collections.abc import Mapping, Sequence
from typing import Any

from outlast.drill.ablation import BASES
from outlast.drill.html.markup import Child, Markup, tag
from outlast.drill.html.words import ABSENT, column, figure, keys_of, number, share

WIDTH_OF_BAR = 100


def table(caption: str, head: Sequence[Child], rows: Sequence[Sequence[Child]], *, kind: str = "") -> Markup:
    """A table that scrolls by itself where the page is too narrow. The first cell of each row names it."""
    body = [
        tag("tr", tag("th", cells[0], scope="row"), *(tag("td", cell) for cell in cells[1:])) for cells in rows if cells
    ]
    made = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head))),
        tag("tbody", *body),
        class_=kind or None,
    )
    # Focusable, so that it can be scrolled with the keyboard as well.
    return tag("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def folded(summary: str, *content: Child) -> Markup:
    """Something to unfold."""
    return tag("details", tag("summary", summary), *content)


def overview(acts: Sequence[Mapping[str, Any]]) -> Markup:
    """Who was answered how often, group by group and act by act."""
    names = dict.fromkeys(str(group["group"]) for act in acts for group in act.get("groups", ()))
    rows: list[list[Child]] = []
    for name in names:
        cells: list[Child] = [tag("b", name)]
        for act in acts:
            found = next((group for group in act.get("groups", ()) if group["group"] == name), None)
            cells.append(_meter(found.get("availability")) if found is not None else ABSENT)
        rows.append(cells)
    links = (tag("a", str(act["name"]), href=f"#act-{index}") for index, act in enumerate(acts, 1))
    head: list[Child] = ["group of clients", *links]
    return table("Calls answered correctly within the deadline", head, rows, kind="overview")


def _meter(value: float | None) -> Markup:
    filled = round((value or 0.0) * WIDTH_OF_BAR, 1)
    bar = tag("span", tag("span", style=f"width:{filled}%", class_="fill"), class_="meter", aria_hidden="true")
    return tag("span", tag("span", share(value), class_="value"), bar, class_="metered")


def ablation(act: Mapping[str, Any]) -> Markup:
    """Every figure of every group of an act: a row for each figure, so that groups stand side by side."""
    groups = list(act.get("groups", ()))
    rows: list[list[Child]] = [
        [column(key), *(figure(key, group.get(key)) for group in groups)] for key in keys_of(groups)
    ]
    head: list[Child] = ["", *(tag("b", str(group["group"])) for group in groups)]
    return table("What each piece bought, group beside group", head, rows, kind="figures")


def bought(act: Mapping[str, Any]) -> Markup | None:
    """What each group has over the one that has a piece less, in points of availability."""
    shares = {str(group["group"]): group.get("availability") for group in act.get("groups", ())}
    lines = []
    for name, (base, piece) in BASES.items():
        with_it, without = shares.get(name), shares.get(base)
        if with_it is not None and without is not None:
            points = tag("b", f"{(with_it - without) * 100:+.1f} points")
            lines.append(tag("li", points, f" {piece}: {name} over {base}"))
    return tag("ul", *lines, class_="bought") if lines else None


def per_second(act: Mapping[str, Any]) -> Markup:
    """The figures behind the availability plots."""
    groups = list(act.get("groups", ()))
    seconds = sorted({int(item["second"]) for group in groups for item in group.get("seconds", ())})
    counts = [{int(item["second"]): item for item in group.get("seconds", ())} for group in groups]
    rows: list[list[Child]] = [[number(second), *(_count(found.get(second)) for found in counts)] for second in seconds]
    head: list[Child] = ["second", *(str(group["group"]) for group in groups)]
    return folded("The figures as a table", table("Calls answered, of those scheduled in each second", head, rows))


def _count(item: Mapping[str, Any] | None) -> str:
    return f"{item['ok']} of {item['calls']}" if item is not None else ABSENT


def dns_states(act: Mapping[str, Any]) -> Markup:
    """The figures behind the DNS plot."""
    rows: list[list[Child]] = [
        [number(float(state["at_s"])), ", ".join(state["addresses"]) or "no address", number(int(state["generation"]))]
        for state in act.get("dns", ())
    ]
    head = ("seconds", "answer", "generation")
    return folded("The answers as a table", table("What DNS answered, from when on", head, rows))


def expectations(items: Sequence[Mapping[str, Any]]) -> Markup:
    """Each claim with what was measured; failed ones first."""
    ordered = sorted(items, key=lambda item: bool(item["held"]))
    lines = [
        tag(
            "li",
            tag("span", "✓ held" if item["held"] else "✗ FAILED", class_="mark"),
            tag("span", tag("span", item["claim"]), tag("small", item["measured"]), class_="claim"),
            class_="held-claim" if item["held"] else "failed-claim",
        )
        for item in ordered
    ]
    return tag("ul", *lines, class_="claims")


def factors(result: Mapping[str, Any]) -> Markup:
    """Everything that is smaller, shorter or other than it was."""
    pairs = [
        tag("div", tag("dt", name.replace("_", " ")), tag("dd", str(text)))
        for name, text in result.get("factors", {}).items()
    ]
    return tag("dl", *pairs, class_="factors")
