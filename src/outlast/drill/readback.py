"""What became of the writes, read from the regions' own servers when an act is over.

A write is lost if somebody was told that it is kept (acknowledged by a region, or parked by the client) and no region
has it. It is duplicated if more than one region took it for new: a service tells its own writes, in its outbox, from
those that another region sent it; the DynamoDB stand-ins copy nothing to each other, so an item that both have was
taken twice.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from outlast.data.region import RegionStore
from outlast.drill.names import TABLE, TABLE_GROUPS
from outlast.drill.score import Written
from outlast.drill.table_wire import TARGET, signature
from outlast.errors import OutlastError

TIMEOUT = 2.0
"""Seconds for one answer; a region that is stopped has nothing."""
READ_AT_ONCE = 500
"""Keys of one question to a service, which takes twice as many."""
MAX_PAGES = 1_000

Places = Mapping[str, tuple[str, int]]
"""Address and port of each region's server."""


def read_back(group: str, writes: Mapping[str, str], *, places: Places, folder: Path) -> Written:
    """Look for a group's writes.

    Args:
        group: Decides which servers are asked.
        writes: Key to value.
        places: Where they are.
        folder: Where the services' stores are, for what each has accepted itself.

    """
    if not writes:
        return Written(frozenset(), frozenset())
    if group in TABLE_GROUPS:
        tables = [scan(place, region) for region, place in places.items()]
        found = {key for table in tables for key, value in table.items() if writes.get(key) == value}
        return Written(frozenset(found), _in_several(tables, writes))
    readable = frozenset(key for place in places.values() for key in _readable(place, writes))
    accepted = [_accepted(folder / f"{region}.db", region) for region in places]
    return Written(readable, _in_several(accepted, writes))


def _in_several(regions: Iterable[Iterable[str]], writes: Mapping[str, str]) -> frozenset[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for region in regions:
        keys = set(region) & set(writes)
        twice |= keys & seen
        seen |= keys
    return frozenset(twice)


def _readable(place: tuple[str, int], writes: Mapping[str, str]) -> Iterator[str]:
    """The keys that a region's service gives with the value that was written."""
    host, port = place
    keys = iter(writes)
    with httpx.Client(base_url=f"http://{host}:{port}", timeout=TIMEOUT, trust_env=False) as client:
        while asked := list(islice(keys, READ_AT_ONCE)):
            try:
                values = client.post("/read", json={"keys": asked}).raise_for_status().json()["values"]
            except httpx.HTTPError:
                return  # nobody is there, or it has not caught up: for the other keys, too
            yield from (key for key in asked if values.get(key) == writes[key])


def _accepted(path: Path, region: str) -> set[str]:
    """The keys that a region has accepted itself."""
    try:
        with RegionStore(path, region) as store:
            return set(made_in(store))
    except OutlastError:
        return set()


def made_in(store: RegionStore) -> list[str]:
    """The keys of all that a region has accepted itself, oldest first."""
    found: list[str] = []
    after = 0
    while batch := store.changes(after).changes:
        found += [change.key for change in batch]
        after = batch[-1].sequence
    return found


def scan(place: tuple[str, int], region: str) -> dict[str, str]:
    """Every item of a stand-in's table, as key to value; nothing if it is not there."""
    headers = {**signature(region), "x-amz-target": f"{TARGET}.Scan"}
    found: dict[str, str] = {}
    start: dict[str, Any] = {}
    host, port = place
    with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
        for _ in range(MAX_PAGES):
            body = json.dumps({"TableName": TABLE, **start})
            try:
                response = client.post(f"http://{host}:{port}/", content=body, headers=headers).raise_for_status()
            except httpx.HTTPError:
                return found
            page = response.json()
            found |= {item["key"]["S"]: item["value"]["S"] for item in page["Items"]}
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return found
