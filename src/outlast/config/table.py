"""One table of `outlast.toml`, read key by key. Faults are collected, never raised one by one.

A fault names file, table, key, value and what to write instead. Whatever is wrong is replaced by a stand-in so that
reading goes on and finds the other faults too; the caller raises once at the end and no stand-in gets out.
"""

import difflib
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from outlast.config.scalars import Misread
from outlast.errors import InvalidConfig

T = TypeVar("T")

_SECRET_KEY = re.compile("secret|passw", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"://[^/\s]*@|password\s*=", re.IGNORECASE)
"""An address with a user, and then often a password, or one spelt out."""
SHOWN_MAX = 60
"""Characters of a wrong value that are repeated; enough to recognise it."""


class Table:
    """A table and where it stands.

    Args:
        file: The file's name for messages.
        path: The table's keys from the root.
        values: What the file says.
        faults: Where faults are collected, shared by all tables of a file.

    """

    def __init__(self, file: str, path: tuple[str, ...], values: dict[str, Any], faults: list[str]) -> None:
        self._file = file
        self._path = path
        self._values = values
        self._faults = faults
        self._known: list[str] = []

    def __repr__(self) -> str:
        return f"<table {self._where} of {self._file}>"

    @property
    def _where(self) -> str:
        return f"[{'.'.join(_key(part) for part in self._path)}] " if self._path else ""

    def has(self, key: str) -> bool:
        """Whether the file says anything about `key`."""
        return key in self._values

    def names(self) -> tuple[str, ...]:
        """The keys of a table whose keys are names that the user chose; all of them become known."""
        self._known += self._values
        return tuple(self._values)

    def take(self, key: str, read: Callable[[object], T], default: T) -> T:
        """Read an optional key; a wrong value is a fault, and `default` stands in."""
        self._known.append(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except Misread as error:
            self.wrong(key, str(error))
            return default

    def demand(self, key: str, read: Callable[[object], T], stand_in: T, *, example: str) -> T:
        """Read a key that must be there; without it `example` is what the fault says to add."""
        if key not in self._values:
            self._known.append(key)
            self.fault(f"{_key(key)} is missing: add {example}")
            return stand_in
        return self.take(key, read, stand_in)

    def table(self, key: str) -> "Table":
        """Go into a table below; one that is missing is empty."""
        self._known.append(key)
        values = self._values.get(key, {})
        if not isinstance(values, dict):
            self.wrong(key, f"write it as a table, under [{'.'.join(_key(part) for part in (*self._path, key))}]")
            values = {}
        return Table(self._file, (*self._path, key), values, self._faults)

    def build(self, make: Callable[[], T]) -> T | None:
        """Construct options from what was read; what their own checks refuse becomes this table's faults."""
        try:
            return make()
        except InvalidConfig as error:
            for fault in error.faults:
                self.fault(fault)
            return None

    def wrong(self, key: str, fix: str) -> None:
        """Add a fault about the value of `key`."""
        # What might be a secret is not repeated: messages end in logs.
        value = self._values[key]
        shown = "…" if _SECRET_KEY.search(key) or _SECRET_VALUE.search(str(value)) else _shown(value)
        self.fault(f"{_key(key)} = {shown}: {fix}")

    def fault(self, words: str) -> None:
        """Add a fault of this table."""
        self._faults.append(f"{self._file}: {self._where}{words}")

    def finish(self) -> None:
        """Refuse every key that nobody asked for, with the nearest one that exists."""
        for key in self._values.keys() - set(self._known):
            near = difflib.get_close_matches(key, self._known, n=1)
            fix = f"did you mean {_key(near[0])}?" if near else f"there are: {', '.join(sorted(set(self._known)))}"
            self.wrong(key, f"unknown key; {fix}")


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else json.dumps(key)


def _has_user(value: object) -> bool:
    # A URL with a user in it has a password too.
    return isinstance(value, str) and "://" in value and "@" in value


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{…}"
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return shown if len(shown) <= SHOWN_MAX else shown[: SHOWN_MAX - 1] + "…"
