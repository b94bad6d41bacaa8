"""A plan: for every endpoint the content it shall have, and since which generation. A value; applying it is others' job.

Text that is not a whole, safe plan cannot become one (`Plan.from_json`): the second door of "never empty".

As text a plan is one JSON document with a line for each entry. Plans differ in few entries, so an entry remembers its line,
and whoever reads a plan while holding another takes over the entries whose lines are the same: after a change of a hundred
endpoints among a hundred thousand, a hundred are written out and read, the rest only compared.
"""

import json
from dataclasses import dataclass, field
from operator import lt
from typing import Any, NamedTuple, TypeVar

from outlast.errors import UnsafePlan
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.sentinel import MAX_COUNT
from outlast.traffic.topology import NO_EDITION, Edition
from outlast.uncollected import uncollected

Kind = TypeVar("Kind")

FORMAT = 1
_END = "]}"
MAX_WITHHELD = 1024
"""Addresses remembered as left out, for each endpoint. The oldest that nobody configures any more go first."""


class Withheld(NamedTuple):
    """An address that is not published, why, and since when (wall clock, nanoseconds)."""

    address: str
    reason: str
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One endpoint's part of a plan.

    `generation` is that of the plan in which the endpoint last changed, so that an unchanged endpoint asks for no write.
    `withheld` names the evidence for each address that left: the last hop refuses a removal that nothing explains.
    `shortage` says why it is too little for the load, empty if it is not. `waits_for` names the canary after which an
    edit's removals follow here, and `trimmed` is when an edit last took addresses away (wall clock, nanoseconds).
    `configured` is the digest of what it was planned from (`edition`), empty if that is not known.
    """

    endpoint: str
    generation: int
    content: Content
    min_addresses: int = 1
    withheld: tuple[Withheld, ...] = ()
    shortage: str = ""
    waits_for: str = ""
    trimmed: int = 0
    configured: str = ""
    _line: str = field(default="", init=False, repr=False, compare=False)
    suits: object = field(default=None, init=False, repr=False, compare=False)
    """The endpoint of which `planning` has found that all it configures is in this entry; `None` if it has not looked."""

    def __post_init__(self) -> None:
        if not 1 <= self.generation <= MAX_COUNT:
            raise UnsafePlan(f"{self.endpoint}: generation {self.generation} is not within 1 and {MAX_COUNT}")
        count = len(self.content.addresses)
        if count < self.min_addresses and "CNAME" not in {item.type for item in self.content.sets}:
            raise UnsafePlan(
                f"{self.endpoint}: {count} addresses, fewer than min_addresses = {self.min_addresses}",
                hint="bring targets back or lower min_addresses",
            )
        if len(self.withheld) > MAX_WITHHELD:
            raise UnsafePlan(f"{self.endpoint}: more than {MAX_WITHHELD} withheld addresses")

    @property
    def digest(self) -> str:
        return self.content.digest

    @property
    def line(self) -> str:
        """The entry as JSON; written out once, since nothing in it can change."""
        if not self._line:
            object.__setattr__(self, "_line", json.dumps(_entry_to_dict(self), separators=(",", ":")))
        return self._line


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An immutable, ordered set of entries. `at` is the wall clock in nanoseconds; `reason` is for people.

    `edition` is that of the configuration that it follows.
    """

    realm: str
    generation: int
    entries: tuple[Entry, ...]
    at: int = 0
    by: str = ""
    reason: str = ""
    edition: Edition = NO_EDITION
    _by_name: dict[str, Entry] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        names = [entry.endpoint for entry in self.entries]
        if not all(map(lt, names, names[1:])):
            raise UnsafePlan("the entries of a plan are sorted by endpoint, each once")
        late = [entry.endpoint for entry in self.entries if entry.generation > self.generation]
        if late:
            raise UnsafePlan(f"entries newer than plan {self.generation}: {', '.join(late)}")
        object.__setattr__(self, "_by_name", dict(zip(names, self.entries, strict=True)))

    def entry(self, endpoint: str) -> Entry | None:
        return self._by_name.get(endpoint)

    @uncollected()
    def to_json(self) -> str:
        head = {
            "format": FORMAT,
            "realm": self.realm,
            "generation": self.generation,
            "at": self.at,
            "by": self.by,
            "reason": self.reason,
            "edition": self.edition,
            "entries": [],
        }
        lines = ",\n".join(entry.line for entry in self.entries)
        return f"{json.dumps(head, separators=(',', ':')).removesuffix(_END)}\n{lines}\n{_END}"

    @classmethod
    @uncollected()
    def from_json(cls, text: str, *, known: "Plan | None" = None) -> "Plan":
        """Read a plan back; entries that `known` has in the same words are taken from there.

        Raises:
            UnsafePlan: The text is not a plan of a known format, or the plan would be unsafe.

        """
        try:
            raw = _by_line(text, known) or json.loads(text)
            if _typed(raw, "format", int) != FORMAT:
                raise UnsafePlan(f"a plan of the unknown format {raw['format']!r}", hint="upgrade outlast here")
            return cls(
                realm=_typed(raw, "realm", str),
                generation=_typed(raw, "generation", int),
                at=_typed(raw, "at", int),
                by=_typed(raw, "by", str),
                reason=_typed(raw, "reason", str),
                edition=_edition_from_json(*raw.get("edition", ())),
                entries=tuple(
                    item if isinstance(item, Entry) else _entry_from_dict(item) for item in _typed(raw, "entries", list)
                ),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise UnsafePlan(f"not a plan: {error!r}", hint="the registry's copy is damaged; publish anew") from error


def _by_line(text: str, known: Plan | None) -> dict[str, Any] | None:
    """What JSON has, with known entries in place of their lines; `None` if the text does not have a line for each."""
    head, *lines = text.split("\n")
    if known is None or not lines or lines.pop() != _END or not head.endswith("["):
        return None
    raw: dict[str, Any] = json.loads(head + _END)
    if raw["entries"] != [] or not all(line.endswith(",") for line in lines[:-1]):
        return None
    there = {entry.line: entry for entry in known.entries}
    bare = (*(line[:-1] for line in lines[:-1]), *lines[-1:])
    return {**raw, "entries": [there.get(line) or json.loads(line) for line in bare if line]}


def sets_to_json(sets: tuple[RecordSet, ...]) -> list[list[Any]]:
    return [[item.type, item.ttl, list(item.values)] for item in sets]


def sets_from_json(raw: list[list[Any]]) -> tuple[RecordSet, ...]:
    """Read record sets back.

    Raises:
        TypeError, ValueError: The text is not what `sets_to_json` writes.

    """
    return tuple(_set_from_json(*item) for item in raw)


def _set_from_json(rdtype: object, ttl: object, values: list[object]) -> RecordSet:
    texts = [_exact("value", value, str) for value in _exact("values", values, list)]
    return RecordSet.of(_exact("type", rdtype, str), _exact("ttl", ttl, int), texts)


def _typed(raw: Any, key: str, kind: type[Kind]) -> Kind:
    return _exact(key, raw[key], kind)


def _exact(key: str, value: object, kind: type[Kind]) -> Kind:
    # JSON numbers may be fractions and truth values, and Python's checks would let them pass: a plan holds exact types.
    if type(value) is not kind:
        raise TypeError(f"{key} = {value!r} is not of the type {kind.__name__}")
    assert isinstance(value, kind)
    return value


def _entry_to_dict(entry: Entry) -> dict[str, Any]:
    seldom = {
        "shortage": entry.shortage,
        "waits_for": entry.waits_for,
        "trimmed": entry.trimmed,
        "configured": entry.configured,
    }
    return {
        "endpoint": entry.endpoint,
        "generation": entry.generation,
        "sets": entry.content.sets,
        "min_addresses": entry.min_addresses,
        "withheld": entry.withheld,
        **{key: value for key, value in seldom.items() if value},
    }


def _entry_from_dict(raw: dict[str, Any]) -> Entry:
    return Entry(
        endpoint=_typed(raw, "endpoint", str),
        generation=_typed(raw, "generation", int),
        content=Content(sets_from_json(_typed(raw, "sets", list))),
        min_addresses=_typed(raw, "min_addresses", int),
        withheld=tuple(_withheld_from_json(*item) for item in _typed(raw, "withheld", list)),
        shortage=_exact("shortage", raw.get("shortage", ""), str),
        waits_for=_exact("waits_for", raw.get("waits_for", ""), str),
        trimmed=_exact("trimmed", raw.get("trimmed", 0), int),
        configured=_exact("configured", raw.get("configured", ""), str),
    )


def _edition_from_json(digest: object = "", since: object = 0, by: object = "") -> Edition:
    return Edition(_exact("digest", digest, str), _exact("since", since, int), _exact("by", by, str))


def _withheld_from_json(address: object, reason: object, since: object) -> Withheld:
    return Withheld(_exact("address", address, str), _exact("reason", reason, str), _exact("since", since, int))
