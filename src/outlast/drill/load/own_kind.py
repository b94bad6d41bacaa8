"""The kind `own`: a function of the user's, called at the drill's rate, in a process whose DNS is the drill's.

The contract is as small as it can be: the function takes what it needs, by name, of

- `base_url`: the first region's URL, such as `http://dynamodb.us-east-1.history.test:4711`;
- `base_urls`: every region's, the first region's first;
- `resolver`: an `outlast` resolver that asks the drill's name server, for `outlast.protect(…, resolver=resolver)`;
- `deadline`: seconds after which an answer no longer counts.

It returns when the call was answered correctly, and raises if it was not. It may be `async def` or `def`; what blocks is
called in threads, `THREADS` at most. Names are resolved in this process as an operating system would with the drill's
name server behind it, TTLs and negative TTLs kept: the function's own libraries need no change. No name of anywhere
else is resolved, so that nothing outside of the drill is ever called.
"""

import asyncio
import concurrent.futures
import contextvars
import inspect
import ipaddress
import json
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from outlast.config.resolver import load_resolver
from outlast.drill.load.errand import Errand, Reply, Setting
from outlast.drill.load.resolving import CONFIRM, CountedResolver, build_resolver
from outlast.drill.load.stub_resolver import StubResolver, Unresolved
from outlast.drill.load.sync_stub import SyncStub
from outlast.drill.load.trace import TRACE, count_dns_query
from outlast.drill.own import OPTIONS_FILE
from outlast.errors import InvalidConfig, OutlastError
from outlast.resolver.options import Protect, ResolverOptions, Rule
from outlast.resolver.resolver import Resolver

OFFERED = ("base_url", "base_urls", "resolver", "deadline")
THREADS = 64
TOLD_MAX = 5
"""Kinds of errors of the function whose traceback is written down, the first time each."""
ZONE = "test"
"""All names of the drill end so, and nobody else's do (RFC 6761, section 6.2)."""
SUFFIX = f".{ZONE}"

_system_lookup = socket.getaddrinfo
_pool = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="own-call")
_told: set[str] = set()


def load_client(told: dict[str, Any]) -> Callable[..., Any]:
    """Import the user's function.

    Raises:
        InvalidConfig: It cannot be imported, or wants what it cannot get.

    """
    client = str(told["client"])
    module_name, _, name = client.partition(":")
    sys.path.insert(0, str(told["folder"]))
    try:
        function = getattr(import_module(module_name), name, None)
    except Exception as error:
        raise InvalidConfig((f"--client {client!r}: cannot import {module_name}: {_words(error)}",)) from error
    if not callable(function):
        raise InvalidConfig((f"--client {client!r}: {module_name} has no function {name}",))
    unknown = [key for key, item in inspect.signature(function).parameters.items() if _is_unknown(key, item)]
    if unknown:
        fault = f"asks for {', '.join(unknown)}; it can have {', '.join(OFFERED)}, each by name"
        raise InvalidConfig((f"--client {client!r}: {name} {fault}",))
    made: Callable[..., Any] = function
    return made


def _is_unknown(key: str, item: inspect.Parameter) -> bool:
    if item.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
        return False
    return item.default is inspect.Parameter.empty and (
        key not in OFFERED or item.kind is inspect.Parameter.POSITIONAL_ONLY
    )


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")


class OwnHost:
    """One host of the kind `own`: the user's function, with caches of its own.

    Args:
        setting: What the host is told; `own.json` in its folder says which function.

    """

    def __init__(self, setting: Setting) -> None:
        told = json.loads((setting.folder / OPTIONS_FILE).read_text(encoding="utf-8"))
        self._function = load_client(told)
        self._stub = StubResolver(
            setting.nameserver, clock=time.monotonic, on_query=count_dns_query, on_answer=setting.on_answer
        )
        self.blocking_stub = SyncStub(setting.nameserver, on_answer=setting.on_answer)
        self._resolver = CountedResolver(_resolver(told, setting), setting)
        self._arguments = self._select(setting)

    def _select(self, setting: Setting) -> dict[str, Any]:
        urls = tuple(setting.url(index) for index in range(len(setting.names)))
        offered = {"base_url": urls[0], "base_urls": urls, "resolver": self._resolver, "deadline": setting.deadline}
        parameters = inspect.signature(self._function).parameters
        takes_all = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters.values())
        return {key: value for key, value in offered.items() if takes_all or key in parameters}

    async def open(self) -> None:
        """Make this process's names those of the drill."""
        vars(socket)["getaddrinfo"] = _lookup
        vars(asyncio.get_running_loop())["getaddrinfo"] = _lookup_for_loop

    async def call(self, _errand: Errand) -> Reply:
        """Call the function. What it raises is a failed call; what it does in the call is its own affair."""
        _HOST.set(self)
        TRACE.get().attempts += 1
        try:
            if inspect.iscoroutinefunction(self._function):
                await self._function(**self._arguments)
            else:
                context = contextvars.copy_context()
                work = asyncio.get_running_loop().run_in_executor(_pool, lambda: context.run(self._block))
                await work
        except Exception as error:
            TRACE.get().last_error = type(error).__name__
            _note(error)
            raise
        return Reply("", "")

    def _block(self) -> None:
        self._function(**self._arguments)

    async def resolve(self, name: str) -> tuple[str, ...]:
        """The addresses of a name, for code on the loop. Raises `Unresolved`."""
        TRACE.get().resolved = True
        return await self._stub.resolve(name)

    async def aclose(self) -> None:
        """Give up questions in flight, and write what the resolver knows."""
        await self._stub.aclose()
        self._resolver.close()


_HOST: contextvars.ContextVar[OwnHost] = contextvars.ContextVar("outlast_drill_own_host")


def _note(error: Exception) -> None:
    # Into the log of this process: the drill's lines have only the error's class.
    if type(error).__name__ not in _told and len(_told) < TOLD_MAX:
        _told.add(type(error).__name__)
        traceback.print_exception(error)


# --------------------------------------------------------------------------------------------------------- resolving


def rule_of(options: ResolverOptions) -> Rule:
    """The rule that the drill's names get: that of the first pattern that protects, or else the default."""
    protecting = [rule for rule in options.names.values() if isinstance(rule, Protect)]
    return protecting[0] if protecting else options.default


def _resolver(told: dict[str, Any], setting: Setting) -> Resolver:
    if told.get("config") is None:
        return build_resolver(setting)
    options = load_resolver(Path(told["config"]))
    rule = rule_of(options)
    if isinstance(rule, Protect):
        # The drill has no certificates: what would be checked by a handshake is checked by a connection.
        verify = "none" if rule.verify == "none" else f"tcp:{setting.port}"
        rule = replace(rule, verify=verify, confirm=CONFIRM)
    host, port = setting.nameserver
    store = setting.folder / f"{setting.label}.known"
    return Resolver(
        options,
        upstreams={ZONE: (f"{host}:{port}",)},
        names={"*": rule},
        pins={},
        store=store,
        families=("A",),
        ca_file=None,
    )


def _is_numeric(host: object) -> bool:
    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


def _lookup(host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
    # What `socket.getaddrinfo` is in this process.
    if host is None or _is_numeric(host) or _text(host) == "localhost":
        return _system_lookup(host, port, *arguments, **options)
    found: tuple[str, ...] = ()
    own = _HOST.get(None)
    if own is not None and _text(host).rstrip(".").endswith(SUFFIX):
        try:
            found = own.blocking_stub.resolve(_text(host).rstrip(".")).addresses
        except Unresolved as error:
            raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    return _joined(_text(host), [_system_lookup(address, port, *arguments, **options) for address in found])


async def _lookup_for_loop(host: Any, port: Any, **options: Any) -> list[Any]:
    # What the loop's `getaddrinfo` is: the same, without a thread.
    own = _HOST.get(None)
    if own is None or host is None or not _text(host).rstrip(".").endswith(SUFFIX):
        return _lookup(host, port, **options)
    try:
        found = await own.resolve(_text(host).rstrip("."))
    except Unresolved as error:
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error
    return _joined(_text(host), [_system_lookup(address, port, **options) for address in found])


def _joined(host: str, found: list[list[Any]]) -> list[Any]:
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, f"{host}: no such name in the drill")
    return [entry for entries in found for entry in entries]


def main() -> int:
    """Check a client: import it and read its configuration; return the exit status, with the fault on stderr."""
    told = json.loads(sys.argv[1])
    try:
        load_client(told)
        if told.get("config") is not None:
            load_resolver(Path(told["config"]))
    except OutlastError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
