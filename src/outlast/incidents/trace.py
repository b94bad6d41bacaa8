"""What a role did and when: one JSON line before and one after each effect.

`monotonic` is in seconds of a clock that all processes of a machine share. `detail` has the fields of the effect,
`result` those of the event that answered it. Each line is flushed whole, so that it can be read while the role runs and
survives the role.
"""

import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

Effect = TypeVar("Effect")
Event = TypeVar("Event")

CarryOut = Callable[[Effect], Awaitable[Event | None]]

# Deeper than any effect of ours; what lies below is printed as text.
DEPTH_MAX = 6


class Trace:
    """A role's trace file, appended to.

    Args:
        path: The file; its folder must exist.
        role: Whose trace it is; one file may hold several.

    """

    def __init__(self, path: Path, *, role: str) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1)
        self.role = role

    def __repr__(self) -> str:
        return f"<Trace {self.role} {self._file.name}>"

    def write(self, phase: str, effect: object, answer: object | None = None) -> None:
        """Append one line: `phase` is `begin`, `end`, or a word of the caller's."""
        line: dict[str, Any] = {
            "monotonic": time.monotonic(),
            "role": self.role,
            "phase": phase,
            "effect": type(effect).__name__,
            "detail": named_fields(effect),
        }
        if answer is not None:
            result = named_fields(answer)
            line |= {"answer": type(answer).__name__, "result": result}
            line |= {key: result[key] for key in ("rcode",) if key in result}
        # One write per line: two processes that append to one file do not mix their lines.
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def traced(carry_out: CarryOut[Effect, Event], *, trace: Trace) -> CarryOut[Effect, Event]:
    """Wrap a driver's carry-out step so that each effect leaves its two lines."""

    async def carry_out_traced(effect: Effect) -> Event | None:
        trace.write("begin", effect)
        answer = await carry_out(effect)
        trace.write("end", effect, answer)
        return answer

    return carry_out_traced


def plain(value: object, depth: int = DEPTH_MAX) -> Any:
    """Turn a value into what JSON can say: fields of dataclasses and named tuples by name, the rest as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if depth == 0:
        return str(value)
    if is_dataclass(value) or hasattr(value, "_fields"):
        return named_fields(value, depth)
    if isinstance(value, dict):
        return {str(key): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item, depth - 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item, depth - 1) for item in value), key=str)
    return str(value)


def named_fields(value: object, depth: int = DEPTH_MAX) -> dict[str, Any]:
    """Take the fields of a dataclass or named tuple; of anything else there are none."""
    if is_dataclass(value):
        names: tuple[str, ...] = tuple(field.name for field in fields(value))
    else:
        names = getattr(value, "_fields", ())
    return {name: plain(getattr(value, name), depth - 1) for name in names}
