"""outlast: keep a service reachable when DNS, a region or a control plane fails.

The public names are loaded when they are first asked for (PEP 562): `import outlast` costs next to nothing, and a
process that needs one room never pays for another, nor fails because another's dependency is broken.
"""

from importlib import import_module

# Type checkers take this for `typing.TYPE_CHECKING`, whose module would be two thirds of the time this import takes.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from outlast.client.explanation import explain
    from outlast.client.protecting import protect
    from outlast.client.regions import Regions
    from outlast.data.queue import Queue
    from outlast.data.records import Delivered, Parked
    from outlast.errors import (
        BudgetExhausted,
        CircuitOpen,
        DeadlineExceeded,
        InvalidConfig,
        OutlastError,
        Refused,
        Rejected,
        ResolutionFailed,
        Unavailable,
        UnsafePlan,
    )
    from outlast.policy.breaker import Breaker
    from outlast.policy.budget import Budget
    from outlast.policy.driver import remaining
    from outlast.policy.policy import Policy
    from outlast.policy.retry import Retry
    from outlast.policy.transient import transient
    from outlast.resolver.answer import Answer
    from outlast.resolver.options import Protect, Stale, Strict
    from outlast.resolver.resolver import Resolver
    from outlast.traffic.content import Content
    from outlast.traffic.plan import Entry, Plan
    from outlast.traffic.topology import Endpoint, Target, Topology

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Breaker",
    "Budget",
    "BudgetExhausted",
    "CircuitOpen",
    "Content",
    "DeadlineExceeded",
    "Delivered",
    "Endpoint",
    "Entry",
    "InvalidConfig",
    "OutlastError",
    "Parked",
    "Plan",
    "Policy",
    "Protect",
    "Queue",
    "Refused",
    "Regions",
    "Rejected",
    "ResolutionFailed",
    "Resolver",
    "Retry",
    "Stale",
    "Strict",
    "Target",
    "Topology",
    "Unavailable",
    "UnsafePlan",
    "__version__",
    "explain",
    "protect",
    "remaining",
    "transient",
]

# Where each public name lives. Type checkers read the imports above; a test holds the three lists against each other.
_HOMES = {
    "Answer": "outlast.resolver.answer",
    "Breaker": "outlast.policy.breaker",
    "Budget": "outlast.policy.budget",
    "BudgetExhausted": "outlast.errors",
    "CircuitOpen": "outlast.errors",
    "Content": "outlast.traffic.content",
    "DeadlineExceeded": "outlast.errors",
    "Delivered": "outlast.data.records",
    "Endpoint": "outlast.traffic.topology",
    "Entry": "outlast.traffic.plan",
    "InvalidConfig": "outlast.errors",
    "OutlastError": "outlast.errors",
    "Parked": "outlast.data.records",
    "Plan": "outlast.traffic.plan",
    "Policy": "outlast.policy.policy",
    "Protect": "outlast.resolver.options",
    "Queue": "outlast.data.queue",
    "Refused": "outlast.errors",
    "Regions": "outlast.client.regions",
    "Rejected": "outlast.errors",
    "ResolutionFailed": "outlast.errors",
    "Resolver": "outlast.resolver.resolver",
    "Retry": "outlast.policy.retry",
    "Stale": "outlast.resolver.options",
    "Strict": "outlast.resolver.options",
    "Target": "outlast.traffic.topology",
    "Topology": "outlast.traffic.topology",
    "Unavailable": "outlast.errors",
    "UnsafePlan": "outlast.errors",
    "explain": "outlast.client.explanation",
    "protect": "outlast.client.protecting",
    "remaining": "outlast.policy.driver",
    "transient": "outlast.policy.transient",
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
