"""What is kept while it cannot be delivered, and what is copied between regions."""

from outlast.data.changes import Batch, Change, Conflict, Lag, Origin
from outlast.data.desk import DrainOptions
from outlast.data.queue import Queue
from outlast.data.ramp import RampOptions
from outlast.data.records import Dead, Delivered, Message, Parked, Receipt, Stats
from outlast.data.refusal import DedupMismatch, KeyTaken, LeaseLost, QueueFull, TooLate
from outlast.data.region import RegionStore
from outlast.data.shipper import Shipper, ShipperOptions, StoreTarget, Target

__all__ = [
    "Batch",
    "Change",
    "Conflict",
    "Dead",
    "DedupMismatch",
    "Delivered",
    "DrainOptions",
    "KeyTaken",
    "Lag",
    "LeaseLost",
    "Message",
    "Origin",
    "Parked",
    "Queue",
    "QueueFull",
    "RampOptions",
    "Receipt",
    "RegionStore",
    "Shipper",
    "ShipperOptions",
    "Stats",
    "StoreTarget",
    "Target",
    "TooLate",
]
