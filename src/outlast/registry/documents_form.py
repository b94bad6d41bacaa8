"""How the documents of a registry are written: JSON, compressed, of a known format, with nothing unread in between."""

import json
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from outlast.errors import Unavailable
from outlast.health.signal import Signal
from outlast.registry.document import Form
from outlast.registry.rows import damaged, order_of, record_of, row_of_order, row_of_record, signal_of
from outlast.registry.shelf import Shelf, Shelved, Signals
from outlast.traffic.ports import AheadReport, Lease

Value = TypeVar("Value")

FORMAT = 1


def shelf_form(where: object) -> Form[Shelf]:
    """How a shelf is written; `where` names the registry in errors."""
    return Form(Shelf, Shelf.copy, _decoder(where, lambda raw: _shelf(raw, where)), _encoded_shelf)


def signals_form(where: object) -> Form[Signals]:
    """How signals are written."""
    return Form(dict, dict, _decoder(where, _signals), _encoded_signals)


def _decoder(where: object, read: Callable[[Any], Value]) -> Callable[[bytes], Value]:
    def decode(data: bytes) -> Value:
        try:
            raw = json.loads(zlib.decompress(data))
            if raw["format"] != FORMAT:
                raise Unavailable(f"registry {where}: its format is {raw['format']!r:.20}", hint="upgrade outlast here")
            return read(raw)
        except (zlib.error, KeyError, TypeError, ValueError, RecursionError) as error:
            raise damaged(where, f"{error!r:.200}") from error

    return decode


def _packed(raw: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps({"format": FORMAT, **raw}, separators=(",", ":")).encode())


def _shelf(raw: Any, where: object) -> Shelf:
    records = [record_of(row, where=where) for row in raw["records"]]
    reports = [AheadReport(str(it[0]), str(it[1]), int(it[2]), str(it[3])) for it in raw["reports"]]
    return Shelf(
        floor=int(raw["floor"]),
        plans={int(it[0]): Shelved(int(it[1]), int(it[2]), str(it[3])) for it in raw["plans"]},
        records={(record.provider, record.endpoint): record for record in records},
        reports={(report.provider, report.endpoint): report for report in reports},
        leases={str(it[0]): Lease(str(it[0]), str(it[1]), int(it[2]), int(it[3])) for it in raw["leases"]},
        orders={order.key: order for order in map(order_of, raw["orders"])},
        deeds=int(raw["deeds"]),
    )


def _encoded_shelf(shelf: Shelf) -> bytes:
    return _packed(
        {
            "floor": shelf.floor,
            "plans": [[generation, *plan] for generation, plan in shelf.plans.items()],
            "records": [row_of_record(record) for record in shelf.records.values()],
            "reports": list(shelf.reports.values()),
            "leases": list(shelf.leases.values()),
            "orders": [row_of_order(order) for order in shelf.orders.values()],
            "deeds": shelf.deeds,
        }
    )


def _signals(raw: Any) -> Signals:
    signals: list[Signal] = [signal_of(row) for row in raw["signals"]]
    return {(signal.target, signal.observer): signal for signal in signals}


def _encoded_signals(signals: Signals) -> bytes:
    return _packed({"signals": list(signals.values())})
