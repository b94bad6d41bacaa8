"""Which region a call goes to: ordered sets of endpoints, ejected by what calls see, and won back by calls.

Rules, each with what it prevents:

- Calls go to the first region, in the order of preference, that is not ejected: sticky, so that caches and sessions stay
  warm and data has one home.
- `fall` failures in a row eject a region for a time that doubles with each further ejection. Success in between starts the
  count anew: a region that answers most calls is a matter for retries.
- Never more than `max_ejected` of the regions at once, counted after the ejection (Envoy's issue 27066), and never all:
  with every door shut by our own hand an outage would outlast its cause.
- Return is earned: after its time one call at a time is sent to an ejected region as a probe, and `rise` successes in a
  row readmit it. Probing times are jittered, so that a fleet does not come back in step (Envoy's 8337). Only a call that can
  be made again elsewhere is a probe.
- A call that failed in one region prefers one it has not tried, an ejected one rather than none.
- Each ejection and each return begins a new generation of a region; results of an earlier one change nothing.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from outlast.outcome import Outcome
from outlast.policy.checks import check_count, check_number, check_seconds, nanoseconds, refuse

MAX_REGIONS = 100
MAX_DOUBLINGS = 5
"""An ejection lasts 32 times the first at most."""


class Choice(NamedTuple):
    """Where an attempt goes. It must be settled."""

    name: str
    url: str
    generation: int
    is_probe: bool


class RegionStats(NamedTuple):
    """What is known of one region."""

    name: str
    is_ejected: bool
    failures: int
    """In a row."""
    successes: int
    """In a row, of probes while ejected."""
    ejections: int
    calls: int


class _Region:
    __slots__ = (
        "calls",
        "ejections",
        "failures",
        "generation",
        "is_ejected",
        "name",
        "probe_at",
        "probing",
        "rises",
        "url",
    )

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.is_ejected = False
        self.generation = self.failures = self.rises = self.ejections = self.calls = 0
        self.probe_at = 0
        self.probing: int | None = None
        """When a probe that has not come home is written off."""


class Regions:
    """The places that can serve a call, best first. Clients that are given the same object share what they learn.

    Not safe for threads by itself: clients guard it with one lock for each object.

    Args:
        urls: Name to base URL, in the order of preference.
        home: The region to prefer; the first, if not given.
        fall: Failures in a row that eject.
        rise: Successful probes in a row that readmit.
        eject_for: Seconds before the first probe; doubled with each further ejection, up to 32 times.
        probe_every: Seconds between probes, half to one and a half times that by chance.
        probe_wait: Seconds until a probe that has not come home is written off.
        max_ejected: Share of the regions that may be ejected at once; at least one may be, and never all.

    Raises:
        InvalidConfig: Lists every fault at once.

    """

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        home: str | None = None,
        fall: int = 3,
        rise: int = 2,
        eject_for: float = 5.0,
        probe_every: float = 1.0,
        probe_wait: float = 30.0,
        max_ejected: float = 0.5,
    ) -> None:
        refuse(
            [
                *_check_urls(urls),
                *([f"home = {home!r} is none of the regions"] if home is not None and home not in urls else ()),
                *check_count("fall", fall, low=1, high=1_000),
                *check_count("rise", rise, low=1, high=1_000),
                *check_seconds("eject_for", eject_for),
                *check_seconds("probe_every", probe_every),
                *check_seconds("probe_wait", probe_wait),
                *check_number("max_ejected", max_ejected, low=0, high=1),
            ]
        )
        names = sorted(urls, key=lambda name: name != home)
        self._regions = {name: _Region(name, urls[name].rstrip("/")) for name in names}
        self._fall = fall
        self._rise = rise
        self._eject_for = eject_for
        self._probe_every = probe_every
        self._probe_wait = nanoseconds(probe_wait)
        count = len(names)
        # One of two regions is half of them already; a share that allowed none would make the object pointless.
        self._max_ejected = min(count - 1, max(1, int(count * max_ejected))) if max_ejected else 0

    def __repr__(self) -> str:
        words = [f"{r.name} {'ejected' if r.is_ejected else 'in use'}" for r in self._regions.values()]
        return f"<regions: {', '.join(words)}>"

    def __len__(self) -> int:
        return len(self._regions)

    @property
    def home(self) -> str:
        """The region that is preferred."""
        return next(iter(self._regions))

    @property
    def urls(self) -> dict[str, str]:
        """Name to base URL, best first."""
        return {region.name: region.url for region in self._regions.values()}

    def stats(self) -> tuple[RegionStats, ...]:
        """What is known of each region, best first."""
        return tuple(
            RegionStats(r.name, r.is_ejected, r.failures, r.rises, r.ejections, r.calls) for r in self._regions.values()
        )

    def choose(self, now: int, *, tried: Collection[str] = (), can_probe: bool = False) -> Choice:
        """Return where the next attempt goes. There is always somewhere.

        Args:
            now: Nanoseconds.
            tried: Regions this call has tried, which are avoided as long as there are others.
            can_probe: Whether the call may be risked on a region that is ejected, because it can be made again.

        """
        fresh = [region for region in self._regions.values() if region.name not in tried]
        for region in fresh:
            if not region.is_ejected:
                return self._send(region, now, is_probe=False)
            if can_probe and not tried and self._is_due(region, now):
                return self._send(region, now, is_probe=True)
        # Everything in use has been tried: an ejected region rather than the same again.
        last = fresh[0] if fresh else next(r for r in self._regions.values() if not r.is_ejected)
        return self._send(last, now, is_probe=False)

    def settle(self, choice: Choice, outcome: Outcome, *, now: int, chance: float) -> None:
        """Count what an attempt saw.

        Args:
            choice: What `choose` returned; one of an earlier generation changes nothing.
            outcome: Only `OK` and `FAILURE` are evidence.
            now: Nanoseconds.
            chance: Within 0 and 1; jitters the next probe.

        """
        region = self._regions[choice.name]
        if choice.generation != region.generation:
            return
        if choice.is_probe:
            region.probing = None
            region.probe_at = now + self._jittered(self._probe_every, chance)
        if outcome is Outcome.OK:
            region.failures = 0
            self._win_back(region)
        elif outcome is Outcome.FAILURE:
            region.failures += 1
            region.rises = 0
            if region.is_ejected:
                region.probe_at = now + self._ejection(region, chance)
            elif region.failures >= self._fall and self._can_eject():
                self._eject(region, now, chance)

    def _send(self, region: _Region, now: int, *, is_probe: bool) -> Choice:
        region.calls += 1
        if is_probe:
            region.probing = now + self._probe_wait
        return Choice(region.name, region.url, region.generation, is_probe)

    def _is_due(self, region: _Region, now: int) -> bool:
        return now >= region.probe_at and (region.probing is None or now >= region.probing)

    def _can_eject(self) -> bool:
        return sum(region.is_ejected for region in self._regions.values()) + 1 <= self._max_ejected

    def _eject(self, region: _Region, now: int, chance: float) -> None:
        region.is_ejected = True
        region.generation += 1
        region.ejections += 1
        region.probing = None
        region.probe_at = now + self._ejection(region, chance)

    def _win_back(self, region: _Region) -> None:
        if not region.is_ejected:
            return
        region.rises += 1
        if region.rises >= self._rise:
            region.is_ejected = False
            region.generation += 1
            region.rises = 0

    def _ejection(self, region: _Region, chance: float) -> int:
        return self._jittered(self._eject_for * 2 ** min(region.ejections - 1, MAX_DOUBLINGS), chance)

    @staticmethod
    def _jittered(seconds: float, chance: float) -> int:
        return nanoseconds(seconds * (0.5 + chance))


def _check_urls(urls: Mapping[str, str]) -> list[str]:
    faults = [] if 0 < len(urls) <= MAX_REGIONS else [f"{len(urls)} regions are not within 1 and {MAX_REGIONS}"]
    for name, url in urls.items():
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_good_port(parts):
            faults.append(f"{name} = {url!r} is no http or https URL with a host")
        elif not url.isascii():
            faults.append(f"{name} = {url!r} is not ASCII; write the host in its xn-- form and escape the path")
        elif parts.query or parts.fragment or parts.username:
            faults.append(f"{name} = {url!r} has more than a host, a port and a path")
    return faults


def _has_good_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:  # told only to whoever asks for it
        return False
