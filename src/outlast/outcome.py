"""What became of a call, in the few words that every statistic of ours understands."""

from enum import Enum


class Outcome(Enum):
    """What one attempt is evidence of."""

    OK = "ok"
    """The service did its work."""
    FAILURE = "failure"
    """The service failed or was not reached: counted by breakers and ejection."""
    IGNORED = "ignored"
    """An error that is no evidence against the service, such as one of our own refusals: counted by nobody."""
    CANCELLED = "cancelled"
    """The caller lost interest. Neither success nor failure: what was held is given back, nothing is counted."""
