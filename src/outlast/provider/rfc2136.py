"""Any primary that takes signed DNS UPDATE (RFC 2136): BIND, Knot, PowerDNS, and our own name server.

The server compares and swaps: an UPDATE carries as prerequisites exactly what its writer has read, and is applied whole
or not at all (sections 3.2 and 3.7). All goes over TCP to the one writable primary. Endpoints that are written while
another message is under way share the next one; if it is refused, each goes alone.
"""

import asyncio
import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.tsig
from dns.message import Message
from dns.name import Name
from dns.rcode import Rcode
from dns.rdatatype import CNAME, TXT, RdataType
from dns.update import UpdateMessage

from outlast.clock import Clock
from outlast.errors import InvalidConfig, Unavailable
from outlast.provider import tsig, updates
from outlast.provider.answers import ALIASES, Owners, live, sentinel_texts
from outlast.provider.asking import Answer, Question, answer_to
from outlast.provider.exchange import NoReply, NotSent, Primary, exchange
from outlast.provider.line import SharedLine
from outlast.provider.zones import closest_zone, is_name
from outlast.rounds import Asked, Rounds
from outlast.system_clock import SystemClock
from outlast.traffic.content import FAMILIES, RecordSet
from outlast.traffic.ports import Live, Outcome, Reply, Tier, Transaction
from outlast.traffic.sentinel import Sentinel, parse
from outlast.traffic.topology import Endpoint

ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1")
"""MD5 is left out: RFC 8945, section 6, says it must not be used."""
MAX_TIMEOUT = 60.0
MESSAGE_BYTES_MAX = 65_535
TOGETHER_MAX = 64
"""Endpoints in one message. With a few addresses each they fill a quarter of it; if they do not fit, each goes alone."""
AT_ONCE = 32
"""Endpoints: their questions, two hundred, are answered within a timeout of two seconds by a server that needs ten
milliseconds for each and answers all of them one after another."""
NANOSECONDS = 10**9
Understood = TypeVar("Understood")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfc2136Provider:
    """The port `Provider` on RFC 2136, tier T1.

    Args:
        name: What the configuration calls it.
        zones: The zones it is primary for; an endpoint belongs to the closest above it.
        address: The primary's IP address: no name, so that it works while DNS does not.
        port: Its TCP port.
        key_name: The TSIG key's name; both sides must use the same. Empty, with an empty secret: a reader, which can
            change nothing, and takes what a wildcard makes up at its word.
        key_secret: The secret in base64. It is neither shown by `repr` nor logged.
        key_algorithm: One of `ALGORITHMS`.
        timeout: Seconds for a whole read or a whole transaction, at most `MAX_TIMEOUT`.
        clock: Its wall clock signs; if the server finds it wrong, a request is signed once more with the server's time.

    Raises:
        InvalidConfig: With every fault found.

    """

    name: str
    zones: tuple[str, ...]
    address: str
    port: int = 53
    key_name: str = ""
    key_secret: str = field(default="", repr=False)
    key_algorithm: str = "hmac-sha256"
    timeout: float = 2.0
    clock: Clock = field(default_factory=SystemClock, repr=False)
    _rounds: Rounds[tuple[Name, Transaction], Reply] = field(init=False, repr=False, compare=False)
    _line: SharedLine = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rounds", Rounds(self._commit_all, most=TOGETHER_MAX))
        object.__setattr__(self, "_line", SharedLine(self.address, self.port))
        faults = tuple(f"provider {self.name}: {fault}" for fault in self._faults())
        if faults:
            raise InvalidConfig(faults)

    def _faults(self) -> list[str]:
        faults = [] if self.zones else ["zones: name at least one"]
        faults += [f"zones: {zone!r} is not a domain name" for zone in self.zones if not is_name(zone)]
        if not _is_address(self.address):
            faults.append(f"address: {self.address!r} is not an IP address")
        if not 1 <= self.port <= 65_535:
            faults.append(f"port: {self.port} is not within 1 and 65535")
        if not self.is_reader and not is_name(self.key_name):
            faults.append(f"key_name: {self.key_name!r} is not a domain name")
        if not self.is_reader and not _is_secret(self.key_secret):
            faults.append("key_secret: it is empty or not base64")
        if self.key_algorithm not in ALGORITHMS:
            faults.append(f"key_algorithm: {self.key_algorithm!r} is none of {', '.join(ALGORITHMS)}")
        if not 0 < self.timeout <= MAX_TIMEOUT:
            faults.append(f"timeout: {self.timeout:g} is not within 0 and {MAX_TIMEOUT:g} seconds")
        return faults

    @property
    def tier(self) -> Tier:
        return Tier.T1

    @property
    def at_once(self) -> int:
        return AT_ONCE

    @property
    def is_reader(self) -> bool:
        """Whether it has no key, and so can change nothing."""
        return not self.key_name and not self.key_secret

    # ------------------------------------------------------------------------------------------------- reading

    async def read(self, endpoint: str) -> Live:
        """Read sentinel and address-bearing sets from the primary.

        What a wildcard makes up, or an alias answers for, is not there: in doubt it is found out with an UPDATE that
        has prerequisites only and changes nothing.

        Raises:
            Unavailable: The primary did not answer, or not usefully; the endpoint is in none of the zones.

        """
        owners, zone = self._owners(endpoint), closest_zone(self.name, self.zones, endpoint)
        primary = self._primary()
        seen = await self._asked(primary, owners.questions, partial(live, owners))
        if self.is_reader:
            return seen
        if not isinstance(parse(seen.sentinel), Sentinel):
            # Otherwise the sentinel's name exists, so the endpoint's does, and no wildcard covers either (RFC 4592,
            # section 2.2.1).
            texts = await self._exists(primary, zone, owners.sentinel, (TXT,) if seen.sentinel else ())
            sets = await self._exists(primary, zone, owners.endpoint, _types(seen.sets))
            seen = Live(seen.sentinel if texts else (), seen.sets if sets else ())
        if not set(ALIASES).isdisjoint(_types(seen.sets)):
            seen = seen._replace(sets=await self._without_image(primary, zone, owners.endpoint, seen.sets))
        return seen

    async def _without_image(
        self, primary: Primary, zone: Name, owner: Name, sets: tuple[RecordSet, ...]
    ) -> tuple[RecordSet, ...]:
        # The addresses beside an alias are its target's where the server follows it, and real where it does not.
        own = [
            item
            for item in sets
            if item.type not in FAMILIES or await self._exists(primary, zone, owner, _types((item,)))
        ]
        return tuple(own)

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        """Read the TXT strings at the sentinel's name, with what a wildcard makes up.

        Raises:
            Unavailable: As `read`.

        """
        owners = self._owners(endpoint)
        closest_zone(self.name, self.zones, endpoint)
        return await self._asked(self._primary(), owners.questions[:1], partial(sentinel_texts, owners))

    async def _asked(
        self,
        primary: Primary,
        questions: tuple[Question, ...],
        understand: Callable[[Mapping[RdataType, Answer]], Understood],
    ) -> Understood:
        try:
            answers = await self._line.ask([question.wire for question in questions], primary.deadline)
            return understand({it.rdtype: answer_to(it, wire) for it, wire in zip(questions, answers, strict=True)})
        except dns.exception.DNSException as error:
            raise Unavailable(f"{self.name} at {primary}: unreadable answer: {error}") from error
        except Unavailable as error:
            raise Unavailable(f"{self.name} at {primary}: {error.message}", hint=error.hint) from error

    async def _exists(self, primary: Primary, zone: Name, owner: Name, types: tuple[RdataType, ...]) -> bool:
        # RFC 2136, section 3.2.4: prerequisites look at the zone itself, where no wildcard is expanded.
        if not types:
            return False
        message = UpdateMessage(zone)
        updates.add_absences(message, owner, types)
        reply = await self._send(primary, message)
        if reply.outcome is Outcome.COMMITTED:
            return False
        if reply.detail == Rcode.YXRRSET.name:
            return True
        raise Unavailable(
            f"{self.name} at {primary}: cannot tell whether {owner} exists or a wildcard answers for it: {reply.detail}",
            hint=f"the key {self.key_name} must be allowed to update {zone}",
        )

    # ------------------------------------------------------------------------------------------------- writing

    async def commit(self, transaction: Transaction) -> Reply:
        """Carry out one transaction in one UPDATE.

        Raises:
            UnsafePlan: The resulting record sets would leave the endpoint empty; nothing was sent.
            InvalidSentinel: The sentinel cannot be written, as one beyond the largest count; nothing was sent.

        """
        try:
            zone = closest_zone(self.name, self.zones, transaction.endpoint)
        except Unavailable as error:
            return Reply(Outcome.FAILED, error.message)
        updates.refuse_empty(transaction, zone)
        _ = transaction.sentinel.text  # what cannot be written is an error here: within a round it would be everybody's
        if self.is_reader:
            return Reply(Outcome.FAILED, f"{self.name} has no key here: it can only read")
        return await self._rounds.ask((zone, transaction))

    async def _commit_all(self, asked: Sequence[Asked[tuple[Name, Transaction], Reply]]) -> None:
        # Each carries its own prerequisites, so that together they are what they would be one after the other. If anything
        # is wrong with the message, each goes alone (rule h): one bad endpoint never sticks the others.
        zones = dict.fromkeys(one.item[0] for one in asked)
        await asyncio.gather(*(self._commit_zone(zone, [it for it in asked if it.item[0] == zone]) for zone in zones))

    async def _commit_zone(self, zone: Name, here: Sequence[Asked[tuple[Name, Transaction], Reply]]) -> None:
        replies = await self._commit_together(zone, [one.item[1] for one in here])
        for one, reply in zip(here, replies, strict=True):
            one.answer(reply)

    async def _commit_together(self, zone: Name, transactions: Sequence[Transaction]) -> Sequence[Reply]:
        if len({transaction.endpoint for transaction in transactions}) == len(transactions) > 1:
            message = UpdateMessage(zone)
            for transaction in transactions:
                self._prerequisites(message, transaction)
            for transaction in transactions:
                updates.add_changes(message, transaction)
            try:
                reply = await self._sent(self._primary(), message)
            except NotSent as error:
                return [Reply(Outcome.FAILED, error.message)] * len(transactions)
            if reply.outcome in {Outcome.COMMITTED, Outcome.LOST}:
                return [reply] * len(transactions)
        return await asyncio.gather(*(self._commit_alone(zone, transaction) for transaction in transactions))

    async def _commit_alone(self, zone: Name, transaction: Transaction) -> Reply:
        message = UpdateMessage(zone)
        self._prerequisites(message, transaction)
        updates.add_changes(message, transaction)
        primary = self._primary()
        reply = await self._send(primary, message)
        if reply == Reply(Outcome.CONFLICT, Rcode.YXRRSET.name):
            return await self._explained(primary, zone, transaction)
        return reply

    async def refusal(self, zone: str, endpoints: Sequence[Endpoint]) -> str:
        """Why the server would not let the key change these endpoints of a zone; empty if it says nothing against it.

        An UPDATE is sent that cannot be carried out (`updates.add_rehearsal`). Before a server looks at that it judges the
        signature, and most judge what the key may change as well: Knot, PowerDNS and BIND (9.18.49 was tried). RFC 2136
        has that later (section 3.3), so another may say nothing of it, as ours.

        Raises:
            Unavailable: Nobody answered, or not the server.

        """
        primary, message = self._primary(), UpdateMessage(zone)
        updates.add_rehearsal(message, dns.name.from_text(zone), endpoints)
        reply = await self._sent(primary, message)
        match reply.outcome:
            case Outcome.CONFLICT:
                return ""
            case Outcome.COMMITTED:
                return (
                    f"signed with {self.key_name}, a change whose condition cannot hold is taken: nothing is compared"
                )
            case Outcome.FAILED:
                return f"signed with {self.key_name}, a change is answered {reply.detail}"
        raise Unavailable(f"{self.name} at {primary}: {reply.detail}")

    def _prerequisites(self, message: UpdateMessage, transaction: Transaction) -> None:
        # Apart so that a drill can show what happens without them; nothing else may replace it.
        updates.add_prerequisites(message, transaction)

    async def _explained(self, primary: Primary, zone: Name, transaction: Transaction) -> Reply:
        # What will not go by reading again is no conflict but a person's matter.
        owners = Owners.of(transaction.endpoint)
        try:
            if not transaction.seen.sentinel and await self._exists(primary, zone, owners.sentinel, (CNAME,)):
                return Reply(
                    Outcome.FAILED,
                    f"YXRRSET: {owners.sentinel} is a CNAME, beside which no sentinel can stand; remove it",
                )
            if updates.is_switch_to_cname(transaction) and await self._exists(
                primary, zone, owners.endpoint, updates.STRANGERS_TO_CNAME
            ):
                return Reply(
                    Outcome.FAILED,
                    f"YXRRSET: {owners.endpoint} has other records, beside which no CNAME can stand; remove them",
                )
        except Unavailable as error:
            return Reply(Outcome.CONFLICT, f"{Rcode.YXRRSET.name}, {error.message}")
        return Reply(Outcome.CONFLICT, Rcode.YXRRSET.name)

    async def _send(self, primary: Primary, message: UpdateMessage) -> Reply:
        try:
            return await self._sent(primary, message)
        except NotSent as error:
            return Reply(Outcome.FAILED, error.message)

    async def _sent(self, primary: Primary, message: UpdateMessage) -> Reply:
        message.use_edns(payload=MESSAGE_BYTES_MAX)  # only under EDNS may the server explain itself (RFC 8914)
        try:
            wire = message.to_wire(max_size=MESSAGE_BYTES_MAX - tsig.RESERVE_BYTES)
            answer, proof = await self._signed(primary, wire, at=self.clock.wall() // NANOSECONDS)
            if proof.server_time is not None:  # RFC 8945, section 5.2.3: our clock is wrong, or the server's
                answer, proof = await self._signed(primary, wire, at=proof.server_time)
        except NoReply as error:
            return Reply(Outcome.LOST, error.message)
        except dns.exception.TooBig:
            return Reply(Outcome.FAILED, f"the transaction does not fit into a message of {MESSAGE_BYTES_MAX} bytes")
        except dns.exception.DNSException as error:
            return Reply(Outcome.LOST, f"{primary}: unreadable answer: {error}")
        if not message.is_response(answer):
            return Reply(Outcome.LOST, f"{primary}: an answer that does not fit")
        return updates.judge(answer, proof, self.key_name)

    async def _signed(self, primary: Primary, wire: bytes, *, at: int) -> tuple[Message, tsig.Proof]:
        key = dns.tsig.Key(self.key_name, self.key_secret, self.key_algorithm)
        request = tsig.sign(wire, key, at=at)
        (answer,) = await exchange(primary, [request.wire])
        return _parsed(answer), tsig.prove(answer, key, request)

    # ------------------------------------------------------------------------------------------------- places

    def _primary(self) -> Primary:
        return Primary(self.address, self.port, asyncio.get_running_loop().time() + self.timeout)

    def _owners(self, endpoint: str) -> Owners:
        try:
            return Owners.of(endpoint)
        except dns.exception.DNSException as error:
            raise Unavailable(f"{self.name}: {endpoint!r} is not a domain name: {error}") from error


def _parsed(wire: bytes) -> Message:
    # The signature is proved apart, with our own idea of the time.
    return dns.message.from_wire(wire, keyring=False)


def _types(sets: tuple[RecordSet, ...]) -> tuple[RdataType, ...]:
    return tuple(RdataType.make(item.type) for item in sets)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_secret(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
