"""The watch as Prometheus metrics, by the official client library.

Names and units follow Prometheus' own conventions (Metric and label naming): seconds, timestamps since 1970, one metric
for each meaning, labels for places.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric

from outlast.errors import InvalidConfig
from outlast.telemetry.watch import Snapshot, Watch
from outlast.traffic.assessment import Agreement
from outlast.traffic.sentinel import Standing

PLACE = ("endpoint", "provider")
NANOSECONDS = 1e9


class WatchCollector:
    """Turns the latest look into metrics whenever somebody asks."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """All metrics; none before the first look."""
        snapshot = self._watch.last
        if snapshot is None:
            return
        yield _one("outlast_look_timestamp_seconds", "When everything was last looked at.", snapshot.wall / NANOSECONDS)
        yield _one("outlast_registry_up", "Whether the registry answered.", float(snapshot.generation is not None))
        yield from _of_registry(snapshot)
        yield from self._of_places(snapshot)

    def _of_places(self, snapshot: Snapshot) -> Iterator[Metric]:
        up = _family("outlast_provider_answers", "Whether the primary answered for this endpoint.")
        agreement = GaugeMetricFamily(
            "outlast_agreement", "1 for how plan, record and DNS agree.", labels=(*PLACE, "agreement")
        )
        held = _family("outlast_held", "Whether a person holds it.")
        not_frozen = _family("outlast_not_frozen", "1 where a freeze did not reach this provider.")
        generation = _family("outlast_generation", "The generation that the sentinel names.")
        written = _family("outlast_last_enactment_timestamp_seconds", "When it was last seen to be written.")
        addresses = _family(
            "outlast_addresses", "How many addresses it answers; a name counts as one, and as none if it is dangling."
        )
        short = _family("outlast_short_of_capacity", "1 where what the plan publishes cannot bear the load.")
        waiting = _family("outlast_waiting_for_canary", "1 where an edit waits for its canary to do well.")
        unfrozen = self._watch.not_frozen()
        for reading in snapshot.readings:
            labels = (reading.place.endpoint, reading.place.provider)
            up.add_metric(labels, float(bool(reading.content)))
            agreement.add_metric((*labels, reading.agreement), 1.0)
            not_frozen.add_metric(labels, float(reading.place in unfrozen))
            addresses.add_metric(labels, reading.addresses)
            short.add_metric(labels, float(reading.is_short))
            waiting.add_metric(labels, float(reading.is_waiting))
            if reading.sentinel is not None:
                held.add_metric(labels, float(reading.sentinel.standing is Standing.HELD))
                generation.add_metric(labels, reading.sentinel.gen)
            if (at := self._watch.last_written(reading.place)) is not None:
                written.add_metric(labels, at / NANOSECONDS)
        yield from (up, agreement, held, not_frozen, generation, written, addresses, short, waiting)
        diverging = GaugeMetricFamily(
            "outlast_divergence", "Contents that providers answer beyond one.", labels=("endpoint",)
        )
        for endpoint, count in self._watch.diverging().items():
            diverging.add_metric((endpoint,), count)
        yield diverging
        ahead = sum(reading.agreement is Agreement.AHEAD for reading in snapshot.readings)
        yield _one("outlast_ahead", "Places whose sentinel is ahead of the plan.", ahead)


def _of_registry(snapshot: Snapshot) -> Iterator[Metric]:
    known = (
        ("outlast_plan_generation", "The latest plan's generation.", snapshot.generation),
        ("outlast_plan_timestamp_seconds", "When the latest plan was made.", _seconds(snapshot.plan_at)),
        ("outlast_ahead_reports", "Reports of enactors that the planner has not answered.", snapshot.reports),
        ("outlast_orders", "Orders of people that stand.", snapshot.orders),
        (
            "outlast_oldest_signal_timestamp_seconds",
            "The oldest health signal of a target in the file; of each place the newest counts.",
            _seconds(snapshot.signals_at),
        ),
        ("outlast_orders_not_followed", "Endpoints whose plan does not follow an order.", snapshot.not_following),
        ("outlast_probers_silent", "1 where no prober has spoken for max_signal_age.", snapshot.are_probers_silent),
        ("outlast_unlisted", "Places that are ours and not in the file.", snapshot.unlisted),
        ("outlast_planned_elsewhere", "Endpoints that the plan has from another file.", snapshot.elsewhere),
    )
    yield from (_one(name, text, value) for name, text, value in known if value is not None)


def _seconds(wall: int | None) -> float | None:
    return None if wall is None else wall / NANOSECONDS


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _family(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=PLACE)


@contextmanager
def served(watch: Watch, *, address: str, port: int) -> Iterator[int]:
    """Serve `/metrics` from a thread until the block ends; gives the port, for 0 a free one.

    Raises:
        InvalidConfig: The address is not of this machine alone: there is neither authentication nor an ACL here.
        OSError: It cannot be listened on.

    """
    if not ipaddress.ip_address(address).is_loopback:
        fix = "put a proxy that authenticates in front, and listen on 127.0.0.1"
        raise InvalidConfig((f"--listen {address}: metrics are served on loopback only; {fix}",))
    registry = CollectorRegistry()
    registry.register(WatchCollector(watch))
    server, thread = start_http_server(port, addr=address, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
