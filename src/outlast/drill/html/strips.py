"""The plots: rows with a label and a strip of SVG, all on one time axis.

Hand-sized SVG rather than a plotting library: four kinds of rectangles on one axis need no 3 MB of script in a file that
is mailed around, and rectangles keep titles, tables and colours of ours. Meaning is never in the colour alone: what is
answered has a height, what DNS says has a row of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from outlast.drill.html.axis import WIDTH, Axis, Phase, bands, ruler
from outlast.drill.html.markup import Child, Markup, tag
from outlast.drill.html.words import ABSENT, number, share

GAP = 0.08
"""Of a second, left free on both sides of its bar."""
LANES_MAX = 12
"""Addresses shown; the table has them all."""
LABEL_ROOM = 9.0
"""Percent of the width that a generation's label needs on a phone."""
LABELS_RIGHT = 75.0
"""Percent of the width beyond which a label stands to the left of its place."""


def plot(name: str, title: str, text: str, *marks: Child) -> Markup:
    """One SVG with a title and a description that screen readers read; `name` is unique on the page."""
    return tag(
        "svg",
        tag("title", title, id=f"{name}-t"),
        tag("desc", text, id=f"{name}-d"),
        *marks,
        viewBox=f"0 0 {WIDTH:g} 100",
        preserveAspectRatio="none",
        role="img",
        aria_labelledby=f"{name}-t {name}-d",
        id=name,
    )


def row(label: Child, content: Child, *, kind: str) -> Markup:
    """A label beside (on a phone, above) what it names."""
    return tag("div", tag("div", label, class_="label"), tag("div", content, class_="plot"), class_=f"row {kind}")


def phase_row(phases: Sequence[Phase], axis: Axis) -> Markup:
    """The phases as numbered boxes; their names stand below, where there is room for them."""
    boxes = [
        tag(
            "li",
            tag("b", index),
            " ",
            tag("span", phase.name),
            style=f"left:{axis.percent(phase.begin)}%;width:{axis.percent(phase.end - phase.begin)}%",
            title=f"{phase.name}: {number(round(phase.begin, 1))} to {number(round(phase.end, 1))} s",
        )
        for index, phase in enumerate(phases, 1)
    ]
    return row("phase", tag("ol", *boxes, class_="phases", aria_hidden="true"), kind="phase-row")


def phase_names(phases: Sequence[Phase]) -> Markup:
    """The phases by name and time."""
    items = [
        tag(
            "li",
            tag("b", f"{index} "),
            phase.name,
            " ",
            tag("small", f"{number(round(phase.begin, 1))} to {number(round(phase.end, 1))} s"),
        )
        for index, phase in enumerate(phases, 1)
    ]
    return tag("ol", *items, class_="legend")


def availability_row(group: Mapping[str, Any], phases: Sequence[Phase], axis: Axis, *, name: str) -> Markup:
    """One group's calls, second by second: the bar is what was answered, the rest of the column what was not."""
    marks: list[Child] = list(bands(phases, axis))
    for second in group.get("seconds", ()):
        marks += _column(second, axis)
    label = tag("span", tag("b", group["group"]), " ", tag("span", share(group.get("availability")), class_="value"))
    text = (
        f"{share(group.get('availability'))} of {number(group.get('calls', 0))} calls answered in time; "
        f"longest outage {number(group.get('longest_outage_s') or 0)} s."
    )
    return row(label, plot(name, f"{group['group']}: answered calls per second", text, *marks), kind="calls")


def _column(second: Mapping[str, Any], axis: Axis) -> list[Markup]:
    calls, ok, at = int(second["calls"]), int(second["ok"]), float(second["second"])
    if not calls:
        return []
    left = axis.x(at + GAP)
    width = round(axis.x(at + 1 - GAP) - left, 2)
    height = round(100 * ok / calls, 1)
    told = tag("title", f"second {number(at)}: {ok} of {calls} calls answered")
    missed = tag("rect", told, x=left, y=0, width=width, height=round(100 - height, 1), class_="missed")
    answered = tag("rect", told, x=left, y=round(100 - height, 1), width=width, height=height, class_="answered")
    return [part for part, tall in ((missed, height < 100), (answered, height > 0)) if tall]


def parked_row(group: Mapping[str, Any], phases: Sequence[Phase], axis: Axis, *, name: str) -> Markup:
    """The writes of a group that waited in its queue, second by second."""
    depths = [(float(item["second"]), float(item["parked"])) for item in group["queue"]]
    most = max([1.0, *(depth for _, depth in depths)])
    marks: list[Child] = list(bands(phases, axis))
    for at, depth in depths:
        left, height = axis.x(at + GAP), round(100 * depth / most, 1)
        told = tag("title", f"second {number(at)}: {number(depth)} writes in the queue")
        width = round(axis.x(at + 1 - GAP) - left, 2)
        marks.append(tag("rect", told, x=left, y=100 - height, width=width, height=height, class_="parked"))
    label = tag("span", tag("b", group["group"]), " ", tag("span", f"at most {number(most)}", class_="value"))
    text = f"At most {number(most)} writes waited at a time."
    return row(label, plot(name, f"{group['group']}: parked writes per second", text, *marks), kind="calls")


# ------------------------------------------------------------------------------------------------------------ DNS


def dns_rows(states: Sequence[Mapping[str, Any]], phases: Sequence[Phase], axis: Axis, *, name: str) -> list[Markup]:
    """What DNS answered: a row for each address and one for none, filled while it stood in the answer."""
    addresses = list(dict.fromkeys(address for state in states for address in state["addresses"]))
    lanes = [(address, address) for address in sorted(addresses)[:LANES_MAX]]
    if any(not state["addresses"] for state in states):
        lanes.append(("", "no address"))
    rows = [_generations(states, axis)]
    for index, (address, label) in enumerate(lanes):
        marks: list[Child] = list(bands(phases, axis))
        stays = _stays(states, address, axis.span)
        marks += [_stay(begin, end, axis, is_empty=not address) for begin, end in stays]
        times = ", ".join(f"{number(round(begin, 1))} to {number(round(end, 1))} s" for begin, end in stays)
        drawn = plot(f"{name}-{index}", f"DNS: {label}", f"Answered from {times}.", *marks)
        rows.append(row(tag("code" if address else "b", label), drawn, kind="lane"))
    return rows


def _stay(begin: float, end: float, axis: Axis, *, is_empty: bool) -> Markup:
    told = tag("title", f"{number(round(begin, 2))} to {number(round(end, 2))} s")
    width = round(max(axis.x(end) - axis.x(begin), 2.0), 2)  # a blink must be seen
    return tag("rect", told, x=axis.x(begin), y=0, width=width, height=100, class_="empty" if is_empty else "held")


def _stays(states: Sequence[Mapping[str, Any]], address: str, span: float) -> list[tuple[float, float]]:
    """When the answer had this address; the empty string asks when it had none."""
    found: list[tuple[float, float]] = []
    for index, state in enumerate(states):
        begin = max(0.0, float(state["at_s"]))
        end = min(span, float(states[index + 1]["at_s"]) if index + 1 < len(states) else span)
        is_there = address in state["addresses"] if address else not state["addresses"]
        if not is_there or end <= begin:
            continue
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found


def _generations(states: Sequence[Mapping[str, Any]], axis: Axis) -> Markup:
    """The generation that was live, where it changed; changes too close to be written apart share a label."""
    labels: list[tuple[float, list[int]]] = []
    last: int | None = None
    for state in states:
        at, generation = max(0.0, float(state["at_s"])), int(state["generation"])
        if generation == last or at > axis.span:
            continue
        last = generation
        if labels and axis.percent(at) - axis.percent(labels[-1][0]) < LABEL_ROOM:
            labels[-1][1].append(generation)
        else:
            labels.append((at, [generation]))
    spans = [_generation(axis.percent(at), found) for at, found in labels]
    return row("generation", tag("div", *spans, class_="marks", aria_hidden="true"), kind="generations")


def _generation(percent: float, found: list[int]) -> Markup:
    shown = [str(found[0]), "…", str(found[-1])] if len(found) > 2 else [str(item) for item in found]
    place = f"right:{round(100 - percent, 2)}%" if percent > LABELS_RIGHT else f"left:{percent}%"
    return tag("span", "→".join(shown), style=place, title=" → ".join(str(item) for item in found))


# -------------------------------------------------------------------------------------------------------- attempts


def attempts_rows(groups: Sequence[Mapping[str, Any]], *, name: str) -> list[Markup]:
    """Attempts per call of each group as bars from zero, and a line at one attempt."""
    most = max([2.0, *(float(group.get("attempts_per_call") or 0.0) for group in groups)])
    rows = []
    for index, group in enumerate(groups):
        value = group.get("attempts_per_call")
        shown = number(value) if value is not None else ABSENT
        one = round(WIDTH / most, 2)
        marks = [
            tag("rect", x=0, y=0, width=WIDTH, height=100, class_="track"),
            tag("rect", x=0, y=20, width=round(WIDTH * float(value or 0.0) / most, 2), height=60, class_="attempts"),
            tag("line", x1=one, x2=one, y1=0, y2=100, class_="one"),
        ]
        label = tag("span", tag("b", group["group"]), " ", tag("span", shown, class_="value"))
        text = f"{shown} attempts per call."
        rows.append(row(label, plot(f"{name}-{index}", f"{group['group']}: attempts", text, *marks), kind="bar"))
    return rows


def timeline(*rows: Markup, axis: Axis) -> Markup:
    """Rows over one ruler."""
    return tag("div", *rows, row("", ruler(axis), kind="axis"), class_="timeline")
