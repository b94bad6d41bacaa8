"""Worlds in which the machines that ship are tried: every interleaving (explorer), or many at random (walks)."""

from outlast.simulator.exploration import Exploration
from outlast.simulator.explorer import explore
from outlast.simulator.protocol import Agent, Check, Health, Move, Protocol, Verdict
from outlast.simulator.recovery import Recovery, recover
from outlast.simulator.tracing import Line, trace_to

__all__ = [
    "Agent",
    "Check",
    "Exploration",
    "Health",
    "Line",
    "Move",
    "Protocol",
    "Recovery",
    "Verdict",
    "explore",
    "recover",
    "trace_to",
]
