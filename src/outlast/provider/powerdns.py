"""PowerDNS by its HTTP API, tier T3: all or nothing, but nobody compares for us. DNS UPDATE is the better way in.

A PATCH replaces whole record sets in one transaction of the server's database; the API knows no version and no
condition, and accepts an `If-Match` without looking at it. So a commit reads, compares with what its writer saw, and
writes: whoever was overtaken is told so, unless the other write falls between the comparison and the PATCH.

What may go wrong then, and only then: the later PATCH stands, though it was decided on what is gone. The generation
may go back until the next pass of any enactor with the newer plan, which finds the older sentinel and applies again;
what a person changed by hand is overwritten; a hold set in that moment is lost, so look at `outlast status` again a
`timeout` after a freeze. What cannot go wrong even then: the endpoint is never empty, and never a mixture, since each
PATCH carries the sentinel and every set of its one writer. Comparison and PATCH share one deadline, so who sleeps
longer than `timeout` in between sends nothing any more.

To be known beforehand: the API's one key may change every zone of the server, so the planner and the janitor read
by DNS, without it. The server raises a zone's serial only if the zone has `SOA-EDIT-API` set; secondaries that
transfer the zone follow nothing else.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import dns.name
from dns.name import Name

from outlast.errors import InvalidConfig, Unavailable
from outlast.provider import powerdns_sets, updates
from outlast.provider.answers import Owners
from outlast.provider.comparison import difference
from outlast.provider.exchange import NoReply
from outlast.provider.http_exchange import Answer, Api, Request, ask, read_url
from outlast.provider.zones import closest_zone, is_name
from outlast.traffic.ports import Live, Outcome, Reply, Tier, Transaction
from outlast.traffic.topology import Endpoint

MAX_TIMEOUT = 60.0
AT_ONCE = 8
"""Each has a connection to a small HTTP server."""
WORDS_MAX = 200
"""Characters of the server's own explanation that are passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerdnsProvider:
    """The port `Provider` on PowerDNS's HTTP API, tier T3.

    Args:
        name: What the configuration calls it.
        zones: The zones it is primary for; an endpoint belongs to the closest above it.
        url: Where its API listens: `http://127.0.0.1:8081` on this machine, otherwise `https://ADDRESS:PORT`. The
            system's certificate authorities are trusted, or those that `SSL_CERT_FILE` names.
        api_key: The value of `api-key` in its `pdns.conf`. It is neither shown by `repr` nor logged.
        timeout: Seconds for a whole read or a whole transaction, at most `MAX_TIMEOUT`.

    Raises:
        InvalidConfig: With every fault found.

    """

    name: str
    zones: tuple[str, ...]
    url: str
    api_key: str = field(repr=False)
    timeout: float = 2.0
    _tls: ssl.SSLContext | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        faults = tuple(f"provider {self.name}: {fault}" for fault in self._faults())
        if faults:
            raise InvalidConfig(faults)
        if self._api.is_secure:
            object.__setattr__(self, "_tls", ssl.create_default_context())

    def _faults(self) -> list[str]:
        faults = [] if self.zones else ["zones: name at least one"]
        faults += [f"zones: {zone!r} is not a domain name" for zone in self.zones if not is_name(zone)]
        if read_url(self.url) is None:  # it is not repeated, for it may hold a password
            faults.append("url: it is neither http:// with a loopback address nor https:// with an IP address")
        if not self.api_key or not self.api_key.isascii() or not self.api_key.isprintable() or " " in self.api_key:
            faults.append("api_key: it is empty or not one word of ASCII")
        if not 0 < self.timeout <= MAX_TIMEOUT:
            faults.append(f"timeout: {self.timeout:g} is not within 0 and {MAX_TIMEOUT:g} seconds")
        return faults

    @property
    def tier(self) -> Tier:
        return Tier.T3

    @property
    def at_once(self) -> int:
        return AT_ONCE

    @property
    def _api(self) -> Api:
        api = read_url(self.url)
        assert api is not None, "checked on construction"
        return api

    async def read(self, endpoint: str) -> Live:
        """Read sentinel and address-bearing sets from the server's database: no cache, wildcard or alias is in between.

        Raises:
            Unavailable: The API did not answer, or not usefully; the endpoint is in none of the zones.

        """
        return await self._read(endpoint, closest_zone(self.name, self.zones, endpoint), self._deadline())

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        """Read the TXT strings of the sentinel from the server's database.

        Raises:
            Unavailable: As `read`.

        """
        return (await self.read(endpoint)).sentinel

    async def _read(self, endpoint: str, zone: Name, deadline: float) -> Live:
        owners = Owners.of(endpoint)
        try:
            texts = await self._name(owners.sentinel, zone, deadline)
            sets = await self._name(owners.endpoint, zone, deadline)
            return powerdns_sets.live(owners, at_sentinel=texts, at_endpoint=sets)
        except Unavailable as error:
            raise Unavailable(f"{self.name}: {error.message}", hint=error.hint) from error

    async def _name(self, owner: Name, zone: Name, deadline: float) -> bytes:
        answer = await self._call("GET", zone, deadline, query=f"?rrset_name={quote(str(owner))}")
        if answer.status != 200:
            raise Unavailable(f"{self._api}: {_words(answer)}", hint=_hint(answer.status, zone))
        return answer.body

    async def commit(self, transaction: Transaction) -> Reply:
        """Compare, then carry out one transaction in one PATCH; see above for what may come in between.

        Raises:
            UnsafePlan: The resulting record sets would leave the endpoint empty; nothing was sent.

        """
        deadline = self._deadline()
        try:
            zone = closest_zone(self.name, self.zones, transaction.endpoint)
            updates.refuse_empty(transaction, zone)
            now = await self._read(transaction.endpoint, zone, deadline)
        except Unavailable as error:
            return Reply(Outcome.FAILED, str(error))
        if changed := difference(now, transaction.seen):
            return Reply(Outcome.CONFLICT, changed)
        try:
            return _judge(await self._call("PATCH", zone, deadline, body=powerdns_sets.patch_of(transaction)), zone)
        except NoReply as error:
            return Reply(Outcome.LOST, error.message)
        except Unavailable as error:
            return Reply(Outcome.FAILED, error.message)

    async def refusal(self, zone: str, endpoints: Sequence[Endpoint]) -> str:
        """Why the API refuses the key; empty if it does not. The one key may change whatever it may read.

        Raises:
            Unavailable: The API did not answer, or not usefully.

        """
        del endpoints
        name = dns.name.from_text(zone)
        answer = await self._call("GET", name, self._deadline(), query=f"?rrset_name={quote(str(name))}")
        if 400 <= answer.status < 500:
            return f"{self._api}: {_refusal(answer, name)}"
        if answer.status != 200:
            raise Unavailable(f"{self.name}: {self._api}: {_words(answer)}")
        return ""

    async def _call(self, method: str, zone: Name, deadline: float, *, query: str = "", body: bytes = b"") -> Answer:
        path = f"/api/v1/servers/localhost/zones/{quote(str(zone))}{query}"
        headers = {"X-API-Key": self.api_key, "Content-Type": "application/json"}
        return await ask(self._api, Request(method, path, headers, body), tls=self._tls, deadline=deadline)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout


def _judge(answer: Answer, zone: Name) -> Reply:
    if answer.status in (200, 204):
        return Reply(Outcome.COMMITTED)
    if 400 <= answer.status < 500:  # refused before or inside the transaction: nothing changed
        return Reply(Outcome.FAILED, _refusal(answer, zone))
    # A failing server, or a proxy that lost it, may have failed after the transaction: only reading tells.
    return Reply(Outcome.LOST, _words(answer))


def _refusal(answer: Answer, zone: Name) -> str:
    hint = _hint(answer.status, zone)
    return f"{_words(answer)} ({hint})" if hint else _words(answer)


def _words(answer: Answer) -> str:
    try:
        said = str(json.loads(answer.body)["error"])
    except (ValueError, LookupError, TypeError):
        said = answer.body.decode("ascii", "replace")
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
    return f"status {answer.status}: {plain[:WORDS_MAX]}" if plain else f"status {answer.status}"


def _hint(status: int, zone: Name) -> str:
    match status:
        case 401 | 403:
            return "compare the key with api-key in its pdns.conf, and this machine with webserver-allow-from"
        case 404:
            return f"has the server the zone {zone}, and api=yes?"
    return ""
