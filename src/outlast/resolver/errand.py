"""One conversation with one peer, written once for both drivers: a generator that says what it waits for.

It yields a `Wait` each time it would block, and returns the event that the machine is told. The driver, blocking or
asyncio, only has to know when a socket is ready.
"""

import socket
from collections.abc import Generator
from typing import NamedTuple

from outlast.resolver.messages import Event, Heard, Probed, SentinelHeard


class Wait(NamedTuple):
    """Go on when this socket can be written to, or read from."""

    on: socket.socket
    is_writing: bool


Told = Heard | SentinelHeard | Probed
Steps = Generator[Wait, None, Told]


class Errand:
    """A conversation under way.

    Args:
        steps: The conversation.

    """

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.wait: Wait | None = None

    def advance(self, at: int) -> Event | None:
        """Go on as far as possible; return the event that ends it, or `None` if it waits again.

        Args:
            at: Nanoseconds since the resolution began, for the event.

        """
        try:
            self.wait = next(self._steps)
        except StopIteration as done:
            self.wait = None
            told: Told = done.value
            return told._replace(at=at)
        return None

    def close(self) -> None:
        """Give it up and close its sockets; closing twice is harmless."""
        self._steps.close()
