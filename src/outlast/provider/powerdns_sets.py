"""From PowerDNS's idea of a zone to ours and back. Nothing is sent here.

More bears addresses there than in DNS: an ALIAS leads to them, a LUA record computes them. Disabled records answer
nothing and are not read; they go with the set that they stand in when it is replaced.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

import dns.exception
import dns.name
import dns.rdata
import dns.rdtypes.ANY.TXT
from dns.name import Name
from dns.rdataclass import IN
from dns.rdatatype import TXT

from outlast.errors import Unavailable
from outlast.provider.answers import Owners, text_of, txt_of
from outlast.traffic.content import FAMILIES, RecordSet
from outlast.traffic.ports import Live, Transaction
from outlast.traffic.sentinel import TTL

OURS = (*FAMILIES, "CNAME")
"""What outlast publishes."""
BEARING = (*OURS, "ALIAS", "LUA", "TYPE65280")
"""What bears addresses, and is therefore compared before every write."""


def live(owners: Owners, *, at_sentinel: bytes, at_endpoint: bytes) -> Live:
    """What two answers, each about a name, say of an endpoint.

    Raises:
        Unavailable: One of them is not what PowerDNS answers with.

    """
    try:
        texts = dict(_sets(at_sentinel, owners.sentinel)).get("TXT", (0, []))[1]
        sentinel = tuple(
            sorted(text_of(cast(dns.rdtypes.ANY.TXT.TXT, dns.rdata.from_text(IN, TXT, text))) for text in texts)
        )
        found = dict(_sets(at_endpoint, owners.endpoint))
        sets = (RecordSet.of(name, *found[name]) for name in BEARING if name in found)
        return Live(sentinel, tuple(sets))
    except (ValueError, LookupError, TypeError, AttributeError, dns.exception.DNSException) as error:
        raise Unavailable(f"unreadable answer: {str(error) or type(error).__name__}") from error


def _sets(body: bytes, owner: Name) -> Iterator[tuple[str, tuple[int, list[str]]]]:
    # An old server answers with the whole zone, whatever name was asked for.
    for item in json.loads(body)["rrsets"]:
        values = [str(record["content"]) for record in item["records"] if not record["disabled"]]
        if values and dns.name.from_text(item["name"]) == owner:
            yield str(item["type"]), (int(item["ttl"]), values)


def patch_of(transaction: Transaction) -> bytes:
    """Return the body of a PATCH that makes the endpoint exactly the content, with its sentinel.

    All that we publish is written, equal or not: if two writers get past one another, what stands afterwards is all of
    one of them, never some sets of each.
    """
    owners, coming = Owners.of(transaction.endpoint), transaction.content.sets
    types = dict.fromkeys((*OURS, *(item.type for item in transaction.seen.sets)))
    gone = [name for name in types if name not in {item.type for item in coming}]
    # In this order, for the server refuses a CNAME beside another set even within one request.
    changes = [
        *({"name": str(owners.endpoint), "type": name, "changetype": "DELETE"} for name in gone),
        *(_replacement(owners.endpoint, item) for item in coming),
        _replacement(owners.sentinel, RecordSet("TXT", TTL, (txt_of(transaction.sentinel.text).to_text(),))),
    ]
    return json.dumps({"rrsets": changes}).encode()


def _replacement(owner: Name, item: RecordSet) -> dict[str, Any]:
    assert item.values, f"REPLACE of {owner} {item.type} with nothing deletes it in silence"
    records = [{"content": value, "disabled": False} for value in item.values]
    return {"name": str(owner), "type": item.type, "ttl": item.ttl, "changetype": "REPLACE", "records": records}
