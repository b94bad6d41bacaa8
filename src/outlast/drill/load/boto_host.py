"""Client machines of DynamoDB: boto3 as it comes, and boto3 behind our face over two regions.

boto3 blocks, so each call has a thread of the group's pool, which is bounded as a user's own pool would be. Both kinds
make the same calls: `GetItem` with a consistent read, and `PutItem`.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3

from outlast.client.boto import regional
from outlast.client.boto_seams import install_resolver
from outlast.client.regions import Regions
from outlast.drill.load.errand import Errand, Reply, Setting
from outlast.drill.load.memory import Memory
from outlast.drill.load.protected_host import build_policy
from outlast.drill.load.resolving import CountedResolver, build_resolver
from outlast.drill.load.sync_stub import SyncStub
from outlast.drill.load.trace import TRACE
from outlast.drill.names import TABLE

THREADS = 48
"""Calls under way at once in the group: ten a second that take four seconds each, in an outage."""

POOLS = "_pool_classes_by_scheme"
"""Where botocore keeps the classes of its connection pools."""
OPENING = "_new_conn"
"""The one place of urllib3 that opens a socket."""

_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="boto")


class BotoHost:
    """One host of the kind `boto3`: one region's client with boto3's own defaults for retries and timeouts.

    Args:
        setting: What it is told.

    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._memory = Memory()
        self._client = self._build()

    def _build(self) -> Any:
        setting = self._setting
        client = _make_client(setting.address_map)(region_name=setting.regions[0], endpoint_url=setting.url(0))
        install_resolver(client, SyncStub(setting.nameserver, on_answer=setting.on_answer))
        return client

    def _likely(self) -> str:
        return self._setting.regions[0]

    async def open(self) -> None:
        """Nothing is needed."""

    async def call(self, errand: Errand) -> Reply:
        """Make one call in a thread.

        Raises:
            botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: No answer, or a refusal.
            WrongValue: Another value than was written.

        """
        work = partial(contextvars.copy_context().run, self._put if errand.is_write else self._get, errand)
        return await asyncio.get_running_loop().run_in_executor(_pool, work)

    def _get(self, errand: Errand) -> Reply:
        key, value = (errand.key, errand.value) if errand.key is not None else self._memory.last(self._likely())
        answer = self._client.get_item(TableName=TABLE, Key={"key": {"S": key}}, ConsistentRead=True)
        reply = _reply(answer)
        found = answer.get("Item", {}).get("value", {}).get("S")
        self._memory.check(reply.region, key, expected=value, found=found)
        return reply

    def _put(self, errand: Errand) -> Reply:
        assert errand.key is not None, "a write has a key"
        item = {"key": {"S": errand.key}, "value": {"S": errand.value}}
        reply = _reply(self._client.put_item(TableName=TABLE, Item=item))
        self._memory.note(reply.region, errand.key, errand.value)
        return reply

    async def aclose(self) -> None:
        """Close connections; a thread that waits for an answer is left behind."""
        self._client.close()


class ProtectedBotoHost(BotoHost):
    """One host of the kind `boto3+outlast`: our face over a client for each region, with our resolver and policy."""

    def _build(self) -> Any:
        setting = self._setting
        self._regions = Regions({region: setting.url(index) for index, region in enumerate(setting.regions)})
        self._resolver = CountedResolver(build_resolver(setting), setting)
        return regional(
            _make_client(setting.address_map),
            "dynamodb",
            regions=self._regions,
            policy=build_policy("table", deadline=setting.deadline),
            # `put_item` is not named as idempotent: within a table it is, but these two do not copy to each other, and a
            # write that may have been carried out in one must not be made in the other. So it moves only if unsent.
            resolver=self._resolver,
        )

    def _likely(self) -> str:
        return next((region.name for region in self._regions.stats() if not region.is_ejected), self._regions.home)

    async def aclose(self) -> None:
        """Close connections, and write what the resolver knows."""
        await super().aclose()
        self._resolver.close()


def _reply(answer: Mapping[str, Any]) -> Reply:
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return Reply(headers["x-region"], headers["x-target"])


def _make_client(address_map: Mapping[str, tuple[str, int]]) -> Callable[..., Any]:
    session = _session()

    def make(**options: Any) -> Any:
        client = session.client("dynamodb", **options)
        client.meta.events.register("before-send.dynamodb", _count_attempt)
        _count_connections(client, address_map)
        return client

    return make


def _session() -> Any:
    # What the machine's owner has configured for the real AWS must reach nobody here, nor change boto3's defaults.
    for name in [name for name in os.environ if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return boto3.Session(**dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "drill"))


def _count_attempt(**_: Any) -> None:
    trace = TRACE.get(None)
    if trace is not None:
        trace.attempts += 1


def _count_connections(client: Any, address_map: Mapping[str, tuple[str, int]]) -> None:
    """Count the connections of a client, and let them go where mapped addresses are; botocore has no public way in."""
    session = vars(client)["_endpoint"].http_session
    classes = {scheme: _counting(pool, address_map) for scheme, pool in vars(session)[POOLS].items()}
    vars(session)[POOLS] = vars(session)["_manager"].pool_classes_by_scheme = classes


def _counting(pool: Any, address_map: Mapping[str, tuple[str, int]]) -> Any:
    inner = getattr(pool.ConnectionCls, OPENING)

    def new_connection(connection: Any) -> Any:
        before = connection.host, connection.port
        connection.host, connection.port = address_map.get(connection.host, before)
        try:
            opened = inner(connection)
        finally:
            connection.host, connection.port = before
        trace = TRACE.get(None)
        if trace is not None:
            trace.connections += 1
        return opened

    kind = type("CountedConnection", (pool.ConnectionCls,), {OPENING: new_connection})
    return type("CountedPool", (pool,), {"ConnectionCls": kind})
