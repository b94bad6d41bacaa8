r"""From Route 53's record sets to what an endpoint has, and back. Nothing is sent here.

A name may bear three kinds of sets, and each is read as what it is:

- **plain** (name, type, TTL and values, nothing else): the only kind that we publish, read under its DNS type;
- **alias** (`AliasTarget` alone): read as `ALIAS A`, its value the whole set as JSON, so that it is never taken for
  addresses and is still exact enough to be replaced. Replacing it is a repair like any other: it stands where a plain
  set of ours should be (rule c);
- **routed** (weighted, failover, latency, geolocation, multivalue, a health check, a traffic policy): read as
  `ROUTED A <identifier>`. Somebody, perhaps `route53_failover`, decided how this name is answered; one set of it says
  nothing without the others, and Route 53 lets no plain set stand beside them. It is never taken for ours (the digest
  differs, and `Content` refuses the type), and a transaction that has seen one is refused before anything is sent.

Names come back with every character but a to z, 0 to 9, - and _ as an octal escape, `\052` for `*` (Developer Guide,
"DNS domain name format"), unlike the decimal ones of master files.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from outlast.traffic.content import FAMILIES, RecordSet
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import sentinel_name

ApiSet = Mapping[str, Any]
"""A `ResourceRecordSet` as the API takes and gives it."""
ADDRESS_TYPES = (*FAMILIES, "CNAME")
ALIAS, ROUTED = "ALIAS", "ROUTED"

_PLAIN = {"Name", "Type", "TTL", "ResourceRecords"}
_ALIAS = {"Name", "Type", "AliasTarget"}
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


def name_of(text: str) -> str:
    """An owner name as the API writes it, in our form: unescaped, lower case, without the last dot."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text).lower().rstrip(".")


def is_routed(item: ApiSet) -> bool:
    """Whether the set is one that a routing policy or a health check governs."""
    return not (item.keys() <= _PLAIN or item.keys() == _ALIAS)


def record_set(item: ApiSet) -> RecordSet:
    """One set as read from the API; two that differ in anything never read as equal."""
    if item.keys() <= _PLAIN:
        return RecordSet.of(item["Type"], item["TTL"], [record["Value"] for record in item["ResourceRecords"]])
    ttl = int(item.get("TTL", 0))
    if is_routed(item):
        return RecordSet(f"{ROUTED} {item['Type']} {item.get('SetIdentifier', '-')}", ttl, (_whole(item),))
    return RecordSet(f"{ALIAS} {item['Type']}", ttl, (_whole(item),))


def api_set(owner: str, item: RecordSet) -> ApiSet:
    """The set of the API from which `record_set` made `item`; routed ones we never write back."""
    if item.type.startswith(ALIAS):
        whole: ApiSet = json.loads(item.values[0])
        return whole
    return plain_set(owner, item.type, item.ttl, item.values)


def plain_set(owner: str, rdtype: str, ttl: int, values: Iterable[str]) -> ApiSet:
    records = [{"Value": value} for value in values]
    return {"Name": f"{owner}.", "Type": rdtype, "TTL": ttl, "ResourceRecords": records}


def live(endpoint: str, sets: Iterable[ApiSet]) -> Live:
    """What the endpoint has, out of listed sets of any names."""
    at = [(name_of(item["Name"]), item) for item in sets]
    texts = [
        text
        for owner, item in at
        if owner == sentinel_name(endpoint) and item["Type"] == "TXT"
        for text in _texts(item)
    ]
    own = [record_set(item) for owner, item in at if owner == endpoint and item["Type"] in ADDRESS_TYPES]
    return Live(tuple(sorted(texts)), tuple(sorted(own)))


def _whole(item: ApiSet) -> str:
    return json.dumps(item, sort_keys=True, separators=(",", ":"))


# ------------------------------------------------------------------------------------------------------ the sentinel


def _texts(item: ApiSet) -> list[str]:
    if item.keys() <= _PLAIN:
        return [text_of(record["Value"]) for record in item["ResourceRecords"]]
    return [f"{ROUTED} {_whole(item)}"]  # an alias of type TXT too: neither is a sentinel that we could replace


def text_of(value: str) -> str:
    r"""A TXT value as text from which `txt_of` makes the same value again.

    One printable string is that string; anything else (several strings, escapes, what we mark routed sets with) stays
    as the API has it, which begins with a quotation mark.
    """
    inner = value[1:-1]
    is_simple = value == f'"{inner}"' and inner.isascii() and inner.isprintable() and not set(inner) & set('"\\')
    return inner if is_simple and not inner.startswith(ROUTED) else value


def txt_of(text: str) -> str:
    """The TXT value of which `text_of` made `text`."""
    return text if text.startswith('"') else f'"{text}"'
