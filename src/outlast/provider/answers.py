r"""From a primary's answers to what an endpoint has: only record sets of exactly the name asked for count.

An answer may hold more than the name's own sets: where a CNAME or an alias leads to, and what a wildcard makes up. The
first is told apart here; whether a wildcard was at work no plain answer says, so the provider finds out in another way.

Everything read must survive the way back: it is the exact prerequisite of the next write. A TXT record of one printable
string is that string; any other is its master-file form, which begins with a quotation mark (`"two" "strings"`,
`"\200"`). Joining the strings would lose where they were split, and with that the means to replace them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast

import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
from dns.name import Name
from dns.rdata import Rdata
from dns.rdataclass import IN
from dns.rdatatype import AAAA, CNAME, TXT, A, RdataType
from dns.rdtypes.ANY.TXT import TXT as TXTRecord  # noqa: N811  the class is named like the type's constant

from outlast.errors import Unavailable
from outlast.provider.asking import Answer, Question
from outlast.traffic.content import RecordSet
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import sentinel_name

ALIASES = (RdataType.make(65280), RdataType.make(65401))
"""The drill's alias type, from the private range (RFC 6895, section 3.1), and PowerDNS's ALIAS. Where one stands, the
addresses may be its target's."""
SET_TYPES = (A, AAAA, CNAME, *ALIASES)
"""What bears addresses, and is therefore read and fenced with every write."""


NEAR = 1024
"""Endpoints whose names are kept read: one is looked at several times from its reading to its record."""


class Owners(NamedTuple):
    """The two owner names of an endpoint, and what has to be asked to know it; the first question is for the sentinel."""

    endpoint: Name
    sentinel: Name
    questions: tuple[Question, ...]

    @classmethod
    @lru_cache(maxsize=NEAR)
    def of(cls, endpoint: str) -> "Owners":
        """The owner names.

        Raises:
            dns.exception.DNSException: It is no domain name, or too long to have a sentinel beside it.

        """
        owner, sentinel = dns.name.from_text(endpoint), dns.name.from_text(sentinel_name(endpoint))
        questions = Question.of(sentinel, TXT), *(Question.of(owner, rdtype) for rdtype in SET_TYPES)
        return cls(owner, sentinel, questions)


def live(owners: Owners, answers: Mapping[RdataType, Answer]) -> Live:
    """What the answers to an endpoint's questions hold. Beside an alias, addresses may be those of its target.

    Raises:
        Unavailable: An answer that counts is an error, or not from an authority for the name.

    """
    sentinel = sentinel_texts(owners, answers)
    if _own(owners.endpoint, CNAME, answers[CNAME]):
        # Any other answer is about the target (RFC 1034, section 3.6.2), and so are its errors.
        return Live(sentinel, (_record_set(CNAME, answers[CNAME]),))
    types = [rdtype for rdtype in (A, AAAA, *ALIASES) if _own(owners.endpoint, rdtype, answers[rdtype])]
    return Live(sentinel, tuple(_record_set(rdtype, answers[rdtype]) for rdtype in types))


def sentinel_texts(owners: Owners, answers: Mapping[RdataType, Answer]) -> tuple[str, ...]:
    """What stands at the sentinel's name, sorted.

    Raises:
        Unavailable: As `live`.

    """
    texts = _own(owners.sentinel, TXT, answers[TXT])
    return tuple(sorted(text_of(cast(TXTRecord, rdata)) for rdata in texts))


def _own(owner: Name, rdtype: RdataType, answer: Answer) -> tuple[Rdata, ...]:
    if answer.rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise Unavailable(
            f"{_words(owner, rdtype)}: {dns.rcode.to_text(answer.rcode)}",
            hint="ask its operator; is this the zone's primary?",
        )
    if not answer.is_authoritative:
        raise Unavailable(
            f"{_words(owner, rdtype)}: not authoritative for it",
            hint="name the zone's primary as the provider's address",
        )
    return answer.found


def _words(owner: Name, rdtype: RdataType) -> str:
    return f"{owner} {dns.rdatatype.to_text(rdtype)}"


def _record_set(rdtype: RdataType, answer: Answer) -> RecordSet:
    return RecordSet.of(dns.rdatatype.to_text(rdtype), answer.ttl, [rdata.to_text() for rdata in answer.found])


def rdatas_of(item: RecordSet) -> tuple[Rdata, ...]:
    """A record set's values as they go into a message."""
    return tuple(dns.rdata.from_text(IN, item.type, value) for value in item.values)


def text_of(rdata: TXTRecord) -> str:
    """One TXT record as text from which `txt_of` makes the same record again."""
    if len(rdata.strings) == 1:
        text = rdata.strings[0].decode("latin-1")
        if text.isascii() and text.isprintable() and not text.startswith('"'):
            return text
    return rdata.to_text()


def txt_of(text: str) -> Rdata:
    """The TXT record of which `text_of` made `text`."""
    if text.startswith('"'):
        return dns.rdata.from_text(IN, TXT, text)
    return TXTRecord(IN, TXT, [text.encode("ascii")])
