"""Ships one region's writes to another region's service over HTTP: the product's own shipper as a child of the drill.

Each batch says until when its answer is of use and how many writes its sender has beyond it, so that a target that was
away knows when it has caught up. An empty batch goes out every half second for the same reason: without a new write a
target would never hear that nothing is missing.
Run as `python -m outlast.drill.shipper OPTIONS.json`; the options are `ShipperRole`.
"""

import asyncio
import contextlib
import signal
import ssl
import time
from dataclasses import dataclass

import httpx

from outlast.data.changes import Batch
from outlast.data.region import RegionStore
from outlast.data.shipper import Shipper, ShipperOptions
from outlast.drill import late
from outlast.drill.child import Lines, require, run_child
from outlast.drill.service import MISSING
from outlast.errors import OutlastError, Unavailable

PULSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipperRole:
    """What one direction's shipper is told.

    Args:
        region: Whose writes.
        database: Path of that region's store.
        target: The other region.
        addresses: Where its service listens; tried in turn, the next one after each failure.
        output: Path of the JSON lines file.
        timeout: Seconds for one batch.
        backoff_max: Seconds between tries at most: catching up begins this long after the target is back.

    """

    region: str
    database: str
    target: str
    addresses: tuple[tuple[str, int], ...]
    output: str
    timeout: float = 0.5
    backoff_max: float = 0.5

    def __post_init__(self) -> None:
        require((bool(self.addresses), "addresses: at least one is needed"))


class ServiceTarget:
    """Another region's service, as the shipper sees it."""

    def __init__(self, options: ShipperRole, store: RegionStore, client: httpx.AsyncClient) -> None:
        self._options = options
        self._store = store
        self._client = client
        self._turn = 0

    async def apply(self, batch: Batch) -> int:
        """Send a batch; see `Target`.

        Raises:
            Unavailable: No answer, or one that confirms nothing.

        """
        address, port = self._options.addresses[self._turn % len(self._options.addresses)]
        headers = {
            late.HEADER: f"{time.time() + self._options.timeout:.6f}",
            MISSING: str(await asyncio.to_thread(self._missing, batch)),
        }
        try:
            response = await self._client.post(
                f"http://{address}:{port}/replicate", content=batch.to_json(), headers=headers
            )
            return int(response.raise_for_status().json()["position"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self._turn += 1
            raise Unavailable(f"{self._options.target} at {address}:{port}: {error!r}") from error
        except asyncio.CancelledError:
            self._turn += 1  # out of time: the other address may be alive
            raise

    def _missing(self, batch: Batch) -> int:
        if batch.changes:
            return self._store.last() - batch.changes[-1].sequence
        return self._store.lag(self._options.target).writes


async def ship(options: ShipperRole, lines: Lines) -> None:
    """Ship until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = ShipperOptions(timeout=options.timeout, backoff_max=options.backoff_max)
    # trust_env: a proxy named in the environment must not take batches to loopback. Plain HTTP needs no certificates.
    client = httpx.AsyncClient(trust_env=False, timeout=options.timeout, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    with RegionStore(options.database, options.region) as store:
        target = ServiceTarget(options, store, client)
        shipper = Shipper(store, target, name=options.target, options=settings)
        lines.write("ready", {"t": time.monotonic(), "region": options.region, "target": options.target})
        tasks = [asyncio.create_task(shipper.run()), asyncio.create_task(_pulse(target, store))]
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.aclose()
        lines.write("end", {"t": time.monotonic(), **shipper.progress()._asdict()})


async def _pulse(target: ServiceTarget, store: RegionStore) -> None:
    while True:
        await asyncio.sleep(PULSE_SECONDS)
        # Only the shipper itself draws conclusions from what becomes of a batch.
        with contextlib.suppress(OutlastError):
            await target.apply(Batch(origin=store.origin, changes=()))


def serve(options: ShipperRole) -> None:
    """Ship until SIGTERM."""
    lines = Lines(options.output)
    asyncio.run(ship(options, lines))
    lines.close()


if __name__ == "__main__":
    raise SystemExit(run_child(ShipperRole, serve))
