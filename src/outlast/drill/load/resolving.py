"""Our resolver in a client of the drill: the product as it is, its questions counted for the call that caused them."""

from outlast.drill.load.errand import Setting
from outlast.drill.load.stub_cache import Lookup
from outlast.drill.load.stub_resolver import Unresolved
from outlast.drill.load.trace import TRACE
from outlast.errors import ResolutionFailed
from outlast.resolver.answer import Answer
from outlast.resolver.options import Protect
from outlast.resolver.resolver import Resolver

ZONE = "test"
"""Where the drill's names are. Nobody is asked about it unless that is said so (RFC 6761, section 6.2)."""
CONFIRM = 1.0
RECHECK = 1.0
NEGATIVE_TTL = 1.0
"""Seconds. The product's defaults (3 min, 3 s, 5 s) are for TTLs of minutes; the drill's are a hundredth."""


def build_resolver(setting: Setting) -> Resolver:
    """Our resolver, protecting every name, with an own file for what it knows.

    Last-known-good addresses must accept connections on the services' port, or they are not given. Where addresses are
    mapped to ports of 127.0.0.1 there is nothing at the addresses themselves to be checked.
    """
    host, port = setting.nameserver
    return Resolver(
        upstreams={ZONE: (f"{host}:{port}",)},
        names={"*": Protect(verify="none" if setting.address_map else f"tcp:{setting.port}", confirm=CONFIRM)},
        store=setting.folder / f"{setting.label}.known",
        families=("A",),
        recheck=RECHECK,
        negative_ttl_protected=NEGATIVE_TTL,
    )


class CountedResolver:
    """A resolver that notes what it learns and counts resolutions, each for the call that waited for it.

    Args:
        resolver: Ours.
        setting: Whose `on_answer` is told.

    """

    def __init__(self, resolver: Resolver, setting: Setting) -> None:
        self._resolver = resolver
        self._on_answer = setting.on_answer
        self._counted = 0

    def resolve(self, name: str, *, deadline: float | None = None) -> Answer:
        """As `Resolver.resolve`."""
        _note_resolving()
        try:
            answer = self._resolver.resolve(name, deadline=deadline)
        except ResolutionFailed as error:
            self._note(name, (), error.reason)
            raise
        self._note(name, answer.addresses, answer.source)
        return answer

    async def aresolve(self, name: str, *, deadline: float | None = None) -> Answer:
        """As `Resolver.aresolve`."""
        _note_resolving()
        try:
            answer = await self._resolver.aresolve(name, deadline=deadline)
        except ResolutionFailed as error:
            self._note(name, (), error.reason)
            raise
        self._note(name, answer.addresses, answer.source)
        return answer

    def _note(self, name: str, addresses: tuple[str, ...], reason: str) -> None:
        told = self._resolver.stats()
        resolutions = told.upstream + told.stale + told.last_known_good + told.negative + told.failed
        new, self._counted = resolutions - self._counted, resolutions
        trace = TRACE.get(None)
        if trace is not None:
            trace.dns_queries += new
        if new:
            self._on_answer(name, Lookup(reason, addresses, 0.0))

    def close(self) -> None:
        """Write what is known."""
        self._resolver.close()


def _note_resolving() -> None:
    trace = TRACE.get(None)
    if trace is not None:
        trace.resolved = True


class ResolverOfHost:
    """Our resolver where a plain host has its stub resolver.

    Args:
        setting: What the host is told.

    """

    def __init__(self, setting: Setting) -> None:
        self._resolver = CountedResolver(build_resolver(setting), setting)

    async def resolve(self, name: str) -> tuple[str, ...]:
        """The addresses of a name.

        Raises:
            Unresolved: There is none that may be answered.

        """
        try:
            return (await self._resolver.aresolve(name)).addresses
        except ResolutionFailed as error:
            raise Unresolved(name, error.reason) from error

    async def aclose(self) -> None:
        """Write what is known."""
        self._resolver.close()
