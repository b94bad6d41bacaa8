"""outlast: keep a service reachable when DNS, a region or a control plane fails.

The public names are loaded when they are first asked for (PEP 562): `import outlast` costs next to nothing, and a
process that needs one room never pays for another, nor fails because another's dependency is broken.
"""

from importlib import import_module

# Type checkers take this for `typing.TYPE_CHECKING`, whose module would be two thirds of the time this import takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from outlast.errors import InvalidConfig, OutlastError, Refused, Unavailable, UnsafePlan
    from outlast.traffic.content import Content
    from outlast.traffic.plan import Entry, Plan
    from outlast.traffic.topology import Endpoint, Target, Topology

__version__ = "0.1.0"

__all__ = [
    "Content",
    "Endpoint",
    "Entry",
    "InvalidConfig",
    "OutlastError",
    "Plan",
    "Refused",
    "Target",
    "Topology",
    "Unavailable",
    "UnsafePlan",
    "__version__",
]

# Where each public name lives. Type checkers read the imports above; a test holds the three lists against each other.
_HOMES = {
    "Content": "outlast.traffic.content",
    "Endpoint": "outlast.traffic.topology",
    "Entry": "outlast.traffic.plan",
    "InvalidConfig": "outlast.errors",
    "OutlastError": "outlast.errors",
    "Plan": "outlast.traffic.plan",
    "Refused": "outlast.errors",
    "Target": "outlast.traffic.topology",
    "Topology": "outlast.traffic.topology",
    "Unavailable": "outlast.errors",
    "UnsafePlan": "outlast.errors",
}


if not TYPE_CHECKING:  # otherwise a checker would believe in every name, misspelt ones too

    def __getattr__(name: str) -> object:
        """Load a public name from its room and keep it, so that this runs once for each name."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
