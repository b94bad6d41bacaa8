"""The time axis that all plots of an act share: one second is as wide in each of them, so they can be read downwards.

Plots stretch with the page (`preserveAspectRatio="none"`), so their text cannot be in them: a phone would shrink it to
nothing. Numbers stand beside, as HTML placed in percent of the width.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from outlast.drill.html.markup import Markup, tag

WIDTH = 1000.0
"""Units of every plot's width, however many pixels that is."""
TICKS_MAX = 7
"""More would touch each other on a phone."""
STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)


class Phase(NamedTuple):
    """A part of an act, in seconds since the act's begin."""

    name: str
    begin: float
    end: float


class Axis(NamedTuple):
    """Seconds from 0 to `span`."""

    span: float

    def x(self, at: float) -> float:
        """Units from the left edge; what is outside stands at the edge."""
        return round(min(max(at / self.span, 0.0), 1.0) * WIDTH, 2)

    def percent(self, at: float) -> float:
        return round(self.x(at) / WIDTH * 100, 2)

    def ticks(self) -> list[int]:
        """Whole seconds to be written below."""
        step = next((step for step in STEPS if self.span / step <= TICKS_MAX), STEPS[-1])
        return list(range(0, math.floor(self.span) + 1, step))


def axis_of(act: Mapping[str, Any]) -> Axis:
    """The axis of an act: long enough for its last second and its last sentence, at least one second."""
    ends = [float(act.get("seconds") or 0.0)]
    ends += [float(second["second"]) + 1 for group in act.get("groups", ()) for second in group.get("seconds", ())]
    ends += [float(item["second"]) + 1 for group in act.get("groups", ()) for item in group.get("queue", ())]
    return Axis(max(1.0, *ends))


def phases_of(act: Mapping[str, Any], span: float) -> list[Phase]:
    """The phases of an act. A result without a list of them has them from the first sentence told in each."""
    begins: list[tuple[str, float]] = []
    for item in act.get("phases") or act.get("story", ()):
        name = str(item.get("name") or item.get("phase") or "")
        if not begins or begins[-1][0] != name:
            begins.append((name, min(max(0.0, float(item["at_s"])), span)))
    ends = ([begin for _, begin in begins] + [span])[1:]
    return [Phase(name, begin, end) for (name, begin), end in zip(begins, ends, strict=True) if end > begin]


def ruler(axis: Axis) -> Markup:
    """The numbers below the plots. Screen readers have the tables."""
    ticks = [tag("span", f"{tick} s", style=f"left:{axis.percent(tick)}%") for tick in axis.ticks()]
    return tag("div", *ticks, class_="ruler", aria_hidden="true")


def bands(phases: Sequence[Phase], axis: Axis) -> list[Markup]:
    """A faint background behind every other phase, and a line where each begins; for the plots' insides."""
    found = []
    for number, phase in enumerate(phases):
        left, right = axis.x(phase.begin), axis.x(phase.end)
        if number % 2:
            found.append(tag("rect", x=left, y=0, width=round(right - left, 2), height=100, class_="band"))
        if number:
            found.append(tag("line", x1=left, x2=left, y1=0, y2=100, class_="edge"))
    return found
