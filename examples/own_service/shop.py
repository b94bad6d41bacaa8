# /// script
# dependencies = ["httpx", "outlast"]
# ///
"""Two ways to place an order: as many programs do, and the same call protected. Nothing in here knows of the drill."""

import uuid
from functools import cache

import httpx

import outlast

LIMITS = httpx.Limits(max_keepalive_connections=0)
"""A connection for each call. One that is kept warm for minutes hides what DNS says, and breaks when nobody looks."""


async def place_order(base_url: str) -> None:
    """One order to one region, with httpx as it comes."""
    (await plain(base_url).put(f"/orders/{uuid.uuid4()}", params={"item": "lamp"})).raise_for_status()


async def place_order_protected(base_urls: tuple[str, ...], resolver: outlast.Resolver, deadline: float) -> None:
    """The same order with a second region, a deadline, retries within a budget, and a resolver that knows what was good."""
    client = protected(base_urls, resolver, deadline)
    (await client.put(f"/orders/{uuid.uuid4()}", params={"item": "lamp"})).raise_for_status()


@cache
def plain(base_url: str) -> httpx.AsyncClient:
    """One client for all calls to one region."""
    return httpx.AsyncClient(base_url=base_url, limits=LIMITS, trust_env=False)


@cache
def protected(base_urls: tuple[str, ...], resolver: outlast.Resolver, deadline: float) -> httpx.AsyncClient:
    """One client for all calls that come with the same resolver."""
    regions = outlast.Regions(dict(zip(("east", "west"), base_urls, strict=True)))
    policy = outlast.Policy(
        "orders",
        deadline=deadline,
        attempt_timeout=0.4,
        retry=outlast.Retry(on=outlast.transient, attempts=3),
        budget=outlast.Budget(),
    )
    client = httpx.AsyncClient(limits=LIMITS, trust_env=False)
    return outlast.protect(client, policy, regions=regions, resolver=resolver)
