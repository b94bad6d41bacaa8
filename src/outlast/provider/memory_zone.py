"""A hosted zone's record sets and what a change batch makes of them, as Route 53's documentation says. Pure.

Sources: API Reference, ChangeResourceRecordSets; Developer Guide, "Quotas", "DNS domain name format" and "Choosing a
routing policy". Messages are worded as users report them. Where the documentation is silent, the stricter reading is
taken, or an option has both.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from outlast.provider.route53_batch import MAX_CHARACTERS, MAX_RECORDS, Change
from outlast.provider.route53_client import ApiError
from outlast.provider.route53_sets import ApiSet, name_of

Key = tuple[str, str, str]
"""Owner name, type and `SetIdentifier`: what tells one set from another."""
Sets = Mapping[Key, ApiSet]

_ESCAPED = re.compile(r"[^a-z0-9._-]")


def listed_name(owner: str) -> str:
    r"""An owner name as the API lists it: octal escapes, and a dot at the end."""
    return _ESCAPED.sub(lambda match: f"\\{ord(match[0]):03o}", owner) + "."


def in_order(sets: Sets) -> list[ApiSet]:
    """Sets as ListResourceRecordSets sorts them."""
    return [sets[key] for key in sorted(sets, key=rank)]


def rank(key: Key) -> tuple[str, str, str]:
    """Where a set stands in the list: by the reversed labels of its name, then type, then identifier."""
    owner, rdtype, identifier = key
    return ".".join(reversed(owner.split("."))) + ".", rdtype, identifier


def key_of(item: ApiSet) -> Key:
    return name_of(item["Name"]), item["Type"], item.get("SetIdentifier", "")


def applied(zone: str, sets: Sets, batch: Sequence[Change], *, pairs_equals: bool = True) -> Sets:
    """The sets after the batch, each change made on what those before it left.

    Args:
        zone: The zone's name.
        sets: What stands in it.
        batch: The changes.
        pairs_equals: Whether DELETE and CREATE of equal values may stand in one batch; the documentation does not say.

    Raises:
        ApiError: InvalidChangeBatch, with all that is wrong; nothing is made.

    """
    faults = _limits(batch) + ([] if pairs_equals else _equal_pairs(batch))
    after, deleted = dict(sets), set[Key]()
    for change in batch:
        item = _stored(change["ResourceRecordSet"])
        key = key_of(item)
        match change["Action"]:
            case "DELETE":
                faults += _deletion_faults(after.get(key), item, again=key in deleted)
                deleted.add(key)
                after.pop(key, None)
            case "CREATE" if key in after:
                faults.append(f"Tried to create {_words(item)} but it already exists")
            case "CREATE" | "UPSERT":
                after.pop(key, None)
                faults += _creation_faults(zone, after, item)
                after[key] = item
            case unknown:
                raise ApiError("InvalidInput", f"unknown action {unknown}")
    if faults:
        raise ApiError("InvalidChangeBatch", f"[{', '.join(faults)}]")
    return after


def _stored(item: ApiSet) -> dict[str, Any]:
    if not item.get("ResourceRecords", True):
        raise ApiError("InvalidInput", f"{item['Name']} has no records")
    return {**item, "Name": listed_name(name_of(item["Name"]))}


def _words(item: ApiSet) -> str:
    identifier = f", set identifier='{item['SetIdentifier']}'" if "SetIdentifier" in item else ""
    return f"resource record set [name='{item['Name']}', type='{item['Type']}'{identifier}]"


def _deletion_faults(there: ApiSet | None, item: ApiSet, *, again: bool) -> list[str]:
    if again:
        what = f"{item['Type']} {item['Name']}"
        return [f"The request contains an invalid set of changes for a resource record set '{what}'"]
    if there is None:
        return [f"Tried to delete {_words(item)} but it was not found"]
    if _comparable(there) != _comparable(item):
        return [f"Tried to delete {_words(item)} but the values provided do not match the current values"]
    return []


def _comparable(item: ApiSet) -> dict[str, Any]:
    # The order of the values does not matter; their letters do.
    return {**item, "ResourceRecords": sorted(record["Value"] for record in item.get("ResourceRecords", ()))}


def _creation_faults(zone: str, others: Sets, item: ApiSet) -> list[str]:
    owner, rdtype, identifier = key_of(item)
    if owner != zone and not owner.endswith(f".{zone}"):
        return [f"RRSet with DNS name {item['Name']} is not permitted in zone {zone}."]
    faults = _target_faults(zone, others, item)
    if rdtype == "CNAME" and owner == zone:
        faults.append(f"RRSet of type CNAME with DNS name {item['Name']} is not permitted at apex in zone {zone}.")
    beside = [key for key in others if key[0] == owner]
    if any((key[1] == "CNAME") != (rdtype == "CNAME") for key in beside):
        what = f"RRSet of type {rdtype} with DNS name {item['Name']} is not permitted"
        faults.append(f"{what} as it conflicts with other records with the same DNS name in zone {zone}.")
    if any(key[1] == rdtype and bool(key[2]) != bool(identifier) for key in beside):
        what = f"RRSet with DNS name {item['Name']}, type {rdtype}"
        faults.append(f"{what} cannot be created as other RRSets exist with the same name and type")
    return faults


def _target_faults(zone: str, others: Sets, item: ApiSet) -> list[str]:
    target = name_of(item.get("AliasTarget", {}).get("DNSName", ""))
    lies_here = target == zone or target.endswith(f".{zone}")
    if not lies_here or any(key[:2] == (target, item["Type"]) for key in others):
        return []
    what = f"Tried to create an alias that targets {target}., type {item['Type']} in zone {zone}."
    return [f"{what}, but the alias target name was not found"]


def _limits(batch: Sequence[Change]) -> list[str]:
    records = characters = 0
    for change in batch:
        times = 2 if change["Action"] == "UPSERT" else 1
        values = [record["Value"] for record in change["ResourceRecordSet"].get("ResourceRecords", ())]
        records += times * len(values)
        characters += times * sum(map(len, values))
    faults = [f"Number of records limit of {MAX_RECORDS} exceeded."] if records > MAX_RECORDS else []
    return faults + (
        [f"Number of characters limit of {MAX_CHARACTERS} exceeded."] if characters > MAX_CHARACTERS else []
    )


def _equal_pairs(batch: Sequence[Change]) -> list[str]:
    gone = [_comparable(change["ResourceRecordSet"]) for change in batch if change["Action"] == "DELETE"]
    twice = [
        change["ResourceRecordSet"]
        for change in batch
        if change["Action"] == "CREATE" and _comparable(change["ResourceRecordSet"]) in gone
    ]
    return [f"Tried to create {_words(item)} but it already exists" for item in twice]
