"""The shipped Route 53 provider over Route 53 in memory, on a clock that only waiting moves."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from zone_world import OPEN, WILD

from outlast.provider.memory import MemoryRoute53
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_batch import Change, changes
from outlast.provider.route53_client import Route53Client
from outlast.traffic.ports import Transaction

T = TypeVar("T")

SECOND = 10**9
ZONE_ID, WILD_ID = "ZOPEN", "ZWILD"


class HandClock:
    """A clock that stands until somebody waits."""

    def __init__(self) -> None:
        self.nanoseconds = 1_000 * SECOND

    def now(self) -> int:
        return self.nanoseconds

    def wall(self) -> int:
        return self.nanoseconds

    async def sleep(self, seconds: float) -> None:
        self.nanoseconds += int(seconds * SECOND)
        await asyncio.sleep(0)


class Account:
    """Route 53 in memory, and the provider on it."""

    def __init__(self, **options: Any) -> None:
        self.clock = HandClock()
        self.aws = MemoryRoute53(self.clock, {ZONE_ID: OPEN, WILD_ID: WILD}, **options)

    def provider(self, client: Route53Client | None = None, **options: Any) -> Route53Provider:
        """Each has a pace of its own, as programs on different machines do."""
        return self._made(Route53Provider, client, **options)

    def blind(self) -> Route53Provider:
        """A provider without the fence."""
        return self._made(Blind, None)

    def _made(self, kind: type[Route53Provider], client: Route53Client | None, **options: Any) -> Route53Provider:
        return kind(
            name="p",
            zones={OPEN: ZONE_ID, WILD: WILD_ID},
            client=client or self.aws,
            clock=self.clock,
            sleep=self.clock.sleep,
            jitter=lambda: 0.5,
            **options,
        )

    def change(self, *steps: tuple[str, str, str, int, Sequence[str]], zone_id: str = ZONE_ID) -> None:
        """Change the zone behind everybody's back: `(action, name, type, ttl, values)`."""
        self.change_sets(
            *((action, plain(name, rdtype, ttl, values)) for action, name, rdtype, ttl, values in steps),
            zone_id=zone_id,
        )

    def change_sets(self, *steps: tuple[str, dict[str, Any]], zone_id: str = ZONE_ID) -> None:
        """Change the zone behind everybody's back: `(action, set)`."""
        self.clock.nanoseconds += 60 * SECOND
        batch = [{"Action": action, "ResourceRecordSet": item} for action, item in steps]
        self.aws.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": batch})


class Blind(Route53Provider):
    """What most tools do, and a test must find: UPSERT of what shall be, with no comparison."""

    def _batch(self, transaction: Transaction) -> tuple[Change, ...]:
        kept = {item.type for item in transaction.content.sets}
        creating = [change for change in changes(transaction) if change["Action"] == "CREATE"]
        going = [
            change
            for change in changes(transaction)
            if change["Action"] == "DELETE" and change["ResourceRecordSet"]["Type"] not in {*kept, "TXT"}
        ]
        return (*going, *({**change, "Action": "UPSERT"} for change in creating))


def plain(name: str, rdtype: str, ttl: int, values: Sequence[str]) -> dict[str, Any]:
    records = [{"Value": value} for value in values]
    return {"Name": f"{name}.", "Type": rdtype, "TTL": ttl, "ResourceRecords": records}


def weighted(name: str, identifier: str, value: str, **more: Any) -> dict[str, Any]:
    return {**plain(name, "A", 60, [value]), "SetIdentifier": identifier, "Weight": 1, **more}


def alias(name: str, target: str, zone_id: str = ZONE_ID) -> dict[str, Any]:
    points = {"HostedZoneId": zone_id, "DNSName": f"{target}.", "EvaluateTargetHealth": False}
    return {"Name": f"{name}.", "Type": "A", "AliasTarget": points}


def run(what: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(what)
