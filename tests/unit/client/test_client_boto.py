"""The face of several regional clients, over plain objects that look like botocore's."""

from types import SimpleNamespace
from typing import Any

import pytest

from outlast.client.boto import RegionalClient, regional
from outlast.client.regions import Regions
from outlast.errors import InvalidConfig
from outlast.policy.policy import Policy
from outlast.policy.retry import Retry
from outlast.policy.transient import transient


def of_botocore(name: str) -> Exception:
    """Return an error as botocore names it, which need not be installed."""
    base = type("ConnectionError", (Exception,), {"__module__": "botocore.exceptions"})
    kind: type[Exception] = type(name, (base,), {"__module__": "botocore.exceptions"})
    return kind()


class Table:
    """A regional client that knows two operations."""

    meta = SimpleNamespace(method_to_api_mapping={"get_item": "GetItem", "put_item": "PutItem"})

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def get_item(self, **parameters: Any) -> str:
        return self._answer("get_item", parameters)

    def put_item(self, **parameters: Any) -> str:
        return self._answer("put_item", parameters)

    def can_paginate(self, name: str) -> bool:
        return name == "scan"

    def _answer(self, name: str, parameters: dict[str, Any]) -> str:
        self.calls.append((name, parameters))
        if self.error is not None:
            raise self.error
        return "done"


def throttled() -> Exception:
    """Return what botocore raises when a service refuses for too many requests: status 400, told by its code."""
    kind: Any = type("ClientError", (Exception,), {"__module__": "botocore.exceptions"})
    error: Exception = kind()
    vars(error)["response"] = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return error


def face(east: Table, west: Table, *, idempotent: tuple[str, ...] = ()) -> RegionalClient:
    policy = Policy("p", retry=Retry(on=transient, base=0.001, cap=0.001))
    regions = Regions({"us-east-1": "http://east.test", "us-west-2": "http://west.test"})
    return RegionalClient({"us-east-1": east, "us-west-2": west}, policy, regions=regions, idempotent=idempotent)


def test_reads_fail_over() -> None:
    """A read that timed out in one region is answered by the other, with the same parameters."""
    east, west = Table(of_botocore("ReadTimeoutError")), Table()

    assert "done" == face(east, west).get_item(Key="k")
    assert [("get_item", {"Key": "k"})] == east.calls == west.calls


def test_writes_that_may_have_been_carried_out_stay() -> None:
    """A write that timed out comes out as botocore's own error, and no other region sees it."""
    error = of_botocore("ReadTimeoutError")
    east, west = Table(error), Table()
    with pytest.raises(type(error)) as caught:
        face(east, west).put_item(Item="x")

    assert error is caught.value
    assert [] == west.calls


@pytest.mark.parametrize(
    ("error", "idempotent"),
    [
        (of_botocore("EndpointConnectionError"), ()),
        (of_botocore("ReadTimeoutError"), ("put_item",)),
        (throttled(), ()),
    ],
)
def test_safe_writes_fail_over(error: Exception, idempotent: tuple[str, ...]) -> None:
    """A write that was not sent or not carried out, or that the caller named as idempotent, goes to the other region."""
    assert "done" == face(Table(error), Table(), idempotent=idempotent).put_item(Item="x")


def test_what_is_no_operation_is_the_home_regions() -> None:
    """Paginators and facts come from the home region's client."""
    assert face(Table(), Table()).can_paginate("scan")


def test_contradictions_are_listed_at_once() -> None:
    """No retry for two regions, a `config` and a session that makes no clients are refused together."""
    regions = Regions({"us-east-1": "http://east.test", "us-west-2": "http://west.test"})
    with pytest.raises(InvalidConfig) as caught:
        regional(object(), "dynamodb", regions=regions, policy=Policy("p"), config=None)

    assert 3 == len(caught.value.faults)
