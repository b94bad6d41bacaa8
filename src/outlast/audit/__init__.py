"""Looks at a set-up before an outage does: what would break, and what to change. `outlast doctor` runs it."""

from outlast.audit.findings import Finding, Level
from outlast.audit.zone_rules import ZoneFacts, judge_zone

__all__ = ["Finding", "Level", "ZoneFacts", "judge_zone"]
