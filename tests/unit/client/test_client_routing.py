"""Which requests belong to a region, and which may be made twice."""

import httpx
import pytest

from outlast.client.boto import is_repeatable
from outlast.client.httpx_client import clip
from outlast.client.routing import find_call
from outlast.client.safety import is_idempotent

BASES = ["https://east.example/api", "http://west.example:8080"]


@pytest.mark.parametrize(
    ("url", "call"),
    [
        ("/orders?x=1", "/orders?x=1"),
        ("orders", "/orders"),
        ("https://east.example/api/orders?x=1", "/orders?x=1"),
        ("https://EAST.example:443/api", "/"),
        ("http://west.example:8080/a/b", "/a/b"),
        ("https://east.example/apiary", None),
        ("http://east.example/api/orders", None),
        ("http://west.example/a", None),
        ("https://other.example/api/orders", None),
    ],
)
def test_calls_are_found_below_their_base(url: str, call: str | None) -> None:
    """A URL belongs to a region by scheme, host, port and whole path segments; one without a host to any."""
    assert call == find_call(url, BASES)


@pytest.mark.parametrize(
    ("method", "headers", "said", "expected"),
    [
        ("get", {}, None, True),
        ("PUT", {}, None, True),
        ("POST", {}, None, False),
        ("PATCH", {}, None, False),
        ("POST", {"Idempotency-Key": "1"}, None, True),
        ("POST", {}, True, True),
        ("PUT", {}, False, False),
        ("POST", {"Idempotency-Key": "1"}, False, False),
    ],
)
def test_idempotency(method: str, headers: dict[str, str], said: object, expected: object) -> None:
    """The caller's word comes before the key, the key before the method."""
    extensions = {"outlast": {"idempotent": said}}

    assert expected == is_idempotent(method, httpx.Headers(headers), extensions)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("get_item", {}, True),
        ("put_item", {}, False),
        ("update_item", {}, True),
        ("run_instances", {"ClientToken": "1"}, True),
    ],
)
def test_operations_that_may_be_made_twice(name: str, parameters: dict[str, str], expected: object) -> None:
    """Reads by name, writes by the caller's token, and what was named as idempotent."""
    assert expected == is_repeatable(name, parameters, {"update_item"})


def test_timeouts_are_clipped_to_the_attempt() -> None:
    """No phase is longer than the attempt, a shorter one stays, and no limit leaves all as they are."""
    own = {"connect": 0.1, "read": 5.0, "pool": None}

    assert {"connect": 0.1, "read": 0.98, "pool": 0.98} == clip(own, 1.0)
    assert own == clip(own, None)
