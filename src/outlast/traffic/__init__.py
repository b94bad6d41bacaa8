"""The control plane's protocol: what exists, what is planned, what was written, and the ports to where both live."""

from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.ports import Known, Live, Outcome, Provider, Record, Registry, Reply, Transaction
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target, Topology

__all__ = [
    "Content",
    "Endpoint",
    "Entry",
    "Known",
    "Live",
    "Outcome",
    "Plan",
    "Provider",
    "Record",
    "Registry",
    "Reply",
    "Sentinel",
    "Standing",
    "Target",
    "Topology",
    "Transaction",
]
