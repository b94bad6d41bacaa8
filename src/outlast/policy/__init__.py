"""One call: retry, budget, deadline and breaker, fused in a `Policy`."""

from outlast.policy.admission import PolicyStats, Stop
from outlast.policy.attempts import Attempt, Attempts
from outlast.policy.breaker import Breaker, CircuitState, CircuitStats
from outlast.policy.budget import Budget, BudgetStats
from outlast.policy.driver import remaining
from outlast.policy.keyed import Keyed
from outlast.policy.policy import Policy
from outlast.policy.retry import Retry
from outlast.policy.transient import transient

__all__ = [
    "Attempt",
    "Attempts",
    "Breaker",
    "Budget",
    "BudgetStats",
    "CircuitState",
    "CircuitStats",
    "Keyed",
    "Policy",
    "PolicyStats",
    "Retry",
    "Stop",
    "remaining",
    "transient",
]
