"""Durations as people write them: `"250ms"`, `"5s"`, `"2m"`, `"24h"`, `"7d"`. One way to read them, wherever they stand."""

import re

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def seconds_of(text: str) -> float | None:
    """Return the seconds that `text` says; `None` if it is no duration: without a unit, negative, or with a blank."""
    found = _FORM.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else None
