"""What a monitoring system wants to know of the control plane."""

from outlast.telemetry.watch import PlaceReading, Snapshot, Watch

__all__ = ["PlaceReading", "Snapshot", "Watch"]
