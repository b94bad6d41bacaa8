"""What is wrong with a zone, judged by facts that somebody else has gathered. Pure.

Each rule says where its number comes from. The outage of 2025 lasted as long as it did for clients because negative
answers are kept, too: for the smaller of the SOA's own TTL and its MINIMUM field (RFC 2308, section 5).
"""

from dataclasses import dataclass
from typing import NamedTuple

from outlast.audit.findings import Finding, Level
from outlast.traffic.content import FAMILIES
from outlast.traffic.ports import Live, Tier
from outlast.traffic.sentinel import Sentinel, parse

NEGATIVE_TTL_MAX = 60
"""Seconds: for so long a client may believe that a name is empty after it is not any more."""
EXPIRE_MIN = 604_800
"""Seconds: secondaries that cannot reach their primary go silent after that (RFC 1912, section 2.2: 2 to 4 weeks)."""
RECORD_TTL_MAX = 60
"""Seconds: no address that fails over shall be kept longer by resolvers."""
STANDING_TTL_MAX = 30
"""Seconds: the same for endpoints in several regions, which are there to be moved."""
SIGNATURE_LEFT_MIN = 3 * 86_400
"""Seconds that signatures must still be good for: if re-signing stops on a Friday, there is a Monday."""
DAY = 86_400


class Soa(NamedTuple):
    """What a zone's SOA record says, in seconds; `ttl` is the record's own."""

    ttl: int
    expire: int
    minimum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFacts:
    """What was seen of one zone. A text in place of a fact is why it could not be seen, `None` that nobody asked.

    Args:
        zone: Its name.
        soa: Its start of authority.
        servers: The names in its own NS set.
        parent_servers: The names in the parent's NS set for it.
        delegation_signed: Whether the parent has a DS set for it.
        is_signed: Whether it has DNSKEY records.
        signature_left: Seconds until the signature of its SOA expires, if it is signed.
        behind: The servers that it names and that have not what its primary has, each with the reason.
        unclear: Those that have not, and may be another provider's.
        at: Whose primary it was seen at, if it lies at several providers; empty if there is but one.

    """

    zone: str
    soa: Soa | str
    servers: tuple[str, ...] | str = ()
    parent_servers: tuple[str, ...] | str | None = None
    delegation_signed: bool | str | None = None
    is_signed: bool | str = False
    signature_left: float | str | None = None
    behind: tuple[str, ...] | str | None = None
    unclear: tuple[str, ...] = ()
    at: str = ""

    @property
    def subject(self) -> str:
        """What findings are about."""
        return f"{self.zone} at {self.at}" if self.at else self.zone


def judge_zone(facts: ZoneFacts) -> list[Finding]:
    """Everything there is to say of a zone."""
    if isinstance(facts.soa, str):
        return [Finding(Level.UNKNOWN, "zone", facts.subject, facts.soa, "the primary must answer for the zone")]
    return [*_soa(facts.subject, facts.soa), *_delegation(facts), *_signatures(facts), *_secondaries(facts)]


def _soa(subject: str, soa: Soa) -> list[Finding]:
    negative = min(soa.ttl, soa.minimum)
    is_long, is_short = negative > NEGATIVE_TTL_MAX, soa.expire < EXPIRE_MIN
    return [
        Finding(
            Level.WARN if is_long else Level.OK,
            "negative TTL",
            subject,
            f"{negative} s: for so long resolvers keep an empty answer",
            f"set the SOA's MINIMUM (its last field, now {soa.minimum}) to {NEGATIVE_TTL_MAX} or less"
            if is_long
            else "",
        ),
        Finding(
            Level.WARN if is_short else Level.OK,
            "SOA expire",
            subject,
            f"{soa.expire / DAY:g} days: then secondaries without their primary stop answering",
            f"set it to {EXPIRE_MIN} or more (RFC 1912: two to four weeks)" if is_short else "",
        ),
    ]


def _delegation(facts: ZoneFacts) -> list[Finding]:
    own, parent = facts.servers, facts.parent_servers
    if parent is None:
        there = "what the parent zone says was not asked"
        return [Finding(Level.SKIPPED, "delegation", facts.subject, there, "outlast doctor --resolver ADDRESS")]
    if isinstance(own, str) or isinstance(parent, str):
        why = own if isinstance(own, str) else f"{parent}"
        return [
            Finding(Level.UNKNOWN, "delegation", facts.subject, why, "name a resolver that reaches the parent zone")
        ]
    missing, extra = sorted(set(own) - set(parent)), sorted(set(parent) - set(own))
    if missing or extra:
        there = f"the parent names {_listed(parent)}, the zone {_listed(own)}"
        return [
            Finding(Level.WARN, "delegation", facts.subject, there, "make the two NS sets the same (RFC 1912, 2.3)")
        ]
    single = len(own) < 2
    fix = "name a second server, in another place (RFC 1034, section 4.1)" if single else ""
    return [Finding(Level.WARN if single else Level.OK, "delegation", facts.subject, f"served by {_listed(own)}", fix)]


def _signatures(facts: ZoneFacts) -> list[Finding]:
    signed, delegated, left = facts.is_signed, facts.delegation_signed, facts.signature_left
    for fact in (signed, delegated, left):
        if isinstance(fact, str):
            return [
                Finding(Level.UNKNOWN, "DNSSEC", facts.subject, fact, "name a resolver that reaches the parent zone")
            ]
    if delegated and not signed:
        there = "the parent has a DS record and the zone no key: validating resolvers answer SERVFAIL"
        return [Finding(Level.FAIL, "DNSSEC", facts.subject, there, "sign the zone, or have the DS record removed")]
    if not signed or not isinstance(left, int | float):
        return [Finding(Level.OK, "DNSSEC", facts.subject, "the zone is not signed")]
    is_short = left < SIGNATURE_LEFT_MIN
    there = f"signatures are good for another {left / DAY:.1f} days"
    fix = "re-sign, and see why that did not happen by itself" if is_short else ""
    return [
        Finding(Level.FAIL if left <= 0 else Level.WARN if is_short else Level.OK, "DNSSEC", facts.subject, there, fix)
    ]


def judge_signing(
    zone: str, provider: str, *, is_signed: bool | str, configured: bool, is_shared: bool
) -> list[Finding]:
    """Whether the configuration says of a zone what the zone is: that decides what several providers of it may do.

    Args:
        zone: Its name.
        provider: Whose table in the configuration says `signed`.
        is_signed: Whether the zone has DNSKEY records; a text is why that is not known, which `judge_zone` tells.
        configured: What `signed` says.
        is_shared: Whether an endpoint of the zone lies at another provider too.

    """
    if isinstance(is_signed, str) or is_signed == configured:
        return []
    subject, where = f"{zone} at {provider}", f"[provider.{provider}]"
    if configured:
        there = f"{where} says signed = true, and the zone has no DNSKEY record"
        return [Finding(Level.WARN, "signed", subject, there, f"sign the zone, or take signed = true out of {where}")]
    there = f"the zone is signed, and {where} does not say so"
    fix = f"write signed = true in {where}"
    if is_shared:
        there += "; another provider answers for it: resolvers reject one with the keys of the other"
        fix += ", and leave the zone at one provider or put all keys into every DNSKEY set (RFC 8901: multi_signer)"
    return [Finding(Level.FAIL if is_shared else Level.WARN, "signed", subject, there, fix)]


def _secondaries(facts: ZoneFacts) -> list[Finding]:
    behind, subject = facts.behind, facts.subject
    if behind is None:
        return []  # what the delegation says of this is enough
    if isinstance(behind, str):
        return [Finding(Level.UNKNOWN, "secondaries", subject, behind, "the primary must answer for the zone")]
    found = []
    if behind:
        fix = "see why its zone transfers fail, or take it out of NS"
        found.append(Finding(Level.FAIL, "secondaries", subject, "; ".join(behind), fix))
    if facts.unclear:
        there = f"{'; '.join(facts.unclear)}: it may follow another provider, whose serial is no larger"
        fix = "name it in secondaries of the provider that it follows, or give each provider's SOA an MNAME of its own"
        found.append(Finding(Level.UNKNOWN, "secondaries", subject, there, fix))
    whose = " or belongs to another provider" if facts.at else ""
    there = f"every server that the zone names has what its primary has{whose}"
    return found or [Finding(Level.OK, "secondaries", subject, there)]


def _listed(names: tuple[str, ...]) -> str:
    return " ".join(sorted(names)) or "nobody"


def judge_endpoint(name: str, provider: str, live: Live | str, *, realm: str, regions: int) -> list[Finding]:
    """What stands at an endpoint: its TTLs, and whether it is ours. `regions` is in how many its targets are."""
    subject = f"{name} at {provider}"
    if isinstance(live, str):
        return [Finding(Level.UNKNOWN, "endpoint", subject, live, "the primary must answer for it")]
    bound = STANDING_TTL_MAX if regions > 1 else RECORD_TTL_MAX
    ttls = [item.ttl for item in live.sets if item.type in (*FAMILIES, "CNAME")]
    found = [_writer(name, provider, live, realm)]
    if ttls:
        is_long = max(ttls) > bound
        there = f"{max(ttls)} s: for so long resolvers go on with addresses that were moved"
        fix = f'set ttl = {bound} or less in [endpoint."{name}"]' if is_long else ""
        found.append(Finding(Level.WARN if is_long else Level.OK, "record TTL", subject, there, fix))
    return found


def _writer(name: str, provider: str, live: Live, realm: str) -> Finding:
    subject = f"{name} at {provider}"
    seen = parse(live.sentinel)
    if isinstance(seen, Sentinel):
        if seen.realm == realm:
            return Finding(Level.OK, "writer", subject, f"ours, last written by {seen.by}")
        there = f"it belongs to the realm {seen.realm!r}"
        return Finding(Level.FAIL, "writer", subject, there, "take it out of one of the two configurations")
    if live.sentinel:
        return Finding(
            Level.FAIL, "writer", subject, "something that is no sentinel stands where it should be", "remove it"
        )
    if live.sets:
        there = "somebody else wrote its records"
        fix = f"stop their writer, look at the plan (outlast plan show), then: outlast adopt {name}"
        return Finding(Level.WARN, "writer", subject, there, fix)
    return Finding(Level.OK, "writer", subject, "nothing stands there yet")


def judge_tier(provider: str, tier: Tier) -> Finding:
    """What a provider promises by its kind; `--prove-cas` tries whether it keeps it."""
    if tier in {Tier.T1, Tier.T2}:
        return Finding(Level.OK, "tier", provider, f"{tier.name}: {tier}")
    half = "a change may be seen half done, and " if tier is Tier.T4 else ""
    there = f"{tier.name}: {tier}; {half}a slow writer may set DNS back until it is read back and repaired"
    return Finding(
        Level.WARN, "tier", provider, there, "prefer signed DNS UPDATE (RFC 2136) or Route 53 for failover endpoints"
    )
