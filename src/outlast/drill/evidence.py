"""What the drill's processes wrote down, gathered while they write it.

Four kinds of witnesses: the clients (a line per call, and per write that a queue delivered later), the name server's journal (a line per version of a zone and per
refused transaction: the proof), the observer (samples from outside), and the traces of the roles.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from outlast.drill.tail import Line, Tail

_GENERATION = re.compile(r"\bgen=(\d+)\b")
_PLAN = re.compile(rb"plan-(\d+)")


class Version(NamedTuple):
    """One committed version of a zone, as far as one endpoint is concerned."""

    at: float
    addresses: tuple[str, ...]
    generation: int


class Refusal(NamedTuple):
    """One transaction that the name server refused."""

    at: float
    key: str
    rcode: str
    reason: str


class Evidence:
    """Everything written so far. `poll` reads what is new."""

    def __init__(self, *, groups: dict[str, Path], journal: Path, observer: Path, roles: dict[str, Path]) -> None:
        self._groups = {group: Tail(path) for group, path in groups.items()}
        self._journal = Tail(journal)
        self._observer = Tail(observer)
        self._roles = {role: Tail(path) for role, path in roles.items()}
        self.calls: dict[str, list[Line]] = {group: [] for group in groups}
        self.answers: dict[str, list[Line]] = {group: [] for group in groups}
        self.after: dict[str, dict[int, Line]] = {group: {} for group in groups}
        self.drained: dict[str, dict[str, Line]] = {group: {} for group in groups}
        self.journal: list[Line] = []
        self.samples: list[Line] = []
        self.doing: dict[str, Line] = {}
        self.ready: set[str] = set()

    def poll(self) -> None:
        """Read what has been written since the last poll."""
        for group, tail in self._groups.items():
            self._add_calls(group, tail.read())
        self.journal += self._journal.read()
        for line in self._observer.read():
            if line["event"] == "sample":
                self.samples.append(line)
            elif line["event"] == "ready":
                self.ready.add("observer")
        for role, tail in self._roles.items():
            for line in tail.read():
                self.doing[role] = line

    def _add_calls(self, group: str, lines: Iterable[Line]) -> None:
        for line in lines:
            if line["event"] == "call":
                self.calls[group].append(line)
            elif line["event"] == "answer":
                self.answers[group].append(line)
            elif line["event"] == "after":
                self.after[group][line["id"]] = line
            elif line["event"] == "drained":
                self.drained[group].setdefault(line["key"], line)
            elif line["event"] == "ready":
                self.ready.add(group)

    def versions(self, endpoint: str, *, since: float = 0.0) -> list[Version]:
        """Every committed version of the endpoint's zone in which its answer or its generation changed."""
        found: list[Version] = []
        addresses: tuple[str, ...] = ()
        generation = 0
        for line in self.journal:
            if line["outcome"] not in ("committed", "loaded"):
                continue
            addresses = _answered(line, endpoint, addresses)
            generation = _generation(line, endpoint, generation)
            version = Version(line["monotonic"], addresses, generation)
            if line["monotonic"] >= since and (not found or found[-1][1:] != version[1:]):
                found.append(version)
        return found

    def writer(self, endpoint: str) -> str:
        """The key of whoever moved the endpoint's sentinel last; empty if nobody did."""
        sentinel = f"_outlast.{endpoint}"
        for line in reversed(self.journal):
            names = {change["name"].rstrip(".") for change in line.get("changes", ())}
            if line["outcome"] == "committed" and sentinel in names:
                return _signer(line)
        return ""

    def refusals(self, *, since: float = 0.0) -> list[Refusal]:
        """Every transaction refused since then."""
        return [
            Refusal(line["monotonic"], _signer(line), line["rcode"], line.get("reason", ""))
            for line in self.journal
            if line["outcome"] == "refused" and line["monotonic"] >= since
        ]


def _signer(line: Line) -> str:
    return str(line.get("key") or "").rstrip(".")


def _answered(line: Line, endpoint: str, before: tuple[str, ...]) -> tuple[str, ...]:
    for name, families in line.get("answers", {}).items():
        if name.rstrip(".") == endpoint:
            return tuple(sorted(address for values in families.values() for address in values))
    return before


def _generation(line: Line, endpoint: str, before: int) -> int:
    # Ours stands in the sentinel; the hazard's is the plan that the top alias names.
    for change in line.get("changes", ()):
        name, text = change["name"].rstrip("."), " ".join(change["values"])
        if name == f"_outlast.{endpoint}" and (found := _GENERATION.search(text)):
            return int(found.group(1))
        if name == endpoint and change["type"] == "TYPE65280" and (plan := _PLAN.search(_generic(text))):
            return int(plan.group(1))
    return before


def _generic(text: str) -> bytes:
    # RFC 3597 section 5: \# length hex…
    parts = text.split()
    return bytes.fromhex("".join(parts[2:])) if parts[:1] == ["\\#"] else text.encode()
