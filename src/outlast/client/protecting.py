"""`protect`: finds the module for a client's library without importing any other."""

from importlib import import_module
from typing import TypeVar, cast

from outlast.client.ports import Resolves
from outlast.client.regions import Regions
from outlast.errors import InvalidConfig
from outlast.policy.policy import Policy

C = TypeVar("C")

_MODULES = {"httpx": "outlast.client.httpx_client"}
_ELSEWHERE = {
    "botocore": "outlast.client.boto.regional(session, service, …) builds its clients itself, one for each region"
}


def protect(client: C, policy: Policy, *, regions: Regions | None = None, resolver: Resolves | None = None) -> C:
    """Put a policy around everything a client sends, and return the same client.

    Args:
        client: An `httpx.Client` or `httpx.AsyncClient`, or a subclass, not used yet.
        policy: How calls are made. With several regions it needs a `retry`.
        regions: Where calls go that name no host, or one of the regions'.
        resolver: Gives the addresses of names.

    Raises:
        InvalidConfig: The client is of no known library, or what is asked for contradicts itself.

    """
    for kind in type(client).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _MODULES:
            module = import_module(_MODULES[root])
            return cast(C, module.protect(client, policy, regions=regions, resolver=resolver))
        if root in _ELSEWHERE:
            raise InvalidConfig((f"a client of {root} is bound to one region; {_ELSEWHERE[root]}",))
    raise InvalidConfig((f"{type(client).__qualname__} is of no library that outlast knows; {', '.join(_MODULES)} is",))
