"""Route 53 through boto3: tier T1, since a change batch compares and swaps (`route53_batch`).

Reads are the API's ListResourceRecordSets, which gives the newest version of each set, also of those that are still on
their way to the name servers (API Reference, "Resource record sets that are PENDING"); never a resolver's.

What it does not promise: the change API stood in one region and was down with it on 20 October 2025. Nothing here can
write then; `route53_failover` prepares names so that a region can be left without a write.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name

from outlast.clock import Clock
from outlast.errors import InvalidConfig, Unavailable
from outlast.provider.route53_batch import Change, changes, refusal
from outlast.provider.route53_calls import REQUESTS_PER_SECOND, Calls
from outlast.provider.route53_client import Connection, Doom, Failure, Route53Client, connect, is_installed
from outlast.provider.route53_listing import Look, look
from outlast.provider.updates import refuse_empty
from outlast.system_clock import SystemClock
from outlast.traffic.ports import Live, Outcome, Reply, Tier, Transaction

MAX_TIMEOUT = 60.0
AT_ONCE = 8
"""Five requests a second are allowed; more endpoints would only stand in the queue for them."""
MAX_WAIT_INSYNC = 300.0
"""Changes generally propagate within 60 seconds (API Reference, ChangeResourceRecordSets)."""
POLL_SECONDS = 2.0

_OUTCOMES = {
    Doom.PUT_OFF: Outcome.FAILED,
    Doom.INVALID: Outcome.CONFLICT,
    Doom.REFUSED: Outcome.FAILED,
    Doom.UNSENT: Outcome.FAILED,
    Doom.SILENT: Outcome.LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route53Provider:
    """The port `Provider` on Route 53.

    Args:
        name: What the configuration calls it.
        zones: Each zone's name and its id at Route 53; an endpoint belongs to the closest above it.
        endpoint_url: Where the API is, if not at AWS: for tests.
        timeout: Seconds for one request with its repetitions, at most `MAX_TIMEOUT`; waiting for a turn is not counted.
        wait_insync: Seconds that a commit waits until all name servers have it; 0: not at all. It only tells, in the
            reply's detail: the transaction is committed before.
        requests_per_second: This provider's share of the account's five.
        is_reader: Refuses to write. The credentials are boto3's all the same; give planner and janitor some that may
            only list.
        clock: Times turns and repetitions.
        sleep: Waits so many seconds.
        jitter: A number from 0 up to 1, for the pauses before a repetition.
        client: Answers instead of boto3's client.

    Raises:
        InvalidConfig: With every fault found, a missing boto3 among them.

    """

    name: str
    zones: Mapping[str, str]
    endpoint_url: str = ""
    timeout: float = 10.0
    wait_insync: float = 0.0
    requests_per_second: int = REQUESTS_PER_SECOND
    is_reader: bool = False
    clock: Clock = field(default_factory=SystemClock, repr=False)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False)
    jitter: Callable[[], float] = field(default=random.random, repr=False)
    client: Route53Client | None = field(default=None, repr=False)
    _calls: Calls = field(init=False, repr=False)

    def __post_init__(self) -> None:
        faults = tuple(f"provider {self.name}: {fault}" for fault in self._faults())
        if faults:
            raise InvalidConfig(faults)
        calls = Calls(
            self._connection,
            per_second=self.requests_per_second,
            timeout=self.timeout,
            clock=self.clock,
            sleep=self.sleep,
            jitter=self.jitter,
        )
        object.__setattr__(self, "_calls", calls)

    def _faults(self) -> list[str]:
        faults = [] if self.zones else ['zones: name at least one, with its id: zones = {"example.com" = "Z123"}']
        faults += [f"zones: {zone!r} is not a domain name" for zone in self.zones if not _is_name(zone)]
        faults += [f"zones: {zone!r} has no id" for zone, zone_id in self.zones.items() if not zone_id]
        if not 0 < self.timeout <= MAX_TIMEOUT:
            faults.append(f"timeout: {self.timeout:g} is not within 0 and {MAX_TIMEOUT:g} seconds")
        if not 0 <= self.wait_insync <= MAX_WAIT_INSYNC:
            faults.append(f"wait_insync: {self.wait_insync:g} is not within 0 and {MAX_WAIT_INSYNC:g} seconds")
        if self.requests_per_second < 1:
            faults.append(f"requests_per_second: {self.requests_per_second} is not 1 or more")
        if self.client is None and not is_installed():
            faults.append("it needs boto3: pip install 'outlast[route53]'")
        return faults

    def _connection(self) -> Connection:
        if self.client is not None:
            return Connection(self.client, ())
        return connect(endpoint_url=self.endpoint_url, timeout=self.timeout)

    @property
    def tier(self) -> Tier:
        return Tier.T1

    @property
    def at_once(self) -> int:
        return AT_ONCE

    # ------------------------------------------------------------------------------------------------- reading

    async def read(self, endpoint: str) -> Live:
        """Read sentinel and address-bearing sets; what a wildcard makes up is not in the list, and so is not there.

        Raises:
            Unavailable: The API did not answer usefully; the endpoint is in none of the zones.

        """
        return (await self.look(endpoint)).live

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        """Read the TXT strings of the sentinel.

        Raises:
            Unavailable: As `read`.

        """
        return (await self.look(endpoint)).live.sentinel

    async def look(self, endpoint: str) -> Look:
        """Read an endpoint with its sets as the API lists them.

        Raises:
            Unavailable: As `read`.

        """
        zone_id = self.zones[self.zone_of(endpoint)]
        try:
            return await look(self._calls, zone_id, endpoint)
        except Failure as failure:
            raise Unavailable(f"{self.name}: {failure.message}", hint=failure.hint) from failure

    # ------------------------------------------------------------------------------------------------- writing

    async def commit(self, transaction: Transaction) -> Reply:
        """Carry out one transaction in one change batch.

        Raises:
            UnsafePlan: The resulting record sets would leave the endpoint empty; nothing was sent.

        """
        try:
            zone = self.zone_of(transaction.endpoint)
        except Unavailable as error:
            return Reply(Outcome.FAILED, error.message)
        refuse_empty(transaction, dns.name.from_text(zone))
        batch = self._batch(transaction)
        if refused := refusal(transaction, batch):
            return Reply(Outcome.FAILED, refused)
        return await self._sent(zone, transaction, batch)

    def _batch(self, transaction: Transaction) -> tuple[Change, ...]:
        # Apart so that a test can show what happens without the fence; nothing else may replace it.
        return changes(transaction)

    async def _sent(self, zone: str, transaction: Transaction, batch: tuple[Change, ...]) -> Reply:
        reply = await self.change(zone, batch)
        return await self._explained(zone, transaction, batch, reply) if reply.outcome is Outcome.CONFLICT else reply

    async def _explained(self, zone: str, transaction: Transaction, batch: tuple[Change, ...], reply: Reply) -> Reply:
        # Nothing was done. If what was seen still stands, reading it again will not lift the refusal: the batch is sent
        # once more in the API's own letters and without the pairs of equals. Where that is the same batch, what keeps it
        # from being made is a person's matter.
        try:
            look = await self.look(transaction.endpoint)
        except Unavailable as error:
            return Reply(Outcome.CONFLICT, f"{reply.detail}; {error.message}")
        if _in_order(look.live) != _in_order(transaction.seen):
            return reply
        exact = changes(transaction, look.sets, fences_kept=False)
        if exact == batch:
            return Reply(Outcome.FAILED, reply.detail)
        return await self._sent(zone, transaction, exact)

    async def change(self, zone: str, batch: Sequence[Change]) -> Reply:
        """Send one change batch to a zone of this provider, once. What it may contain is its maker's matter."""
        if self.is_reader:
            return Reply(Outcome.FAILED, f"{self.name} is a reader here: it changes nothing")
        try:
            answer = await self._calls.ask(
                "change_resource_record_sets", HostedZoneId=self.zones[zone], ChangeBatch={"Changes": list(batch)}
            )
        except Failure as failure:
            return Reply(_OUTCOMES[failure.doom], failure.message)
        return Reply(Outcome.COMMITTED, await self._propagation(answer["ChangeInfo"]["Id"]))

    async def _propagation(self, change_id: str) -> str:
        if not self.wait_insync:
            return ""
        begun = self.clock.now()
        while (seconds := (self.clock.now() - begun) / 1e9) <= self.wait_insync:
            try:
                answer = await self._calls.ask("get_change", Id=change_id)
            except Failure as failure:
                return f"not known whether it is in sync: {failure.message}"
            if answer["ChangeInfo"]["Status"] == "INSYNC":
                return f"INSYNC within {seconds:.0f} s"
            await self._calls.rest(POLL_SECONDS)
        return f"PENDING after {self.wait_insync:g} s"

    async def create_health_check(self, *, reference: str, config: Mapping[str, Any]) -> str:
        """Create a health check, or find the one that was created with the same reference and settings; return its id.

        Raises:
            Failure: It could not be created.

        """
        request = {"CallerReference": reference, "HealthCheckConfig": dict(config)}
        answer = await self._calls.ask("create_health_check", **request)
        return str(answer["HealthCheck"]["Id"])

    # ------------------------------------------------------------------------------------------------- places

    def zone_of(self, endpoint: str) -> str:
        """The closest of its zones above `endpoint`.

        Raises:
            Unavailable: There is none.

        """
        zones = [zone for zone in self.zones if endpoint == zone or endpoint.endswith(f".{zone}")]
        if not zones:
            known = ", ".join(self.zones)
            raise Unavailable(f"{self.name}: {endpoint} is in none of its zones ({known})", hint="add its zone")
        return max(zones, key=len)


def _in_order(seen: Live) -> Live:
    return Live(tuple(sorted(seen.sentinel)), tuple(sorted(seen.sets)))


def _is_name(text: str) -> bool:
    try:
        return bool(text) and bool(dns.name.from_text(text))
    except dns.exception.DNSException:
        return False
