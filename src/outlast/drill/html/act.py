"""One act as a section: what it proves, its plots with their tables, its story, its expectations."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from outlast.drill.html import strips, tables
from outlast.drill.html.axis import Axis, Phase, axis_of, phases_of
from outlast.drill.html.markup import Child, Markup, tag
from outlast.drill.html.words import FACTS, figure, number


def section(act: Mapping[str, Any], *, number_of: int) -> Markup:
    """The act's part of the page; `number_of` makes its ids unique."""
    name = f"act-{number_of}"
    axis = axis_of(act)
    phases = phases_of(act, axis.span)
    return tag(
        "section",
        tag("p", f"Act {number_of}", class_="eyebrow"),
        tag("h2", act["name"], id=f"{name}-h"),
        tag("p", act["proves"], class_="proves"),
        _facts(act),
        _timeline(act, phases, axis, name=name),
        _queue(act, phases, axis, name=name),
        tag("h3", "What each piece bought"),
        tables.bought(act),
        tables.ablation(act),
        _attempts(act, name=name),
        _story(act),
        tag("h3", f"Expectations: {_held(act)}"),
        tables.expectations(act.get("expectations", ())),
        id=name,
        aria_labelledby=f"{name}-h",
        class_="act",
    )


def _held(act: Mapping[str, Any]) -> str:
    items = act.get("expectations", ())
    return f"{sum(bool(item['held']) for item in items)} of {len(items)} held"


def _facts(act: Mapping[str, Any]) -> Markup:
    facts = [
        tag("div", tag("dd", figure(key, act[key])), tag("dt", text))
        for key, text in FACTS.items()
        if act.get(key) is not None
    ]
    return tag("dl", *facts, class_="facts")


def _timeline(act: Mapping[str, Any], phases: Sequence[Phase], axis: Axis, *, name: str) -> Markup:
    rows = [strips.phase_row(phases, axis)] if phases else []
    states = act.get("dns", ())
    if states:
        rows += [_heading("DNS answers", act.get("endpoint"))]
        rows += strips.dns_rows(states, phases, axis, name=f"{name}-dns")
    rows += [_heading("Calls answered, per second", "full height is every call; the paler part went unanswered")]
    rows += [
        strips.availability_row(group, phases, axis, name=f"{name}-calls-{index}")
        for index, group in enumerate(act.get("groups", ()))
    ]
    return tag(
        "figure",
        tag("figcaption", f"{number(float(act['seconds']))} seconds, second by second"),
        strips.timeline(*rows, axis=axis),
        strips.phase_names(phases) if phases else None,
        tables.dns_states(act) if states else None,
        tables.per_second(act),
    )


def _heading(text: str, note: Child) -> Markup:
    return tag("p", tag("b", text), " " if note else None, tag("small", note) if note else None, class_="rows-heading")


def _queue(act: Mapping[str, Any], phases: Sequence[Phase], axis: Axis, *, name: str) -> Markup | None:
    groups = [group for group in act.get("groups", ()) if group.get("queue")]
    if not groups:
        return None
    rows = [strips.parked_row(group, phases, axis, name=f"{name}-queue-{index}") for index, group in enumerate(groups)]
    seconds: list[list[Child]] = [
        [str(group["group"]), number(float(item["second"])), number(float(item["parked"]))]
        for group in groups
        for item in group["queue"]
    ]
    caption = "Writes that wait in a queue, in each second"
    return tag(
        "figure",
        tag("figcaption", "The parked queue: writes accepted here and not yet by a region"),
        strips.timeline(*rows, axis=axis),
        tables.folded("The figures as a table", tables.table(caption, ("group", "second", "parked"), seconds)),
    )


def _attempts(act: Mapping[str, Any], *, name: str) -> Markup | None:
    groups = list(act.get("groups", ()))
    if not groups:
        return None
    return tag(
        "figure",
        tag("figcaption", "Attempts per call ", tag("small", "the line is one attempt: the load without retries")),
        tag("div", *strips.attempts_rows(groups, name=f"{name}-attempts"), class_="timeline"),
    )


def _story(act: Mapping[str, Any]) -> Markup | None:
    story = act.get("story", ())
    if not story:
        return None
    parts = []
    for phase, sentences in groupby(story, key=lambda item: str(item["phase"])):
        lines = [
            tag("li", tag("span", f"{float(item['at_s']):.1f} s", class_="at"), tag("span", item["text"]))
            for item in sentences
        ]
        parts.append(tag("li", tag("h4", phase), tag("ol", *lines, class_="steps")))
    return tag("div", tag("h3", "Step by step"), tag("ol", *parts, class_="story"))
