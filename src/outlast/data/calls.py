"""Calls as messages: a function's name and its JSON arguments, and the functions that take them again."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from outlast.data.desk import Unclaimed
from outlast.data.records import Message

VERSION = 1

Match = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""Which errors park a call: a class, several, or a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A function that takes parked calls."""

    function: Callable[..., Any]
    is_parking: Callable[[Exception], bool]

    @property
    def is_async(self) -> bool:
        """Whether it must be awaited."""
        return iscoroutinefunction(self.function)


class Calls:
    """The functions of one queue, by the name that stands in its messages."""

    def __init__(self) -> None:
        self._functions: dict[str, Registered] = {}

    def __repr__(self) -> str:
        return f"<Calls {', '.join(self._functions) or 'none'}>"

    def __bool__(self) -> bool:
        return bool(self._functions)

    def add(self, name: str, registered: Registered) -> None:
        """Register a function; a name that is taken raises `ValueError`."""
        if name in self._functions:
            raise ValueError(f"{name!r} already delivers from this queue; give one of them name=")
        self._functions[name] = registered

    def asynchronous(self) -> list[str]:
        """Return the names of those that must be awaited."""
        return [name for name, registered in self._functions.items() if registered.is_async]

    def is_outage(self, message: Message, error: Exception) -> bool:
        """Return whether the message's own function parks on this error."""
        try:
            registered, _, _ = self._find(message)
        except (Unclaimed, ValueError):
            return False
        return registered.is_parking(error)

    def handle(self, message: Message) -> None:
        """Call the function named in the message; raises `Unclaimed` if it is not registered."""
        registered, args, kwargs = self._find(message)
        registered.function(*args, **kwargs)

    async def ahandle(self, message: Message) -> None:
        """Call or await the function named in the message; one that is not async gets a thread."""
        registered, args, kwargs = self._find(message)
        if registered.is_async:
            await registered.function(*args, **kwargs)
        else:
            await asyncio.to_thread(registered.function, *args, **kwargs)

    def _find(self, message: Message) -> tuple[Registered, list[Any], dict[str, Any]]:
        name, args, kwargs = decode(message.body)
        registered = self._functions.get(name)
        if registered is None:
            raise Unclaimed(name)
        return registered, args, kwargs


def encode(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
    """Return the message for a call.

    Raises:
        TypeError: An argument would not come back as it is: JSON has no tuples, bytes, dates or keys that are not text.

    """
    given = [list(args), dict(kwargs)]
    try:
        text = json.dumps({"v": VERSION, "call": name, "args": given[0], "kwargs": given[1]}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the arguments of {name} must be JSON, so that they can be parked: {error}") from error
    back = json.loads(text)
    if [back["args"], back["kwargs"]] != given:
        raise TypeError(f"the arguments of {name} must be JSON: {given!r} would come back as {back!r}")
    return text.encode()


def decode(body: bytes) -> tuple[str, list[Any], dict[str, Any]]:
    """Return name and arguments of a call; raises `ValueError` if the message is no call."""
    try:
        found = json.loads(body)
        version, call = found["v"], (str(found["call"]), list(found["args"]), dict(found["kwargs"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the message is not a parked call: {error!r}") from error
    if version != VERSION:
        raise ValueError(f"the message is a call of version {version!r}, not {VERSION}")
    return call


def matcher(park_on: Match) -> Callable[[Exception], bool]:
    """Return the question that `park_on` stands for."""
    if isinstance(park_on, tuple):
        classes = park_on
        return lambda error: isinstance(error, classes)
    if isinstance(park_on, type):
        one = park_on
        return lambda error: isinstance(error, one)
    return park_on
