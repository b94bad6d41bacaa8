"""TSIG (RFC 8945) from the client's side: a signature under a request, and the proof under its answer.

dnspython signs with the machine's clock and, on a time error, raises before it has verified anything. We sign with a
time that we are told, and believe a server's time only under a valid signature; otherwise anybody on the way could
have us sign for a moment of their choice.
"""

import hmac
from typing import NamedTuple, cast

import dns.tsig
import dns.wire
from dns.name import Name
from dns.rcode import Rcode
from dns.rdata import from_wire_parser
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TSIG import TSIG

FUDGE_SECONDS = 300
"""How far the clocks may be apart, as RFC 8945, section 10, recommends."""
RESERVE_BYTES = 640
"""More than any TSIG record of ours: two names of 255 bytes, a MAC of 64, and the fixed fields."""

_HEADER_BYTES = 12


class Signed(NamedTuple):
    """A signed request, and what its answer's signature builds on."""

    wire: bytes
    mac: bytes
    at: int


class Proof(NamedTuple):
    """What the signature under an answer says.

    `is_valid`: the answer is the server's and answers this request. `error` is the server's complaint about the
    request's signature. `server_time`, in seconds, comes with a valid BADTIME only.
    """

    is_valid: bool
    error: Rcode = Rcode.NOERROR
    server_time: int | None = None


def sign(wire: bytes, key: dns.tsig.Key, *, at: int) -> Signed:
    """Sign a request as of `at`, in seconds since 1970."""
    unsigned = TSIG(  # type: ignore[no-untyped-call]  # dnspython leaves rdata constructors untyped
        RdataClass.ANY, RdataType.TSIG, key.algorithm, at, FUDGE_SECONDS, b"", int.from_bytes(wire[:2], "big"), 0, b""
    )
    mac = _mac(wire, key, unsigned)
    data = cast(TSIG, unsigned.replace(mac=mac)).to_digestable()
    head = RdataType.TSIG.to_bytes(2, "big") + RdataClass.ANY.to_bytes(2, "big") + bytes(4)
    record = key.name.to_digestable() + head + len(data).to_bytes(2, "big") + data
    return Signed(_counted(wire, 1) + wire[_HEADER_BYTES:] + record, mac, at)


def prove(wire: bytes, key: dns.tsig.Key, request: Signed) -> Proof:
    """Judge the answer to `request`; an answer without a signature, or with a false one, proves nothing.

    Raises:
        dns.exception.DNSException: The answer is no DNS message.

    """
    found = _last_record(wire)
    if found is None:
        return Proof(is_valid=False)
    owner, rdata, start = found
    error = Rcode.make(rdata.error)
    if owner != key.name or rdata.algorithm != key.algorithm:
        return Proof(is_valid=False, error=error)
    expected = _mac(_counted(wire, -1) + wire[_HEADER_BYTES:start], key, rdata, request_mac=request.mac)
    if not hmac.compare_digest(expected, rdata.mac):
        return Proof(is_valid=False, error=error)
    if error == Rcode.BADTIME and len(rdata.other) == 6:  # section 5.2.3: the server's time is in Other Data
        return Proof(is_valid=True, error=error, server_time=int.from_bytes(rdata.other, "big"))
    # Section 5.2.3 for the client's part: an answer from another time is a replay, or a clock that we cannot trust.
    return Proof(is_valid=abs(rdata.time_signed - request.at) <= rdata.fudge, error=error)


def _mac(wire: bytes, key: dns.tsig.Key, rdata: TSIG, *, request_mac: bytes = b"") -> bytes:
    signed, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]  # dnspython leaves its TSIG functions untyped
        wire, key, rdata, rdata.time_signed, request_mac
    )
    return bytes(signed.mac)


def _counted(wire: bytes, more: int) -> bytes:
    # The header, with so many records more in its last section.
    return wire[:10] + (int.from_bytes(wire[10:12], "big") + more).to_bytes(2, "big")


def _last_record(wire: bytes) -> tuple[Name, TSIG, int] | None:
    # Section 5.1: the TSIG record is the last of the message.
    parser = dns.wire.Parser(wire)
    _, _, questions, *others = parser.get_struct("!HHHHHH")
    for _ in range(questions):
        parser.get_name(decompress=True)
        parser.get_struct("!HH")
    last: tuple[Name, TSIG, int] | None = None
    for _ in range(sum(others)):
        start = parser.current
        owner = parser.get_name(decompress=True)
        rdtype, rdclass, _, length = parser.get_struct("!HHIH")
        with parser.restrict_to(length):
            if rdtype == RdataType.TSIG:
                last = owner, cast(TSIG, from_wire_parser(rdclass, rdtype, parser)), start
            else:
                last = None
                parser.get_bytes(length)
    return last
