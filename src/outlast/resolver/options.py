"""What a user may choose about resolution: upstreams by zone, a mode for each pattern of names, pins, times and limits.

Durations are seconds, or text such as `"250ms"`, `"5s"`, `"24h"`. Everything is checked on construction, all at once.
"""

import ipaddress
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TypedDict

from outlast.durations import seconds_of
from outlast.errors import InvalidConfig, did_you_mean
from outlast.resolver.question import Mode
from outlast.resolver.reading import Family

Duration = float | str
Upstreams = Iterable[str] | Mapping[str, Iterable[str]]

DAY = 86_400.0
MAX_KEEP = 7 * DAY
"""Seconds that last-known-good addresses may be kept: after a week nobody can say whose they are."""
MAX_UPSTREAMS = 8
"""Upstreams of one zone; asking more in turn takes longer than anybody waits."""
MAX_DEADLINE = 60.0
FAMILIES: tuple[Family, ...] = ("A", "AAAA")

_CHECK = re.compile(r"(?:tls|tcp):([1-9][0-9]{0,4})")
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class Strict:
    """What upstreams say is the truth, and their failure is a failure. Nothing of the name is remembered beyond its TTL."""

    mode = Mode.STRICT


@dataclass(frozen=True, slots=True)
class Stale:
    """If all upstreams fail, what was last heard is answered (RFC 8767); negative answers are the truth.

    Args:
        keep: How long that is possible since an upstream last gave the addresses; at most seven days.

    """

    mode = Mode.STALE
    _: KW_ONLY
    keep: Duration = "24h"


@dataclass(frozen=True, slots=True)
class Protect:
    """Negative answers are evidence, not truth: last-known-good addresses are answered instead, if they pass `verify`.

    Args:
        verify: How such an address is checked, which only the user can choose. `"tls:443"`: a handshake that validates
            the name, so that an address that belongs to somebody else by now receives no data. `"tcp:PORT"`: something
            accepts connections there. `"none"`: not at all; for addresses that you own.
        keep: How long addresses are kept since an upstream last gave them; at most seven days.
        confirm: How far apart two sightings of a new address must lie before it is last-known-good.

    """

    mode = Mode.PROTECT
    _: KW_ONLY
    verify: str
    keep: Duration = "24h"
    confirm: Duration = "3m"


Rule = Strict | Stale | Protect


class Options(TypedDict, total=False):
    """The keywords of `Resolver`, which are those of `ResolverOptions`; their defaults stand there alone."""

    upstreams: Upstreams
    names: Mapping[str, Rule]
    default: Rule
    pins: Mapping[str, Iterable[str]]
    store: str | Path | None
    network: str
    families: tuple[Family, ...]
    hedge: Duration
    timeout: Duration
    patience: Duration
    deadline: Duration
    recheck: Duration
    negative_ttl: Duration
    negative_ttl_protected: Duration
    max_names: int
    ca_file: str | Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverOptions:
    """All that a resolver is told.

    Args:
        upstreams: Recursive or authoritative servers as `"ADDRESS:PORT"`, in order; or a mapping from a zone to its own,
            with `"."` for everything else. The closest zone above a name decides, and no other upstream is asked.
        names: Which rule holds for which names: `"db.example.com"`, or `"*.example.com"` for all names below; the
            closest wins.
        default: The rule of every other name.
        pins: Addresses that are answered for a name, whatever anybody says.
        store: The file that keeps what is known over a restart; `None` keeps it in memory only.
        network: A name for the network this machine is on, if addresses differ between networks.
        families: Record types to ask for.
        hedge: Silence after which the next upstream is asked too.
        timeout: Silence after which a lone upstream is asked again.
        patience: How long a caller who can be given an older answer waits for a newer one (RFC 8767, section 5).
        deadline: How long a caller waits at most, if the call does not say.
        recheck: How long an older answer is given before upstreams are asked again.
        negative_ttl: The longest time a negative answer is kept.
        negative_ttl_protected: The same for protected names.
        max_names: Names that are kept; the oldest go, protected ones last.
        ca_file: Certificate authorities for `verify="tls:PORT"`; `None` means the system's.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    upstreams: Upstreams = ("127.0.0.1:53",)
    names: Mapping[str, Rule] = field(default_factory=dict)
    default: Rule = field(default_factory=Stale)
    pins: Mapping[str, Iterable[str]] = field(default_factory=dict)
    store: str | Path | None = None
    network: str = ""
    families: tuple[Family, ...] = FAMILIES
    hedge: Duration = 0.15
    timeout: Duration = 1.0
    patience: Duration = 1.8
    deadline: Duration = 5.0
    recheck: Duration = 3.0
    negative_ttl: Duration = 30.0
    negative_ttl_protected: Duration = 5.0
    max_names: int = 10_000
    ca_file: str | Path | None = None

    def __post_init__(self) -> None:
        faults = [*self._faults_of_upstreams(), *self._faults_of_names(), *self._faults_of_times()]
        if not 1 <= self.max_names <= 1_000_000:
            faults.append(f"max_names = {self.max_names} is not within 1 and 1000000")
        families = self.families
        if not families or not set(families) <= set(FAMILIES) or len(set(families)) != len(families):
            faults.append(f"families = {families!r}: name A, AAAA or both, each once")
        if faults:
            raise InvalidConfig(tuple(faults))

    def _faults_of_upstreams(self) -> list[str]:
        if isinstance(self.upstreams, str):
            return [f"upstreams = {self.upstreams!r}: write a list, ({self.upstreams!r},)"]
        scopes = scopes_of(self.upstreams)
        faults = [] if scopes else ["upstreams is empty: name at least one"]
        for zone, places in scopes.items():
            where = f"upstreams of {zone!r}"
            if zone != "." and _NAME.fullmatch(zone) is None:
                faults.append(f"{where}: not a zone's name; write it in lower case without the final dot, or '.'")
            if not 1 <= len(places) <= MAX_UPSTREAMS:
                faults.append(f"{where}: {len(places)} of them; there must be 1 to {MAX_UPSTREAMS}")
            faults += [
                f"{where}: {text!r} is not ADDRESS:PORT such as 127.0.0.1:53" for text in places if not place(text)
            ]
        return faults

    def _faults_of_names(self) -> list[str]:
        faults = []
        for pattern, rule in (*self.names.items(), ("default", self.default)):
            if pattern not in {"default", "*"} and _NAME.fullmatch(pattern.removeprefix("*.")) is None:
                faults.append(f"names: {pattern!r} is not a name, *.NAME or *, in lower case without the final dot")
            faults += [f"{pattern}: {fault}" for fault in _faults_of_rule(rule)]
        for name, addresses in self.pins.items():
            if _NAME.fullmatch(name) is None:
                faults.append(f"pins: {name!r} is not a name in lower case without the final dot")
            given = [addresses] if isinstance(addresses, str) else list(addresses)
            # An endpoint is never empty: a pin without an address would be an outage by configuration.
            faults += [] if given else [f"pins: {name} has no address"]
            faults += [f"pins: {name}: {text!r} is not an IP address" for text in given if not is_address(text)]
        return faults

    def _faults_of_times(self) -> list[str]:
        ranges = {
            "hedge": (0.001, MAX_DEADLINE),
            "timeout": (0.01, MAX_DEADLINE),
            "patience": (0.01, MAX_DEADLINE),
            "deadline": (0.01, MAX_DEADLINE),
            "recheck": (1.0, 30.0),
            "negative_ttl": (0.0, 3 * 3600.0),
            "negative_ttl_protected": (0.0, 3 * 3600.0),
        }
        return [
            fault for key, bounds in ranges.items() if (fault := _fault_of_duration(key, getattr(self, key), bounds))
        ]


def seconds(value: Duration) -> float:
    """Read a duration; NaN if it is none."""
    if isinstance(value, str):
        found = seconds_of(value)
        return math.nan if found is None else found
    return math.nan if isinstance(value, bool) else float(value)


def is_address(text: str) -> bool:
    """Whether this is an IP address as text."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def place(text: str) -> tuple[str, int] | None:
    """Read `ADDRESS:PORT` or `ADDRESS`, which means port 53; `None` if it is neither. Names are refused."""
    if is_address(text.strip("[]")):
        return text.strip("[]"), 53
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not is_address(address) or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        return None
    return address, int(port)


def scopes_of(upstreams: Upstreams) -> dict[str, tuple[str, ...]]:
    """Upstreams by zone; a plain list is that of the root."""
    if isinstance(upstreams, Mapping):
        return {zone: tuple(places) for zone, places in upstreams.items()}
    places = tuple(upstreams)
    return {".": places} if places else {}


def _faults_of_rule(rule: Rule) -> list[str]:
    faults = []
    kind: object = rule  # annotations promise, callers need not keep it
    if not isinstance(kind, Strict | Stale | Protect):
        return [f"{kind!r} is no Strict(), Stale() or Protect(verify=...)"]
    if isinstance(rule, Protect):
        found = _CHECK.fullmatch(rule.verify)
        if rule.verify != "none" and (found is None or int(found[1]) > 65_535):
            near = did_you_mean(rule.verify, ("tls:443", "tcp:443", "none"))
            faults.append(f"verify = {rule.verify!r} is not tls:PORT, tcp:PORT or none{near}")
        faults.append(_fault_of_duration("confirm", rule.confirm, (0.0, DAY)))
    if not isinstance(rule, Strict):
        faults.append(_fault_of_duration("keep", rule.keep, (1.0, MAX_KEEP)))
    return [fault for fault in faults if fault]


def _fault_of_duration(key: str, value: Duration, bounds: tuple[float, float]) -> str:
    low, high = bounds
    if low <= seconds(value) <= high:  # false for NaN
        return ""
    return f"{key} = {value!r} is not a duration within {low:g} s and {high:g} s"
