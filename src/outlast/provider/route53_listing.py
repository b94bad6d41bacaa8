"""What Route 53 lists of an endpoint: its own sets and its sentinel's, mostly in one request."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from outlast.provider.route53_calls import Calls
from outlast.provider.route53_sets import ApiSet, live, name_of
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import sentinel_name

PAGE = "20"
"""Sets listed at once: an endpoint's own and, close behind in the order of names, its sentinel. The API's most is 300."""


class Look(NamedTuple):
    """What was listed of an endpoint, and what it means."""

    live: Live
    sets: tuple[ApiSet, ...]


class Listed(NamedTuple):
    """Sets in the order of their names; `is_cut` if the zone has more behind them."""

    sets: tuple[ApiSet, ...]
    is_cut: bool


async def look(calls: Calls, zone_id: str, endpoint: str) -> Look:
    """List an endpoint. Between two requests it may change; what is then read of it is refused by the next batch.

    Raises:
        Failure: The API did not answer, or not usefully.

    """
    owners = (endpoint, sentinel_name(endpoint))
    listed = await _list(calls, zone_id, {"StartRecordName": f"{endpoint}."}, owners)
    if listed.is_cut and not _has(listed.sets, owners[1]):
        # Many names below the endpoint come before its sentinel.
        more = await _list(calls, zone_id, {"StartRecordName": f"{owners[1]}."}, owners)
        listed = Listed((*listed.sets, *more.sets), more.is_cut)
    own = tuple(item for item in listed.sets if name_of(item["Name"]) in owners)
    return Look(live(endpoint, own), own)


async def _list(calls: Calls, zone_id: str, start: Mapping[str, str], owners: Sequence[str]) -> Listed:
    # From `start` on, and on while the next page begins with more of the same owners.
    sets: list[ApiSet] = []
    while True:
        answer = await calls.ask("list_resource_record_sets", HostedZoneId=zone_id, MaxItems=PAGE, **start)
        sets += answer["ResourceRecordSets"]
        start = _next_page(answer)
        if name_of(start.get("StartRecordName", "")) not in owners:
            return Listed(tuple(sets), bool(start))


def _next_page(answer: Mapping[str, Any]) -> dict[str, str]:
    if not answer.get("IsTruncated"):
        return {}
    parts = {part: answer.get(f"NextRecord{part}") for part in ("Name", "Type", "Identifier")}
    return {f"StartRecord{part}": value for part, value in parts.items() if value}


def _has(sets: Sequence[ApiSet], owner: str) -> bool:
    return any(name_of(item["Name"]) == owner for item in sets)
