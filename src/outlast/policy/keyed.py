"""One policy for each key of a call (a host, a tenant), bounded in number."""

import functools
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast

from outlast.policy.checks import check_count, refuse
from outlast.policy.timing import is_async

P = ParamSpec("P")
R = TypeVar("R")

MAX_KEYS = 100_000


class Calls(Protocol):
    """What is kept for each key."""

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def acall(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R: ...


Kept = TypeVar("Kept", bound=Calls)


class Keyed(Generic[Kept]):
    """A policy that is chosen by the arguments of the call.

    Args:
        key: Given the arguments, returns the key.
        make: Makes the policy of a key.
        check: Refuses a function that none of these policies could protect.
        max_keys: Keys remembered at most.

    """

    def __init__(
        self,
        key: Callable[..., Hashable],
        make: Callable[[Hashable], Kept],
        *,
        check: Callable[[Callable[..., Any]], object],
        max_keys: int,
    ) -> None:
        refuse(check_count("max_keys", max_keys, low=1, high=MAX_KEYS))
        self._check = check
        self._key = key
        self._make = make
        self._max_keys = max_keys
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<keyed policy: {len(self._kept)} of {self._max_keys} keys>"

    def __call__(self, fn: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function.

        Raises:
            InvalidConfig: A generator, or a `def` that the policy's time limits cannot reach.

        """
        self._check(fn)
        if is_async(fn):
            coroutine = cast(Callable[P, Awaitable[Any]], fn)

            @functools.wraps(fn)
            async def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
                return await self.acall(coroutine, *args, **kwargs)

            return cast(Callable[P, R], guarded)

        @functools.wraps(fn)
        def guarded_function(*args: P.args, **kwargs: P.kwargs) -> R:
            return self.call(fn, *args, **kwargs)

        return guarded_function

    def call(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through the policy of its key."""
        return self.policy(self._key(*args, **kwargs)).call(fn, *args, **kwargs)

    async def acall(self, fn: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do as `call`, for a coroutine function."""
        return await self.policy(self._key(*args, **kwargs)).acall(fn, *args, **kwargs)

    def policy(self, key: Hashable) -> Kept:
        """Return the policy of a key, made when it is first asked for."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = self._make(key)
        with self._lock:
            kept = self._kept.setdefault(key, made)
            self._kept.move_to_end(key)
            if len(self._kept) > self._max_keys:
                self._kept.popitem(last=False)
            return kept
