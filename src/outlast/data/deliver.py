"""The decorator that parks a call which cannot go through now: `Delivered(value)`, or `Parked(id)` for later."""

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, Protocol, TypedDict, TypeVar, overload

from outlast.data.calls import Registered, encode
from outlast.data.records import Delivered, Parked

P = ParamSpec("P")
R = TypeVar("R")


class Parking(Protocol):
    """What the decorator needs of a queue."""

    def put(
        self, body: bytes, *, key: str | None = None, dedup: str | None = None, expires: float | None = None
    ) -> Parked:
        """Keep a call."""
        ...

    async def aput(
        self, body: bytes, *, key: str | None = None, dedup: str | None = None, expires: float | None = None
    ) -> Parked:
        """Keep a call without stopping the event loop."""
        ...

    def is_waiting(self, key: str) -> bool:
        """Return whether a message of the key is still to be delivered."""
        ...

    async def ais_waiting(self, key: str) -> bool:
        """Return the same without stopping the event loop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverOptions:
    """How calls are parked; see `Queue.deliver`."""

    is_parking: Callable[[Exception], bool]
    key: Callable[..., str] | None
    dedup: Callable[..., str] | None
    expires: float | None
    name: str | None


class Decorator:
    """Made by `Queue.deliver`."""

    def __init__(self, queue: Parking, options: DeliverOptions, *, register: Callable[[str, Registered], None]) -> None:
        self._queue = queue
        self._options = options
        self._register = register

    @overload
    def __call__(  # type: ignore[overload-overlap]  # there is no type for what is not a coroutine
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> Callable[P, Coroutine[Any, Any, Delivered[R] | Parked]]: ...

    @overload
    def __call__(self, function: Callable[P, R]) -> Callable[P, Delivered[R] | Parked]: ...

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        name = self._options.name or f"{function.__module__}.{function.__qualname__}"
        self._register(name, Registered(function=function, is_parking=self._options.is_parking))
        return self._wrap_async(name, function) if iscoroutinefunction(function) else self._wrap(name, function)

    def _wrap(self, name: str, function: Callable[..., R]) -> Callable[..., Delivered[R] | Parked]:
        @functools.wraps(function)
        def deliver(*args: Any, **kwargs: Any) -> Delivered[R] | Parked:
            body = encode(name, args, kwargs)
            slip = self._slip(args, kwargs)
            if slip["key"] is not None and self._queue.is_waiting(slip["key"]):
                return self._queue.put(body, **slip)
            try:
                return Delivered(function(*args, **kwargs))
            except Exception as error:
                if not self._options.is_parking(error):
                    raise
                return self._queue.put(
                    body, **slip
                )  # in here, so that a refusal tells what it was that could not go through

        return deliver

    def _wrap_async(
        self, name: str, function: Callable[..., Coroutine[Any, Any, R]]
    ) -> Callable[..., Coroutine[Any, Any, Delivered[R] | Parked]]:
        @functools.wraps(function)
        async def deliver(*args: Any, **kwargs: Any) -> Delivered[R] | Parked:
            body = encode(name, args, kwargs)
            slip = self._slip(args, kwargs)
            if slip["key"] is not None and await self._queue.ais_waiting(slip["key"]):
                return await self._queue.aput(body, **slip)
            try:
                return Delivered(await function(*args, **kwargs))
            except Exception as error:
                if not self._options.is_parking(error):
                    raise
                return await self._queue.aput(
                    body, **slip
                )  # in here, so that a refusal tells what it was that could not go through

        return deliver

    def _slip(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Slip":
        options = self._options
        return {
            "key": options.key(*args, **kwargs) if options.key else None,
            "dedup": options.dedup(*args, **kwargs) if options.dedup else None,
            "expires": options.expires,
        }


class _Slip(TypedDict):
    key: str | None
    dedup: str | None
    expires: float | None
