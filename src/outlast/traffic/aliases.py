"""Which one of its names an endpoint is an alias of: a CNAME has a single value (RFC 1034, section 3.6.2). Pure.

`planning` finds out which targets are fit and which are evacuated, names like addresses. Of addresses all that are fit
are published; of names exactly one is, so here the rules become an order of preference (`Standing`):

- The published name stays while it is fit, so that nothing flaps; otherwise the first fit one as the configuration lists
  them. Nobody goes back to the first because it is well again: who wants that pins it, and lifts the pin.
- Fail open: if none is fit, one that is healthy again cuts its soak short. If none is healthy either, the published one
  stays, though it fails.
- Never empty is about what clients get. A name that resolves to nothing is no answer: it gives way even to one that
  fails its probe but resolves, and nothing moves to it, not even to leave an evacuated region. If there is no other it
  stays, for a person to see (`alarms`): an empty set would be no better, and a resolver may be wrong.
- What was published under an older configuration stays until one of the new names is fit. An edit is no evidence that
  the new name leads anywhere. A pin, or `probed = false`, says that a person knows.

A swap takes one name's evidence to leave and another's to come (healthy for `soak`), and the withheld reasons keep the first.
Velocity does not hold it back: it limits how much capacity leaves, and here as much comes. More swaps than there are
names that soaked cannot follow one another.

An alias of a provider's own kind (Route 53's, PowerDNS's ALIAS) is never made: its addresses are the provider's, so that
nobody could read back, compare and swap what clients are answered.
"""

from collections.abc import Container, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from outlast.health.signal import NOWHERE, Verdict
from outlast.traffic.content import Content
from outlast.traffic.evidence import Evidence
from outlast.traffic.topology import Endpoint
from outlast.traffic.withholding import STANDBY

if TYPE_CHECKING:
    from outlast.traffic.plan import Entry


class Standing(IntEnum):
    """How good a choice a name is, the best first."""

    FIT = 0
    SOAKING = 1
    """Healthy, though not yet for long."""
    KEPT = 2
    """Published, and no longer fit, but it leads somewhere."""
    FAILING = 3
    """It once worked, and leads somewhere."""
    KEPT_EMPTY = 4
    """Published, and resolves to nothing."""
    UNSEEN = 5
    """It once worked, and nothing is heard of it now."""
    EVACUATED = 6
    UNTRIED = 7
    """It has never worked, as far as anybody knows."""
    EMPTY = 8
    """It resolves to nothing."""


class Findings(NamedTuple):
    """What is known of an endpoint's names: why some are not fit, why some are evacuated, and which ever worked.

    `evidence` is empty where health does not decide: under a pin, and with `probed = false`.
    """

    out: Mapping[str, str]
    evacuated: Mapping[str, str]
    evidence: Mapping[str, Evidence]
    worked: Container[str]


def decide(endpoint: Endpoint, previous: "Entry | None", findings: Findings) -> tuple[Content, dict[str, str]]:
    """What an endpoint of names should answer, and why it is none of its other names."""
    published = previous.content.targets if previous is not None else ()
    standings = {name: _standing(name, published, findings) for name in endpoint.addresses}
    chosen = min(endpoint.addresses, key=lambda name: (standings[name], name not in published))
    content = Content.of_targets((chosen,), ttl=endpoint.ttl)
    is_edited = set(published).isdisjoint(endpoint.addresses)
    if previous is not None and is_edited and standings[chosen] is not Standing.FIT:
        content = previous.content
    reasons = {**findings.out, **findings.evacuated}
    answered = set(content.targets)
    why = f"{STANDBY}{' '.join(content.targets)} is published"
    return content, {name: reasons.get(name, why) for name in endpoint.addresses if name not in answered}


def _standing(name: str, published: Container[str], findings: Findings) -> Standing:
    found = findings.evidence.get(name)
    is_empty, has_worked = found is not None and resolves_to_nothing(found), name in findings.worked
    if name in findings.evacuated:
        if is_empty:
            return Standing.EMPTY
        return Standing.EVACUATED if has_worked else Standing.UNTRIED
    if is_empty:
        return Standing.KEPT_EMPTY if name in published else Standing.EMPTY
    if name not in findings.out:
        return Standing.FIT
    if name in published:
        return Standing.KEPT
    if not has_worked:
        return Standing.UNTRIED
    if found is None:
        return Standing.UNSEEN
    return Standing.SOAKING if found.verdict is Verdict.HEALTHY else Standing.FAILING


def resolves_to_nothing(found: Evidence) -> bool:
    """Whether every observer who can tell says that the name leads to no address. One that sees more wins."""
    return found.verdict is Verdict.UNHEALTHY and all(view.evidence.startswith(NOWHERE) for view in found.views)
