"""What is wrong with targets that are names, judged by what a look-up found. Pure."""

from outlast.audit.findings import Finding, Level
from outlast.health.lookup import Found, Nothing, Silence
from outlast.health.signal import NOWHERE

CHECK = "target name"
TTL_MAX = 60
"""Seconds. For so long clients stay with an address that its operator has moved away, whatever our own TTL is."""


def judge_name(endpoint: str, name: str, found: Found | Nothing | Silence) -> Finding:
    """Whether a target of an endpoint leads anywhere, and how long clients keep where."""
    subject = f"{name} of {endpoint}"
    match found:
        case Nothing(words=words):
            fix = "mend that name, or take it out of targets: it is no refuge, and never published while another is fit"
            return Finding(Level.FAIL, CHECK, subject, f"{NOWHERE}: {words}", fix)
        case Silence(words=words):
            fix = "name servers that answer for it in [health] upstreams: probers can say nothing of it"
            return Finding(Level.UNKNOWN, CHECK, subject, words, fix)
        case Found(addresses=addresses, ttl=ttl):
            there = f"resolves to {' '.join(addresses)}, for {ttl:g} s"
            if ttl > TTL_MAX:
                fix = (
                    f"ask its operator for {TTL_MAX} s or less: so long its addresses are kept, whatever ttl says here"
                )
                return Finding(Level.WARN, CHECK, subject, there, fix)
            return Finding(Level.OK, CHECK, subject, there)
