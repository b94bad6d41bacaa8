"""TSIG (RFC 8945): who sent a request, and the signature under the answer.

Signatures are made and compared here instead of inside dnspython's message reader, because a server must answer each
way of being wrong differently: an unknown key or a wrong MAC gets NOTAUTH without a signature, a wrong time gets NOTAUTH
with one and with the server's clock.
"""

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import dns.exception
import dns.name
import dns.rcode
import dns.tsig
from dns.name import Name
from dns.rcode import Rcode
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.TSIG import TSIG

from outlast.errors import InvalidConfig
from outlast.nameserver.request import HEADER_BYTES, Malformed, Signature

ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")
"""What a key may use. MD5 is left out: RFC 8945, section 6, says it must not be used."""

FUDGE_SECONDS = 300
"""How far the clocks may be apart, as RFC 8945, section 10, recommends."""

MAC_BYTES_MIN = 10
"""RFC 8945, section 5.2.2.1: a shorter MAC is a format error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateKey:
    """A shared key that may change a zone.

    Args:
        name: The key's name; both sides must use the same.
        secret: The secret in base64. It is not shown by `repr`.
        algorithm: One of `ALGORITHMS`.
        names: Owner names the key may change, each with everything below it; empty means everything in every zone.

    Raises:
        InvalidConfig: With every fault found.

    """

    name: str
    secret: str = field(repr=False)
    algorithm: str = "hmac-sha256"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = tuple(self._faults())
        if faults:
            raise InvalidConfig(faults)

    @classmethod
    def generate(cls, name: str, *, names: tuple[str, ...] = ()) -> "UpdateKey":
        """Make a key with a random secret as long as the hash."""
        return cls(name=name, secret=base64.b64encode(secrets.token_bytes(32)).decode(), names=names)

    @classmethod
    def from_text(cls, text: str, *, names: tuple[str, ...] = ()) -> "UpdateKey":
        """Read `[algorithm:]name:secret`, the form that `nsupdate -y` and `dig -y` take.

        Raises:
            InvalidConfig: The text has another form, or a part of it is wrong.

        """
        match text.split(":"):
            case [algorithm, name, secret]:
                return cls(name=name, secret=secret, algorithm=algorithm, names=names)
            case [name, secret]:
                return cls(name=name, secret=secret, names=names)
        raise InvalidConfig(("key: write it as [algorithm:]name:secret",))

    def _faults(self) -> list[str]:
        faults = []
        if self.algorithm not in ALGORITHMS:
            faults.append(f"key {self.name}: algorithm {self.algorithm!r} is none of {', '.join(ALGORITHMS)}")
        if not _is_secret(self.secret):
            faults.append(f"key {self.name}: the secret is empty or not base64")
        faults += [f"key: {name!r} is not a domain name" for name in (self.name, *self.names) if not _is_name(name)]
        return faults

    def tsig_key(self) -> dns.tsig.Key:
        """The key as dnspython's client and signing functions take it."""
        return dns.tsig.Key(self.name, self.secret, self.algorithm)

    def allows(self, owner: Name) -> bool:
        """Whether the key may change records of this owner."""
        return not self.names or any(owner.is_subdomain(dns.name.from_text(name)) for name in self.names)


def _is_secret(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _is_name(text: str) -> bool:
    try:
        return bool(text) and bool(dns.name.from_text(text))
    except dns.exception.DNSException:
        return False


class Verdict(NamedTuple):
    """What a signature says. `key` is set once the MAC is proved; `error` is then NOERROR or BADTIME."""

    key: UpdateKey | None
    error: Rcode


class Keyring:
    """The keys of a server."""

    def __init__(self, keys: tuple[UpdateKey, ...]) -> None:
        self._keys = {dns.name.from_text(key.name): (key, key.tsig_key()) for key in keys}

    def verify(self, wire: bytes, signature: Signature, *, wall: int) -> Verdict:
        """Check a request's signature (RFC 8945, section 5.2), in the order of the RFC: key, MAC, time.

        Args:
            wire: The whole packet.
            signature: Its TSIG record.
            wall: Seconds since 1970 by the server's clock.

        Raises:
            Malformed: The MAC has a length no MAC of its algorithm can have.

        """
        key, tsig_key = self._keys.get(signature.owner, (None, None))
        sent = signature.rdata
        if key is None or tsig_key is None or sent.algorithm != tsig_key.algorithm:
            return Verdict(None, Rcode.BADKEY)
        expected = _mac(_unsigned(wire, signature), tsig_key, sent)
        if not max(MAC_BYTES_MIN, len(expected) // 2) <= len(sent.mac) <= len(expected):
            raise Malformed("a MAC of impossible length")
        if not hmac.compare_digest(expected[: len(sent.mac)], sent.mac):
            return Verdict(None, Rcode.BADSIG)
        if len(sent.mac) < len(expected):
            # Section 5.2.4: permitted by the format, refused by policy, so told apart from a forgery.
            return Verdict(key, Rcode.BADTRUNC)
        if abs(sent.time_signed - wall) > sent.fudge:
            return Verdict(key, Rcode.BADTIME)
        return Verdict(key, Rcode.NOERROR)

    def sign(self, answer: bytes, signature: Signature, verdict: Verdict, *, wall: int) -> bytes:
        """Append the TSIG record that answers `signature` (RFC 8945, section 5.3 and, for errors, 5.3.2)."""
        sent = signature.rdata
        is_late = verdict.error == Rcode.BADTIME
        template = TSIG(  # type: ignore[no-untyped-call]  # dnspython leaves rdata constructors untyped
            RdataClass.ANY,
            RdataType.TSIG,
            sent.algorithm,
            # Section 5.2.3: a BADTIME answer repeats the client's time, so that the client can verify the MAC, and
            # carries the server's in Other Data.
            sent.time_signed if is_late else wall,
            FUDGE_SECONDS,
            b"",
            int.from_bytes(answer[:2], "big"),
            verdict.error,
            wall.to_bytes(6, "big") if is_late else b"",
        )
        if verdict.key is None:  # section 5.3.2: no MAC where the key or the MAC was wrong
            return _appended(answer, signature.owner, template)
        _, tsig_key = self._keys[signature.owner]
        mac = _mac(answer, tsig_key, template, request_mac=sent.mac)
        return _appended(answer, signature.owner, cast(TSIG, template.replace(mac=mac)))

    def signature_bytes(self, signature: Signature) -> int:
        """An upper bound of what `sign` appends, to leave room for in a datagram."""
        fixed = 10 + 16 + 6  # the record's header; times, lengths, ids; Other Data
        return len(signature.owner.to_digestable()) + len(signature.rdata.algorithm.to_digestable()) + fixed + 64


def _unsigned(wire: bytes, signature: Signature) -> bytes:
    count = int.from_bytes(wire[10:12], "big") - 1
    return wire[:10] + count.to_bytes(2, "big") + wire[HEADER_BYTES : signature.start]


def _mac(wire: bytes, key: dns.tsig.Key, rdata: TSIG, *, request_mac: bytes = b"") -> bytes:
    signed, _ = dns.tsig.sign(  # type: ignore[no-untyped-call]  # dnspython leaves its TSIG functions untyped
        wire, key, rdata, rdata.time_signed, request_mac
    )
    return bytes(signed.mac)


def _appended(wire: bytes, owner: Name, rdata: TSIG) -> bytes:
    data = rdata.to_digestable()
    head = int(RdataType.TSIG).to_bytes(2, "big") + int(RdataClass.ANY).to_bytes(2, "big") + bytes(4)
    record = owner.to_digestable() + head + len(data).to_bytes(2, "big") + data
    count = int.from_bytes(wire[10:12], "big") + 1
    return wire[:10] + count.to_bytes(2, "big") + wire[HEADER_BYTES:] + record
