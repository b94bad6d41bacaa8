"""The places of botocore that have no public way in, each guarded. Written against botocore 1.44 over urllib3 2."""

from importlib import import_module
from typing import Any

from outlast.client.dialing import MAX_ADDRESSES, Dialing, is_address
from outlast.client.ports import Resolves
from outlast.errors import InvalidConfig, OutlastError

_SEAM = "_new_conn"


def build_config(**options: Any) -> Any:
    """Return a botocore `Config` that makes one attempt: further ones are the policy's, in its budget.

    `total_max_attempts` counts the first; `max_attempts` would count retries in one mode and attempts in another. The mode is
    named too, because `legacy` retries some connection errors of its own accord.
    """
    config = import_module("botocore.config").Config
    return config(retries={"total_max_attempts": 1, "mode": "standard"}, **options)


def install_resolver(client: Any, resolver: Resolves) -> None:
    """Let the connections of a botocore client go to addresses from `resolver`; Host and TLS name stay.

    Raises:
        InvalidConfig: This version of botocore is built otherwise.

    """
    endpoint = vars(client).get("_endpoint")
    session = getattr(endpoint, "http_session", None)
    classes = getattr(session, "_pool_classes_by_scheme", None)
    manager = getattr(session, "_manager", None)
    if not isinstance(classes, dict) or manager is None:
        raise InvalidConfig((f"{type(client).__name__}: this version of botocore is not known to outlast",))
    # A dictionary of its own: the present one may be shared, and the classes in it are everybody's.
    manager.pool_classes_by_scheme = {scheme: _resolving_pool(pool, resolver) for scheme, pool in classes.items()}


def _resolving_pool(pool: Any, resolver: Resolves) -> Any:
    connection = type(f"Resolving{pool.ConnectionCls.__name__}", (pool.ConnectionCls,), {_SEAM: _dial(pool, resolver)})
    return type(f"Resolving{pool.__name__}", (pool,), {"ConnectionCls": connection})


def _dial(pool: Any, resolver: Resolves) -> Any:
    # urllib3 has no resolver hook; its pull request 3781 is open.
    inner = getattr(pool.ConnectionCls, _SEAM)
    broken = import_module("urllib3.exceptions").NewConnectionError
    failed = import_module("urllib3.exceptions").HTTPError

    def new_connection(self: Any) -> Any:
        host, timeout = self.host, self.timeout
        if is_address(host):
            return inner(self)
        dialing = Dialing(timeout if isinstance(timeout, int | float) else None)
        try:
            found = resolver.resolve(host, deadline=dialing.left())
        except (OutlastError, OSError) as error:
            raise broken(self, f"{host}: {error}") from error
        try:
            for address, share, is_last in dialing.shares(found):
                self.host, self.timeout = address, share
                try:
                    return inner(self)
                except failed:
                    if is_last:
                        raise
        finally:
            # TLS asks for the name after this, and the pool sends it as Host.
            self.host, self.timeout = host, timeout
        raise broken(self, f"{host}: the resolver answered without one of {MAX_ADDRESSES} addresses")

    return new_connection
