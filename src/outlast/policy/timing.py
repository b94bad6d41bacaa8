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
_KNOWN: "weakref.WeakKeyDictionary[object, int | None]" = weakref.WeakKeyDictionary()

BY_NAME = 1 << 30
"""The position of a parameter that is given by its name alone: behind all others."""


def is_async(fn: Callable[..., Any]) -> bool:
    """Say whether calling `fn` gives a coroutine, as far as can be known without calling it."""
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__)


def find_timeout(fn: Callable[..., Any]) -> int | None:
    """Return where `fn` has a parameter `timeout` that can be given by name, counted in what a call passes; `None` for nowhere."""
    key = getattr(fn, "__func__", fn)
    try:
        if key not in _KNOWN:
            _KNOWN[key] = _timeout_of(key)
        found = _KNOWN[key]
    except TypeError:  # neither hashed nor referred to weakly: looked at each time
        found = _timeout_of(key)
    # A method's own signature begins with what it is bound to.
    return found - 1 if found is not None and key is not fn else found


def _timeout_of(fn: Callable[..., Any]) -> int | None:
    try:
        parameters = inspect.signature(fn).parameters
    except ValueError:  # builtins without a signature
        return None
    parameter = parameters.get("timeout")
    if parameter is None or parameter.kind not in _KINDS:
        return None
    return list(parameters).index("timeout") if parameter.kind is _KINDS[0] else BY_NAME


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
