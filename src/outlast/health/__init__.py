"""Observations in, signals out: what can be said of each target, by whom, and since when."""

from outlast.health.detector import Detector, Thresholds
from outlast.health.signal import Signal, Verdict

__all__ = ["Detector", "Signal", "Thresholds", "Verdict"]
