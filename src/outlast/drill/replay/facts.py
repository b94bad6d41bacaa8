"""What a script says of an effect or an event, and what is compared.

The same few fields are taken from the explorer's values and from what a real role wrote down. Left out is what only time, chance or a machine's place decides: instants, the epoch of a lock, words of a refusal.
"""

from collections.abc import Callable
from typing import Any

from outlast.drill.replay.script import AWS_2025, Facts
from outlast.incidents.trace import named_fields
from outlast.traffic.sentinel import Sentinel, parse

HOLDERS = frozenset({"lock", "over", "value"})
"""Fields with the text of a lock: its holder, a space, and until when."""
PASSING = frozenset({"addresses", "reason", "after"})


def facts_of(protocol: str, value: object) -> Facts:
    """The facts of an effect or event itself."""
    return facts(protocol, type(value).__name__, named_fields(value))


def facts(protocol: str, name: str, fields: Facts) -> Facts:
    """The facts of an effect or event of that class, from its fields as a role's trace has them."""
    if protocol == AWS_2025:
        # Of a lock that is not there nobody can say whether its time is over.
        passing = PASSING | {"is_expired"} if fields.get("value") == "" else PASSING
        return {key: _of_2025(key, value) for key, value in fields.items() if key not in passing}
    reader = READERS.get(name)
    return reader(fields) if reader is not None else {}


def _of_2025(key: str, value: Any) -> Any:
    if key in HOLDERS:
        return value.partition(" ")[0]
    if key == "plan" and isinstance(value, dict):
        return value["number"]
    return sorted(value) if key == "numbers" else value


def _sentinel(fields: Facts | None) -> str:
    if fields is None:
        return "none"
    return f"gen={fields['gen']} n={fields['n']} st={fields['standing']} by={fields['by']}"


def _standing(texts: list[str]) -> str:
    seen = parse(tuple(texts))
    if isinstance(seen, Sentinel):
        return _sentinel(seen._asdict())
    return "none" if seen is None else "no sentinel of ours"


def _addresses(sets: list[Facts]) -> list[str]:
    return sorted(value for item in sets for value in item["values"])


def _commit(fields: Facts) -> Facts:
    transaction = fields["transaction"]
    return {
        "sentinel": _sentinel(transaction["sentinel"]),
        "addresses": _addresses(transaction["content"]["sets"]),
        "over": _standing(transaction["seen"]["sentinel"]),
    }


def _known(fields: Facts) -> Facts:
    known = fields["known"]
    entry, record = known["entry"], known["record"]
    return {
        "generation": entry["generation"] if entry is not None else 0,
        "record": _sentinel(record["sentinel"] if record is not None else None),
    }


def _live(fields: Facts) -> Facts:
    live = fields["live"]
    return {"sentinel": _standing(live["sentinel"]), "addresses": _addresses(live["sets"])}


READERS: dict[str, Callable[[Facts], Facts]] = {
    "ReadKnown": lambda fields: {"endpoint": fields["endpoint"]},
    "ReadLive": lambda fields: {"endpoint": fields["endpoint"]},
    "ReadSentinels": lambda fields: {"endpoints": [place["endpoint"] for place in fields["places"]]},
    "WriteRecord": lambda fields: {"sentinel": _sentinel(fields["record"]["sentinel"])},
    "Commit": _commit,
    "Publish": lambda fields: {"generation": fields["plan"]["generation"]},
    "Tombstone": lambda fields: {"generation": fields["generation"]},
    "DeletePlan": lambda fields: {"generation": fields["generation"]},
    "KnownRead": _known,
    "LiveRead": _live,
    "SentinelsRead": lambda fields: {"sentinels": [_standing(seen["texts"] or []) for seen in fields["sightings"]]},
    "RecordWritten": lambda fields: {"stored": fields["stored"]},
    "InputsRead": lambda fields: {"generation": fields["plan"]["generation"] if fields["plan"] is not None else 0},
    "PlansListed": lambda fields: {"generations": sorted(plan["generation"] for plan in fields["plans"])},
}
"""What is told of the plan protocol's words; of the others their name alone."""
