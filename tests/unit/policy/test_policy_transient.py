"""What passes by itself, for the clients that are known by name."""

import errno
import socket
import ssl
from types import SimpleNamespace

import httpcore
import httpx
import pytest

from outlast.errors import CircuitOpen, DeadlineExceeded, Unavailable
from outlast.policy.transient import transient


class ClientError(Exception):
    """As botocore raises it."""

    def __init__(self, status: int, code: str = "", **headers: str) -> None:
        super().__init__()
        self.response = {
            "Error": {"Code": code},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        }


def of_botocore(*ancestry: str) -> Exception:
    """Return an error with the names that botocore gives its own, which need not be installed."""
    kind: type[Exception] = Exception
    for name in ancestry:
        kind = type(name, (kind,), {"__module__": "botocore.exceptions"})
    return kind()


@pytest.mark.parametrize(
    ("what", "verdict"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (OSError(errno.EHOSTUNREACH, "no route"), True),
        (Unavailable("gone"), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.ConnectError("refused"), True),
        (httpx.RemoteProtocolError("cut off"), True),
        (httpcore.PoolTimeout(), True),
        (FileNotFoundError(errno.ENOENT, "no file"), False),
        (ssl.SSLCertVerificationError(1, "wrong name"), False),
        (httpx.UnsupportedProtocol("ftp"), False),
        (httpx.LocalProtocolError("our fault"), False),
        (ValueError(), False),
        (CircuitOpen("p", retry_after=1.0), False),
        (DeadlineExceeded("p", seconds=1.0, attempts=1), False),
        (of_botocore("ConnectionError", "EndpointConnectionError"), True),
        (of_botocore("ConnectionError", "SSLError"), False),
        (of_botocore("HTTPClientError", "ReadTimeoutError"), True),
        (of_botocore("ParamValidationError"), False),
        (ClientError(503), True),
        (ClientError(500, "InternalServerError"), True),
        (ClientError(400), False),
        (ClientError(400, "ConditionalCheckFailedException"), False),
        (ClientError(400, "ProvisionedThroughputExceededException"), True),
        (ClientError(400, "ThrottlingException"), True),
        (ClientError(429, **{"retry-after": "3"}), 3.0),
    ],
)
def test_verdicts(what: object, verdict: object) -> None:
    """Lost connections, silence and overload pass; wrong files, names, requests and our own refusals do not."""
    found = transient(what)

    assert (verdict, type(verdict)) == (found, type(found))


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (200, {}, False),
        (404, {}, False),
        (500, {}, False),
        (503, {}, True),
        (502, {"Retry-After": "120"}, 120.0),
        (503, {"Retry-After": "soon"}, True),
        (503, {"Retry-After": "-5"}, True),
        (503, {"Retry-After": "9" * 400}, 999999999.0),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, True),
        (503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT", "Date": "Wed, 21 Oct 2015 07:27:30 GMT"}, 30.0),
    ],
)
def test_responses(status: int, headers: dict[str, str], verdict: object) -> None:
    """Overload is told by status, and the server's wish by `Retry-After`, as seconds or by its own clock."""
    response = httpx.Response(status, headers=headers)

    assert verdict == transient(response) == transient(SimpleNamespace(response=response))
