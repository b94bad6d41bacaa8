"""How a function can be told when its time is over, found out when it is decorated.

A coroutine is cancelled. A function cannot be: it takes its seconds as `timeout`, or promises to be cooperative (all that
waits in it asks for the time left), or a policy with time limits refuses it. No hidden thread pretends otherwise.
"""

import inspect
import weakref
from collections.abc import Callable
from typing import Any

from outlast.errors import InvalidConfig

_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_KNOWN: "weakref.WeakKeyDictionary[object, bool]" = weakref.WeakKeyDictionary()


def is_async(fn: Callable[..., Any]) -> bool:
    """Say whether calling `fn` gives a coroutine, as far as can be known without calling it."""
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)


def takes_timeout(fn: Callable[..., Any]) -> bool:
    """Say whether `fn` has a parameter `timeout` that can be given by name."""
    key = getattr(fn, "__func__", fn)
    try:
        known = _KNOWN.get(key)
        if known is None:
            known = _KNOWN[key] = _has_timeout(key)
    except TypeError:  # neither hashed nor referred to weakly: looked at each time
        return _has_timeout(key)
    return known


def _has_timeout(fn: Callable[..., Any]) -> bool:
    try:
        parameter = inspect.signature(fn).parameters.get("timeout")
    except ValueError:  # builtins without a signature
        return False
    return parameter is not None and parameter.kind in _KINDS


def refuse_generator(fn: Callable[..., Any]) -> None:
    """Raise `InvalidConfig` for a generator: it returns before its body has begun, so nothing would be protected."""
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise InvalidConfig((f"{_name(fn)} is a generator; use `.attempts()` inside it",))


def refuse_unstoppable(fn: Callable[..., Any]) -> InvalidConfig:
    """Return the error for a function that a time limit cannot reach."""
    fault = (
        f"{_name(fn)} cannot be interrupted: give it a parameter `timeout` (seconds), make it `async def`, "
        "use `.attempts()`, or `.wrap(fn, cooperative=True)` if all that waits in it asks for the time left"
    )
    return InvalidConfig((fault,))


def _name(fn: Callable[..., Any]) -> str:
    return str(getattr(fn, "__qualname__", None) or repr(fn))
