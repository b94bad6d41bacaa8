"""Clients that outlast a region: regions and failover, and one module for each client library.

The modules of libraries are imported when a client of theirs is protected, never before.
"""

from outlast.client.explanation import Applied, Explanation, Missing, explain
from outlast.client.ports import Found, Resolves
from outlast.client.protecting import protect
from outlast.client.regions import Choice, Regions, RegionStats

__all__ = [
    "Applied",
    "Choice",
    "Explanation",
    "Found",
    "Missing",
    "RegionStats",
    "Regions",
    "Resolves",
    "explain",
    "protect",
]
