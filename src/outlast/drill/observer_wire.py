"""The observer's questions and answers as bytes: built once, parsed once per distinct answer.

An authoritative server answers the same question with the same bytes until the zone changes, so a question is one
template with two bytes replaced, and an answer is parsed only if it differs from those seen lately.
"""

from functools import lru_cache
from typing import NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

PAYLOAD = 1232
MALFORMED = "MALFORMED"
SENTINEL_PREFIX = "_outlast."


class Finding(NamedTuple):
    """What an answer says: to which question, its rcode, and the data as text."""

    name: str
    rdtype: str
    rcode: str
    values: tuple[str, ...]


@lru_cache(maxsize=64)
def question(name: str, rdtype: str) -> bytes:
    """The question without its first two bytes, the ID; recursion is not desired, the server is authoritative."""
    query = dns.message.make_query(name, rdtype, use_edns=0, payload=PAYLOAD)
    query.flags &= ~dns.flags.RD
    return query.to_wire()[2:]


@lru_cache(maxsize=256)
def read(wire: bytes) -> Finding:
    """Read an answer without its ID. One that cannot be parsed has the rcode MALFORMED and no name."""
    try:
        message = dns.message.from_wire(b"\0\0" + wire, ignore_trailing=True)
    except dns.exception.DNSException:
        return Finding("", "", MALFORMED, ())
    if not message.question or not message.flags & dns.flags.QR:
        return Finding("", "", MALFORMED, ())
    asked = message.question[0]
    rdatas = [rdata for rrset in message.answer if rrset.rdtype == asked.rdtype for rdata in rrset]
    return Finding(
        asked.name.to_text(omit_final_dot=True).lower(),
        dns.rdatatype.to_text(asked.rdtype),
        dns.rcode.to_text(message.rcode()),
        tuple(sorted(_to_text(rdata) for rdata in rdatas)),
    )


def _to_text(rdata: object) -> str:
    strings = getattr(rdata, "strings", None)
    if strings is None:
        return str(rdata)
    return b"".join(strings).decode("utf-8", "replace")
