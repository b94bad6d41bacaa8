"""Where plans live: adapters of the port `outlast.traffic.ports.Registry`."""

from outlast.registry.memory import MemoryRegistry
from outlast.registry.sqlite import SqliteRegistry

__all__ = ["MemoryRegistry", "SqliteRegistry"]
