"""Calls to Route 53: five requests a second, a few at once, and again only what it says it has not done.

boto3 is synchronous, so each call has a thread of a small pool.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

from outlast.clock import Clock
from outlast.provider.route53_client import CONNECTIONS, ApiError, Connection, Doom, Failure, judge

NANOSECONDS = 10**9
REQUESTS_PER_SECOND = 5
"""For the whole account, over all its programs (Developer Guide, "Quotas", API requests)."""
FIRST_PAUSE = 0.2
"""Seconds before a request that Route 53 has put off is sent again; each further pause is twice as long."""


class Pace:
    """Not more than so many requests in any second. Pure: told the time, it says how long to wait."""

    def __init__(self, per_second: int) -> None:
        self._turns: deque[int] = deque(maxlen=per_second)

    def take(self, now: int) -> int:
        """Take the next turn; return the nanoseconds until it comes."""
        full = len(self._turns) == self._turns.maxlen
        turn = max(now, self._turns[0] + NANOSECONDS) if full else now
        self._turns.append(turn)
        return turn - now


class Calls:
    """The calls of one provider: connected at the first, paced, bounded, and sent again only if put off.

    Args:
        connect: Makes the connection.
        per_second: Requests in any second.
        timeout: Seconds for one request and its repetitions, from when its turn has come.
        clock: Times turns and repetitions.
        sleep: Waits so many seconds.
        jitter: A number from 0 up to 1, to keep writers that collided from colliding again.

    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        per_second: int,
        timeout: float,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._lock = Lock()
        self._pace = Pace(per_second)
        self._timeout = int(timeout * NANOSECONDS)
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="route53")

    async def ask(self, verb: str, **request: Any) -> Any:
        """Call the client's method `verb`.

        Raises:
            Failure: With what it tells of the request.

        """
        await self._wait_for_turn()
        until, pause = self._clock.now() + self._timeout, FIRST_PAUSE
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, partial(self._call, verb, request)
                )
            except Failure as failure:
                wait = pause * (0.5 + self._jitter())
                if failure.doom is not Doom.PUT_OFF or self._clock.now() + wait * NANOSECONDS > until:
                    raise
            await self._sleep(wait)
            await self._wait_for_turn()
            pause *= 2

    async def _wait_for_turn(self) -> None:
        if wait := self._pace.take(self._clock.now()):
            await self._sleep(wait / NANOSECONDS)

    async def rest(self, seconds: float) -> None:
        """Wait."""
        await self._sleep(seconds)

    def _call(self, verb: str, request: dict[str, Any]) -> Any:
        with self._lock:
            connection = self._connection = self._connection or self._connect()
        errors: tuple[type[Exception], ...] = (ApiError, OSError, *connection.errors)
        try:
            return getattr(connection.client, verb)(**request)
        except errors as error:
            raise judge(error) from error
