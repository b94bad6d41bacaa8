"""What exists: endpoints and the targets that may stand behind each of them. Written by people, read by the planner."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from outlast import hostnames
from outlast.errors import InvalidConfig
from outlast.traffic.content import MAX_TTL, MAX_VALUES, family_of, target_fault

MAX_ENDPOINT_LENGTH = 253 - len("_outlast.")
"""So that the sentinel's name still fits into 253 characters (RFC 1035 section 2.3.4)."""


_IS_MEANT_AS_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
MAX_CAPACITY = 1e12
"""Of a target and of a load; so that sums stay exact enough."""
_NAME = re.compile(r"(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What can serve an endpoint, where it stands, and how much of the endpoint's `load` it can bear.

    `address` is an IP address, or the name of something that has addresses of its own, a load balancer's: absolute
    and in lower case (`hostnames.absolute`).
    """

    address: str
    region: str
    zone: str = ""
    cloud: str = ""
    capacity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One name and its targets.

    Args:
        name: The owner name, without a trailing dot, in lower case.
        targets: Where it may point: addresses, of which all that are fit are published, or names, of which one is
            (`aliases`). Never both.
        ttl: Seconds that resolvers may keep an answer.
        min_addresses: The floor: no plan with fewer addresses is built or applied. Of names it is one.
        fail_open_below: Share of healthy targets in a region strictly below which all of them are published (gdnsd's
            `up_thresh`; half, as there).
        max_leave: Share of the targets that may leave for health within `velocity_window`; one may always leave.
        velocity_window: Seconds over which leaving is counted.
        soak: Seconds that a newcomer must have been healthy before it is published.
        load: What its targets must bear together, in the unit of their `capacity`; 0 if that is not known.
        probed: Whether health signals decide; without them every target is published.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    name: str
    targets: tuple[Target, ...]
    ttl: int = 5
    min_addresses: int = 1
    fail_open_below: float = 0.5
    max_leave: float = 0.5
    velocity_window: float = 60.0
    soak: float = 10.0
    load: float = 0.0
    probed: bool = True
    addresses: tuple[str, ...] = field(init=False, repr=False, compare=False)
    has_names: bool = field(init=False, repr=False, compare=False)
    """Whether its targets are names."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "addresses", tuple(target.address for target in self.targets))
        object.__setattr__(self, "has_names", any(map(hostnames.is_absolute, self.addresses)))
        faults = _endpoint_faults(self)
        if faults:
            raise InvalidConfig(tuple(f"endpoint {self.name!r}: {fault}" for fault in faults))

    @property
    def families(self) -> tuple[str, ...]:
        """The types of the sets that its targets fill."""
        if self.has_names:
            return ("CNAME",)
        return tuple(sorted({family_of(address) for address in self.addresses}))


class Edition(NamedTuple):
    """Which of several files a topology is from: a digest of what it says, since when (wall clock, ns), and whose it is.

    Without a digest nobody looks. See the module `edition`.
    """

    digest: str = ""
    since: int = 0
    by: str = ""

    def __str__(self) -> str:
        return f"{self.by}, of {self.day}"

    @property
    def day(self) -> str:
        """Since when, as people read it."""
        return f"{datetime.fromtimestamp(self.since // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}Z"


NO_EDITION = Edition()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """All endpoints of one realm. The realm is the name under which this set-up signs its sentinels.

    Args:
        realm: That name.
        endpoints: Each name once.
        bake: Seconds for which the first of several endpoints must do well without the addresses that an edit takes away
            before the others follow; 0: all at once.
        canary: The endpoint that goes first if it is among them; empty: the first by name that is probed.
        edition: Which file it is from, if that matters.
        digests: Then also what the file says of each endpoint, as digests by name.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    realm: str
    endpoints: tuple[Endpoint, ...]
    bake: float = 0.0
    canary: str = ""
    edition: Edition = field(default=NO_EDITION, compare=False)
    digests: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    named: tuple[Endpoint, ...] = field(init=False, repr=False, compare=False, hash=False)
    """Those whose targets are names."""
    _by_name: dict[str, Endpoint] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        names = [endpoint.name for endpoint in self.endpoints]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) != len(names) else []
        if twice:
            raise InvalidConfig(tuple(f"endpoint {name!r} is defined twice" for name in twice))
        object.__setattr__(self, "named", tuple(endpoint for endpoint in self.endpoints if endpoint.has_names))
        if circle := _circle(self.named):
            way = " → ".join(circle)
            raise InvalidConfig((f"endpoint {circle[0]!r}: its targets lead back to it ({way}): take one of them out",))
        object.__setattr__(self, "_by_name", dict(zip(names, self.endpoints, strict=True)))
        if not 0 <= self.bake <= MAX_TTL:
            raise InvalidConfig((f"bake = {self.bake} is not within 0 and {MAX_TTL}",))
        if self.canary and self.canary not in self._by_name:
            raise InvalidConfig((f"canary = {self.canary!r} is not an endpoint: name one, or leave it out",))

    def endpoint(self, name: str) -> Endpoint | None:
        return self._by_name.get(name)

    def sharing(self, old: "Topology") -> "Topology":
        """The same, with `old`'s own endpoints where they are equal: what was found out about them need not be again."""
        shared = tuple(
            there if (there := old.endpoint(endpoint.name)) == endpoint and there is not None else endpoint
            for endpoint in self.endpoints
        )
        return replace(self, endpoints=shared)


def _in_ascii(name: str) -> str:
    # What DNS has in place of other letters (RFC 5890).
    try:
        written = "" if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return f"; write it as {written}" if _NAME.fullmatch(written) else ""


def _endpoint_faults(endpoint: Endpoint) -> list[str]:
    faults = [fault for target in endpoint.targets if (fault := _target_fault(target.address, endpoint.name))]
    faults += [
        f"{target.address}: capacity = {target.capacity} is not above 0 and at most {MAX_CAPACITY:g}"
        for target in endpoint.targets
        if not 0 < target.capacity <= MAX_CAPACITY
    ]
    count = len(endpoint.targets)
    names = [address for address in endpoint.addresses if hostnames.is_absolute(address)]
    if not count:
        faults.append("targets is empty: name at least one address")
    if len(set(endpoint.addresses)) != count:
        faults.append("an address stands in targets twice")
    if 0 < len(names) < count:
        fix = "a CNAME stands alone: write only addresses, or only names"
        faults.append(f"targets has names ({' '.join(names)}) beside addresses; {fix}")
    if count > MAX_VALUES:
        faults.append(f"{count} targets, more than {MAX_VALUES}")
    if len(endpoint.name) > MAX_ENDPOINT_LENGTH or not _NAME.fullmatch(endpoint.name):
        fix = f"labels of 1 to 63 letters in lower case, digits, hyphens or underscores, no dot at the end, at most {MAX_ENDPOINT_LENGTH} in all"
        faults.append(f"the name must be a domain name: {fix}{_in_ascii(endpoint.name)}")
    ranges = (
        ("min_addresses", 1, 1 if names else max(1, count)),
        ("ttl", 0, MAX_TTL),
        ("fail_open_below", 0, 1),
        ("max_leave", 0, 1),
        ("velocity_window", 0, MAX_TTL),
        ("soak", 0, MAX_TTL),
        ("load", 0, MAX_CAPACITY),
    )
    for key, low, high in ranges:
        value = getattr(endpoint, key)
        if not low <= value <= high:
            faults.append(f"{key} = {value} is not within {low} and {high}")
    return faults


def _target_fault(text: str, endpoint: str) -> str:
    if text == f"{endpoint}.":
        return f"its target {text} is the endpoint itself"
    if _IS_MEANT_AS_ADDRESS.fullmatch(text):
        return target_fault(text)
    try:
        name = hostnames.absolute(text)
    except ValueError as error:
        return f"{text!r} is neither an address nor a host name: {error}"
    return "" if name == text else f"write {text} as {name}"


def _circle(named: tuple[Endpoint, ...]) -> tuple[str, ...]:
    # Any of its names may be the one that is published, so any way back counts. Whatever leads to nobody of ours is taken
    # away until nothing changes: each of those that are left leads to another of them.
    left = {endpoint.name: {address.removesuffix(".") for address in endpoint.addresses} for endpoint in named}
    while ends := [name for name, leads_to in left.items() if leads_to.isdisjoint(left)]:
        for name in ends:
            del left[name]
    way = [min(left)] if left else []
    while way and way[-1] not in way[:-1]:
        way.append(min(left[way[-1]] & left.keys()))
    return tuple(way[way.index(way[-1]) :]) if way else ()
