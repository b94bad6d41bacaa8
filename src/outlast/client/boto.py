"""botocore and boto3: one client for each region behind one face.

Signing binds a request to its region, so another region is another client, never another URL. botocore's own retries are
switched off (`total_max_attempts=1`), because they would multiply with the policy's and no budget would see them.

Reads are known by their names (`get_`, `list_`, `describe_` …). A write is made again only when nothing was done (not sent,
or refused for too many requests, which botocore is no longer there to retry), when the caller has passed a token by which the service knows the second from the first, or when its name was given as idempotent.
Whether another region holds the same data is for whoever names two regions to know.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from outlast.client.boto_seams import build_config, install_resolver
from outlast.client.explanation import Applied, Explanation, Missing, remember
from outlast.client.ports import Resolves
from outlast.client.regions import Regions
from outlast.client.trip import Trip
from outlast.errors import InvalidConfig
from outlast.policy.driver import chance, now
from outlast.policy.locks import lock_of
from outlast.policy.policy import Policy
from outlast.policy.transient import AWS_THROTTLES, read_aws_code

READS = (
    "get_",
    "list_",
    "describe_",
    "query",
    "scan",
    "head_",
    "batch_get_",
    "transact_get_",
    "select_",
    "lookup_",
    "search",
)
TOKENS = frozenset({"ClientToken", "ClientRequestToken", "IdempotencyToken", "CallerReference"})
_UNSENT = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
DEFAULT_SECONDS = 5.0
"""Connect and read timeouts where the policy has none. botocore's own minute is longer than any caller waits."""

Factory = Callable[..., Any]
"""Given `region_name`, `endpoint_url` and `config`, returns a client."""


class RegionalClient:
    """A botocore client that is several: each operation goes through the policy to the region that can serve it.

    Args:
        clients: Region to client, best first.
        policy: How calls are made.
        regions: Which region a call goes to.
        idempotent: Operations that may be made twice although their names do not say so.

    """

    def __init__(
        self, clients: dict[str, Any], policy: Policy, *, regions: Regions, idempotent: Collection[str] = ()
    ) -> None:
        self._clients = clients
        self._policy = policy
        self._regions = regions
        self._idempotent = frozenset(idempotent)

    def __repr__(self) -> str:
        return f"<regional client: {self._policy.name}, {self._regions!r}>"

    def __getattr__(self, name: str) -> Any:
        """Return an operation by its method name; whatever else a client has is the home region's."""
        home = getattr(self._clients[self._regions.home], name)
        known = getattr(getattr(self._clients[self._regions.home], "meta", None), "method_to_api_mapping", {})
        if name not in known:
            return home

        def operation(**parameters: Any) -> Any:
            return self._call(name, parameters)

        return operation

    def close(self) -> None:
        """Close the clients of all regions."""
        for client in self._clients.values():
            client.close()

    def _call(self, name: str, parameters: dict[str, Any]) -> Any:
        trip: Trip[Any] = Trip(
            self._regions,
            lock_of(self._regions),
            is_repeatable=is_repeatable(name, parameters, self._idempotent),
            is_unsent=is_unsent,
            judge=lambda _: False,  # botocore raises for every status that is a failure
            chance=chance,
        )

        def attempt(**_: float) -> Any:
            choice = trip.choose(now())
            assert choice is not None, "a regional client has regions"
            return getattr(self._clients[choice.name], name)(**parameters)

        return self._policy.carry(attempt, trip)


def is_repeatable(name: str, parameters: Collection[str], idempotent: Collection[str] = ()) -> bool:
    """Say whether an operation may be made twice. A token counts only if the caller passed it: botocore's own is new each time."""
    return name.startswith(READS) or name in idempotent or not TOKENS.isdisjoint(parameters)


def is_unsent(error: BaseException) -> bool:
    """Say whether it is certain that nothing was done: not sent, or refused for too many requests.

    botocore's errors are recognised by name, without importing it.
    """
    if read_aws_code(error) in AWS_THROTTLES:
        return True
    return type(error).__module__.partition(".")[0] == "botocore" and type(error).__name__ in _UNSENT


def regional(
    session: Any,
    service: str,
    *,
    regions: Regions,
    policy: Policy,
    resolver: Resolves | None = None,
    idempotent: Collection[str] = (),
    **options: Any,
) -> RegionalClient:
    """Return one client for a service in several regions.

    Args:
        session: A `boto3.Session`, a botocore session, or a factory that is given `region_name`, `endpoint_url` and `config`.
        service: Its name, such as `dynamodb`.
        regions: The region's name at AWS to its endpoint's URL.
        policy: How calls are made. Its attempt timeout becomes botocore's connect and read timeouts.
        resolver: Gives the addresses of names.
        idempotent: Operations (`put_item`) that may be made twice although their names do not say so.
        options: Passed on to each client, such as credentials.

    Raises:
        InvalidConfig: Nothing could fail over, `config` is among the options, or the session makes no clients.

    """
    faults = []
    if len(regions) > 1 and (policy.retry is None or policy.retry.attempts < 2):
        faults.append(f"policy {policy.name} tries once; to fail over give it retry=Retry(on=outlast.transient)")
    if "config" in options:
        faults.append("config: timeouts and retries are the policy's; give those instead")
    make = _find_factory(session, service)
    if make is None:
        faults.append(f"{type(session).__name__} makes no clients")
    if faults or make is None:
        raise InvalidConfig(tuple(faults))
    seconds = policy.attempt_timeout or policy.deadline or DEFAULT_SECONDS
    config = build_config(connect_timeout=seconds, read_timeout=seconds)
    clients = {
        name: make(region_name=name, endpoint_url=url, config=config, **options) for name, url in regions.urls.items()
    }
    if resolver is not None:
        for client in clients.values():
            install_resolver(client, resolver)
    face = RegionalClient(clients, policy, regions=regions, idempotent=idempotent)
    remember(face, _describe(service, policy, regions, has_resolver=resolver is not None))
    return face


def _find_factory(session: Any, service: str) -> Factory | None:
    for verb in ("create_client", "client"):  # botocore's, boto3's
        with suppress(AttributeError):
            create = getattr(session, verb)
            return lambda **options: create(service, **options)
    return session if callable(session) else None


def _describe(service: str, policy: Policy, regions: Regions, *, has_resolver: bool) -> Explanation:
    applied = [
        Applied("regions", ", then ".join(f"{name} ({url})" for name, url in regions.urls.items())),
        Applied("retries of botocore", "switched off (total_max_attempts=1); the policy's count instead"),
        Applied("time limits", "as botocore's connect and read timeouts, set once"),
    ]
    applied += [Applied("resolver", "names are resolved by outlast; Host and TLS name stay")] if has_resolver else []
    missing = (
        Missing(
            "hard time limits", "botocore limits each network operation and cannot be told what is left of a deadline"
        ),
        Missing("paginators and waiters", "they belong to the home region's client"),
    )
    return Explanation(f"botocore {service}", policy.name, tuple(applied), missing)
