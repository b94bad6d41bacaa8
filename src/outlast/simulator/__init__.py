"""Worlds in which the machines that ship are tried: every interleaving (explorer), or many at random (walks).

What explores needs numpy and is loaded when it is first asked for; protocols can be described without it.
"""

from importlib import import_module

from outlast.simulator.protocol import Agent, Check, Health, Move, Protocol, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outlast.simulator.exploration import Exploration
    from outlast.simulator.explorer import explore
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

_HOMES = {
    "Exploration": "outlast.simulator.exploration",
    "Line": "outlast.simulator.tracing",
    "Recovery": "outlast.simulator.recovery",
    "explore": "outlast.simulator.explorer",
    "recover": "outlast.simulator.recovery",
    "trace_to": "outlast.simulator.tracing",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a name from its module (PEP 562)."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(home), name)
