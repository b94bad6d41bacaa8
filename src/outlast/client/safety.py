"""Which HTTP requests may be made twice."""

from collections.abc import Mapping
from typing import Any

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2: meant to have the same effect once or many times."""


def is_idempotent(method: str, headers: Mapping[str, str], extensions: Mapping[str, Any]) -> bool:
    """Say whether making the request again is safe.

    The caller's word comes first (`extensions={"outlast": {"idempotent": True}}`, or `False` for a PUT that counts), then
    an `Idempotency-Key` by which the server knows the second from the first, then the method.
    """
    options = extensions.get("outlast")
    said = options.get("idempotent") if isinstance(options, Mapping) else None
    if isinstance(said, bool):
        return said
    return "idempotency-key" in headers or method.upper() in IDEMPOTENT
