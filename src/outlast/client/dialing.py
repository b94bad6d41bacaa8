"""The time and the addresses of one connection, whatever library opens it."""

import ipaddress
import time
from collections.abc import Iterator

from outlast.client.ports import Found

MAX_ADDRESSES = 8
"""Addresses tried for one connection; with more, each would get too small a share of the time."""
CONNECT_SECONDS = 5.0
"""Where the caller sets no limit; httpx's default."""
LEAST_SECONDS = 0.001
"""A timeout of 0 would mean something else: not to wait at all, and to fail with another error."""


def is_address(host: str) -> bool:
    """Say whether there is nothing to resolve."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Dialing:
    """The time and the addresses of one connection, each address with its share of what is left.

    Args:
        timeout: Seconds in all.

    """

    def __init__(self, timeout: float | None) -> None:
        self._end = time.monotonic() + (CONNECT_SECONDS if timeout is None else timeout)

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def shares(self, found: Found) -> Iterator[tuple[str, float, bool]]:
        """Yield each address with its seconds, and whether it is the last."""
        addresses = found.addresses[:MAX_ADDRESSES]
        for turn, address in enumerate(addresses):
            share = max(LEAST_SECONDS, self.left() / (len(addresses) - turn))
            yield address, share, turn == len(addresses) - 1
