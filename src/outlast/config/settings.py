"""What `outlast.toml` says, typed. Every default stands here or in the room whose option it is, and nowhere else."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outlast.config.registry_settings import RegistrySettings
from outlast.errors import InvalidConfig
from outlast.health.detector import Thresholds
from outlast.health.probe import HttpProbe
from outlast.traffic.topology import Topology

if TYPE_CHECKING:
    from outlast.resolver.options import ResolverOptions

INTERVAL_RANGE = (0.05, 3600.0)
"""Seconds between two passes of a role: shorter would only burn a core, longer is no control plane."""
SIGNAL_AGE_RANGE = (1.0, 3600.0)
TIMEOUT_RANGE = (0.05, 60.0)
INSYNC_RANGE = (0.0, 300.0)
"""Route 53 takes about a minute to bring a change to all its name servers."""


def check_range(key: str, value: float, bounds: tuple[float, float]) -> None:
    """Refuse seconds out of range.

    Raises:
        InvalidConfig: Names key, value and range.

    """
    low, high = bounds
    if not low <= value <= high:
        raise InvalidConfig((f"{key} = {value:g} s is not within {low:g} s and {high:g} s",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """What every kind of provider has.

    Args:
        name: What the configuration calls it.
        zones: The zones that it holds.
        signed: Whether it signs them (DNSSEC), with keys that no other provider of the same name has.
        multi_signer: Whether the zones' DNSKEY sets hold the keys of every provider that answers for them (RFC 8901).
        timeout: Seconds for one read or one transaction.

    """

    name: str
    zones: tuple[str, ...]
    signed: bool = False
    multi_signer: bool = False
    timeout: float = 2.0

    def __post_init__(self) -> None:
        check_range("timeout", self.timeout, TIMEOUT_RANGE)
        if self.multi_signer and not self.signed:
            raise InvalidConfig(("multi_signer = true is about signed zones: add signed = true, or take it out",))

    def zone_of(self, endpoint: str) -> str:
        """The closest zone of this provider above `endpoint`, or an empty string."""
        fitting = [zone for zone in self.zones if endpoint == zone or endpoint.endswith(f".{zone}")]
        return max(fitting, key=len, default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings(ProviderSettings):
    """A DNS server that is primary for its zones. The secret itself is read when the provider is wired.

    Args:
        address: Its IP address.
        port: Its port.
        key_secret_file: A file with the secret.
        key_secret_env: The environment variable with the secret.
        secondaries: Address and port of each server that answers for the zones, too, and gets them by zone transfer.

    """

    address: str
    port: int = 53
    secondaries: tuple[tuple[str, int], ...] = ()
    key_secret_file: Path | None = None
    key_secret_env: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfc2136Settings(ServerSettings):
    """A provider that takes signed DNS UPDATE (RFC 2136). Its secret is in base64, its file may be a BIND key file.

    Args:
        key_name: The TSIG key's name; empty if the key file says it.
        key_algorithm: The TSIG algorithm; empty if the key file says it, otherwise HMAC-SHA256.

    """

    key_name: str = ""
    key_algorithm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerdnsSettings(ServerSettings):
    """PowerDNS by its HTTP API. Its secret is the server's `api-key`, alone in its file.

    Args:
        url: Where the API listens.

    """

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route53Settings(ProviderSettings):
    """A provider at Amazon's Route 53. Credentials come from boto3's usual chain and never stand here.

    Args:
        zone_ids: The id of each zone at Route 53, in the order of `zones`.
        endpoint_url: Where the API is, if not at AWS.
        timeout: Seconds for one request with its repetitions.
        wait_insync: Seconds that a commit waits until all name servers have it; 0: not at all.
        requests_per_second: This machine's share of the five that an account has.
        watches: URLs of the places that tell Route 53's health checkers which regions are left.

    """

    zone_ids: tuple[str, ...]
    endpoint_url: str = ""
    timeout: float = 10.0
    wait_insync: float = 0.0
    requests_per_second: int = 5
    watches: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super(Route53Settings, self).__post_init__()
        check_range("wait_insync", self.wait_insync, INSYNC_RANGE)
        if not 1 <= self.requests_per_second <= 1000:
            raise InvalidConfig((f"requests_per_second = {self.requests_per_second} is not within 1 and 1000",))


@dataclass(frozen=True, slots=True, kw_only=True)
class OctodnsSettings(ProviderSettings):
    """Any provider of octoDNS. What is secret among its options is read when the provider is wired.

    Args:
        class_path: The octoDNS provider's class.
        options: What its constructor takes, but for secrets.
        secret_files: Those options that are secrets in files.
        secret_envs: Those options that are secrets in environment variables.
        address: The IP address of an authoritative server of the zones, by which planner and janitor read without any
            credential; empty: they read as enactors do.
        port: That server's port.
        timeout: Seconds for a whole read or a whole transaction.

    """

    class_path: str
    options: tuple[tuple[str, Any], ...] = ()
    secret_files: tuple[tuple[str, Path], ...] = ()
    secret_envs: tuple[tuple[str, str], ...] = ()
    address: str = ""
    port: int = 53
    timeout: float = 10.0


AnyProviderSettings = Rfc2136Settings | PowerdnsSettings | Route53Settings | OctodnsSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """How targets are probed, and how old a signal may be to decide anything.

    Args:
        interval: Seconds between two rounds of probes.
        max_signal_age: Seconds after which a signal decides nothing.
        place: Where this machine's observer stands, a region's name as in targets; empty if it should not say.
        upstreams: The recursive servers that say what targets which are names resolve to; empty: the system's.
        probe: What is asked.
        thresholds: How many probes in a row are believed.

    """

    interval: float = 1.0
    max_signal_age: float = 15.0
    place: str = ""
    upstreams: tuple[str, ...] = ()
    probe: HttpProbe = field(default_factory=HttpProbe)
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        check_range("interval", self.interval, INTERVAL_RANGE)
        check_range("max_signal_age", self.max_signal_age, SIGNAL_AGE_RANGE)
        if self.max_signal_age < self.interval + self.probe.timeout:
            fix = "is shorter than interval + timeout: every signal would be too old"
            raise InvalidConfig((f"max_signal_age = {self.max_signal_age:g} s {fix}",))

    def observer(self, name: str) -> str:
        """Return how a prober called `name` signs its signals: with its place before a slash, if it has one."""
        return f"{self.place}/{name}" if self.place else name


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerSettings:
    """How often the planner looks."""

    interval: float = 1.0

    def __post_init__(self) -> None:
        check_range("interval", self.interval, INTERVAL_RANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnactorSettings:
    """How often an enactor looks; `stand_back` seconds for each one of `peers` that is preferred for an endpoint.

    `copy` is the file in which it keeps what the registry said last; `None`: named after it, in `wire.state_folder`.
    """

    interval: float = 1.0
    stand_back: float = 0.3
    peers: tuple[str, ...] = ()
    copy: Path | None = None

    def __post_init__(self) -> None:
        check_range("interval", self.interval, INTERVAL_RANGE)
        check_range("stand_back", self.stand_back, (0.0, 60.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class JanitorSettings:
    """The `keep` newest plans stay; others go when older than `grace`, after wearing a tombstone for `wait` seconds."""

    interval: float = 30.0
    keep: int = 10
    grace: float = 600.0
    wait: float = 60.0

    def __post_init__(self) -> None:
        check_range("interval", self.interval, INTERVAL_RANGE)
        check_range("grace", self.grace, (0.0, 365 * 86_400.0))
        check_range("wait", self.wait, (0.0, 86_400.0))
        if not 1 <= self.keep <= 10_000:
            raise InvalidConfig((f"keep = {self.keep} is not within 1 and 10000",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration. `path` is the file it came from; `resolver` is `None` if it has no such section.

    `digest` is that of the bytes it was read from (SHA-256); empty if it was not read.
    """

    path: Path
    registry: RegistrySettings
    providers: tuple[AnyProviderSettings, ...]
    topology: Topology
    health: HealthSettings = field(default_factory=HealthSettings)
    planner: PlannerSettings = field(default_factory=PlannerSettings)
    enactor: EnactorSettings = field(default_factory=EnactorSettings)
    janitor: JanitorSettings = field(default_factory=JanitorSettings)
    # No role resolves names by it: an edit there must not keep a running role from following its endpoints.
    resolver: "ResolverOptions | None" = field(default=None, compare=False)
    digest: bytes = field(default=b"", compare=False, repr=False)

    @property
    def realm(self) -> str:
        """The name under which this set-up signs its sentinels."""
        return self.topology.realm
