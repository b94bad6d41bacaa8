"""Which failures pass by themselves: `transient`, a predicate that knows the common clients without importing them.

Classes are recognised by module and name along their ancestry, so that a process pays for the clients it uses and no
others. Not everything that is an `OSError` is transient: a missing file, a refused permission or a certificate that does
not fit is as wrong the second time, and asking again only hides it.
"""

import errno
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from outlast.errors import Rejected, Unavailable

TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
"""Too many requests, and the three that a gateway or an overloaded server sends. 500 is a bug more often than a mood."""
AWS_THROTTLES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Refused before anything was done, mostly with status 400: botocore's list without those that may mean something else."""

_INTERNAL = 500
_PASSING = frozenset(
    {
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENETRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EAGAIN,
        errno.ETIMEDOUT,
    }
)
_HTTPX = {"TimeoutException", "NetworkError", "RemoteProtocolError", "ProxyError"}
_KNOWN = {
    "httpx": _HTTPX,
    "httpx2": _HTTPX,
    "httpcore": _HTTPX,
    "httpcore2": _HTTPX,
    "socket": {"gaierror"},
    "requests": {"ConnectionError", "Timeout", "ChunkedEncodingError"},
    "aiohttp": {"ClientConnectionError", "ClientPayloadError"},
    "botocore": {"HTTPClientError", "ConnectionError"},
}
_NEVER = {"requests": {"SSLError"}, "aiohttp": {"ClientSSLError"}, "botocore": {"SSLError"}}


def transient(what: object) -> bool | float:
    """Say whether a failed call may succeed if it is made again.

    Args:
        what: An exception, or a response with a `status_code`.

    Returns:
        `False` if asking again is pointless; `True` if not; a number if the server has named the seconds to wait
        (`Retry-After`, RFC 9110 section 10.2.3, as seconds or as a date beside a `Date`).

    """
    if isinstance(what, Rejected):
        return False  # our own refusal says nothing about the service
    if read_aws_code(what) in AWS_THROTTLES:
        return True
    status, headers = _read_status(what)
    if status is not None:
        return status in TRANSIENT_STATUSES and _read_pushback(headers)
    if isinstance(what, ConnectionError | TimeoutError | Unavailable):
        return True
    return _is_known(what) or (isinstance(what, OSError) and what.errno in _PASSING)


def _is_known(what: object) -> bool:
    names = [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(what).__mro__]
    if any(name in _NEVER.get(module, ()) for module, name in names):
        return False
    return any(name in _KNOWN.get(module, ()) for module, name in names)


def _read_status(what: object) -> tuple[int | None, Mapping[str, str]]:
    # httpx and requests: the error carries the response. aiohttp: the error is both. botocore: a dictionary.
    response = getattr(what, "response", None)
    source = what if response is None else response
    if isinstance(source, Mapping):
        facts = source.get("ResponseMetadata", {})
        status = facts.get("HTTPStatusCode")
        # AWS documents its 500 as passing, and botocore's own retries take it so too.
        return (503 if status == _INTERNAL else status), facts.get("HTTPHeaders", {})
    status = getattr(source, "status_code", getattr(source, "status", None))
    headers = getattr(source, "headers", None)
    return (status if isinstance(status, int) else None), (headers if isinstance(headers, Mapping) else {})


def read_aws_code(what: object) -> str:
    """Return the code of an error that a service of AWS answered with, as botocore raises it; empty if it is no such error."""
    response = getattr(what, "response", None)
    error = response.get("Error") if isinstance(response, Mapping) else None
    return str(error.get("Code", "")) if isinstance(error, Mapping) else ""


def _read_pushback(headers: Mapping[str, str]) -> bool | float:
    # botocore hands over plain dictionaries with names in small letters; the others do not mind the case.
    text = (headers.get("retry-after") or headers.get("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until, since = _read_date(text), _read_date(headers.get("date") or headers.get("Date") or "")
    # Measured by the server's own clock: ours may be wrong.
    return max(0.0, (until - since).total_seconds()) if until and since else True


def _read_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None  # "-0000" names no zone, and cannot be compared
