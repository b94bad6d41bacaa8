"""Route 53 in memory, as its documentation has it: for tests and drills. It is told the time and never asks for chance.

It has the few methods of boto3's client that `Route53Provider` calls, so the provider that ships runs over it. Strict
where emulators are lenient: a DELETE is compared with what stands now, a batch is made whole or not at all, requests
are throttled, a zone takes one change at a time, and the name servers follow later than the API.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

from outlast.clock import Clock
from outlast.provider.memory_answers import Config, Signal, is_healthy, possible
from outlast.provider.memory_zone import Sets, applied, in_order, key_of, rank
from outlast.provider.route53_client import ApiError
from outlast.provider.route53_sets import name_of

CHANGES = frozenset({"change_resource_record_sets", "create_health_check"})
"""What cannot be done while changes fail; lists, answers and health checks go on."""
API = CHANGES | {"list_resource_record_sets", "get_change"}
"""The whole API: on 20 October 2025 it stood in the region that was down."""

_SECOND = 10**9


class _Zone:
    """One hosted zone: the API's newest sets, and what its name servers will have from when on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy_until = 0
        self.versions: list[tuple[int, Sets]] = [(0, {})]

    @property
    def sets(self) -> Sets:
        return self.versions[-1][1]

    def served(self, now: int) -> Sets:
        return next(sets for since, sets in reversed(self.versions) if since <= now)

    def add(self, now: int, since: int, sets: Sets) -> None:
        behind = [version for version in self.versions if version[0] > now]
        self.versions = [(0, self.served(now)), *behind, (since, sets)]


class MemoryRoute53:
    """An account with hosted zones.

    Args:
        clock: Its `now` is the time at AWS.
        zones: Ids and names of the zones.
        busy: Seconds that a change keeps its zone; another one meanwhile is refused with PriorRequestNotComplete.
        insync: Seconds until the name servers have a change.
        per_second: Requests that the account takes in any second; more are refused with Throttling.
        pairs_equals: Whether a batch may replace a set by itself; the documentation does not say.

    """

    def __init__(
        self,
        clock: Clock,
        zones: Mapping[str, str],
        *,
        busy: float = 0.0,
        insync: float = 0.0,
        per_second: int = 5,
        pairs_equals: bool = True,
    ) -> None:
        self.down: frozenset[str] = frozenset()
        """Methods that fail: nothing, `CHANGES` or `API`."""
        self.asked: list[str] = []
        """The methods called, in order."""
        self._clock = clock
        self._zones = {zone_id: _Zone(name) for zone_id, name in zones.items()}
        self._busy, self._insync = int(busy * _SECOND), int(insync * _SECOND)
        self._per_second = per_second
        self._pairs_equals = pairs_equals
        self._admitted: list[int] = []
        self._changes: list[int] = []
        self._checks: dict[str, Config] = {}
        self._references: dict[str, str] = {}
        self._signals: dict[str, list[Signal]] = {}
        self._lock = Lock()

    # ---------------------------------------------------------------------------------------------- boto3's face

    def change_resource_record_sets(self, **request: Any) -> Any:
        """Make a change batch, or raise `ApiError`."""
        with self._lock:
            now = self._admit("change_resource_record_sets")
            zone = self._zone(request["HostedZoneId"])
            if now < zone.busy_until:
                words = "The request was rejected because Route 53 was still processing a prior request."
                raise ApiError("PriorRequestNotComplete", words)
            batch = request["ChangeBatch"]["Changes"]
            after = applied(zone.name, zone.sets, batch, pairs_equals=self._pairs_equals)
            if (
                unknown := {item["HealthCheckId"] for item in after.values() if "HealthCheckId" in item}
                - self._checks.keys()
            ):
                raise ApiError("NoSuchHealthCheck", f"No health check exists with the specified ID: {unknown.pop()}")
            zone.busy_until = now + self._busy
            zone.add(now, now + self._insync, after)
            self._changes.append(now + self._insync)
            return self._change_info(len(self._changes), now)

    def list_resource_record_sets(self, **request: Any) -> Any:
        """List sets from a name on, also those that the name servers do not have yet."""
        with self._lock:
            self._admit("list_resource_record_sets")
            zone = self._zone(request["HostedZoneId"])
            parts = [request.get(f"StartRecord{part}", "") for part in ("Name", "Type", "Identifier")]
            start = rank((name_of(parts[0]), parts[1], parts[2])) if parts[0] else ("", "", "")
            rest = [item for item in in_order(zone.sets) if rank(key_of(item)) >= start]
            page, behind = rest[: int(request["MaxItems"])], rest[int(request["MaxItems"]) :]
            answer: dict[str, Any] = {"ResourceRecordSets": page, "IsTruncated": bool(behind)}
            if behind:
                answer |= {"NextRecordName": behind[0]["Name"], "NextRecordType": behind[0]["Type"]}
                answer |= {"NextRecordIdentifier": behind[0]["SetIdentifier"]} if "SetIdentifier" in behind[0] else {}
            return answer

    def get_change(self, **request: Any) -> Any:
        """Say whether the name servers have a change."""
        with self._lock:
            now = self._admit("get_change")
            return self._change_info(int(request["Id"].removeprefix("/change/C")), now)

    def create_health_check(self, **request: Any) -> Any:
        """Create a health check; the same reference and settings find the one that is there."""
        with self._lock:
            self._admit("create_health_check")
            reference, config = request["CallerReference"], dict(request["HealthCheckConfig"])
            check_id = self._references.setdefault(reference, f"check-{len(self._checks) + 1}")
            if self._checks.setdefault(check_id, config) != config:
                raise ApiError("HealthCheckAlreadyExists", f"{reference} has other settings", status=409)
            return {"HealthCheck": {"Id": check_id, "CallerReference": reference, "HealthCheckConfig": config}}

    # ------------------------------------------------------------------------------------------- the world outside

    def signal(self, place: str, *, is_up: bool) -> None:
        """From now on the endpoint at `host:port/path` passes, or fails, the requests of the health checkers."""
        self._signals.setdefault(place, []).append(Signal(self._clock.now(), is_up))

    def answers(self, owner: str, rdtype: str) -> tuple[tuple[str, ...], ...]:
        """Every answer that the name servers may give now; empty if they have nothing."""
        now = self._clock.now()
        fitting = (zone for zone in self._zones.values() if owner == zone.name or owner.endswith(f".{zone.name}"))
        zone = max(fitting, key=lambda found: len(found.name))
        return possible(
            zone.served(now), owner, rdtype, lambda check: is_healthy(check, self._checks, self._signals, now)
        )

    def sets(self, zone_id: str) -> Iterable[Mapping[str, Any]]:
        """What the API has, in its order."""
        return in_order(self._zone(zone_id).sets)

    # ------------------------------------------------------------------------------------------------- within

    def _admit(self, method: str) -> int:
        self.asked.append(method)
        if method in self.down:
            raise ApiError("ServiceUnavailable", "The service is unavailable.", status=503)
        now = self._clock.now()
        self._admitted = [at for at in self._admitted if now - at < _SECOND]
        if len(self._admitted) >= self._per_second:
            raise ApiError("Throttling", "Rate exceeded")
        self._admitted.append(now)
        return now

    def _zone(self, zone_id: str) -> _Zone:
        if zone_id not in self._zones:
            raise ApiError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", status=404)
        return self._zones[zone_id]

    def _change_info(self, number: int, now: int) -> Any:
        if not 0 < number <= len(self._changes):
            raise ApiError("NoSuchChange", f"A change with ID C{number} does not exist", status=404)
        status = "INSYNC" if self._changes[number - 1] <= now else "PENDING"
        return {"ChangeInfo": {"Id": f"/change/C{number}", "Status": status}}
