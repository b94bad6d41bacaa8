"""What the client room asks of a resolver, so that any can be put in."""

from typing import Protocol


class Found(Protocol):
    """An answer: addresses, and where they come from."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Plain addresses in the order to try them; never empty."""
        ...

    @property
    def source(self) -> str:
        """Which rung of the ladder gave them."""
        ...

    @property
    def age(self) -> float:
        """Seconds since an upstream last said so."""
        ...

    @property
    def reason(self) -> str:
        """Why they come from there, in words."""
        ...


class Resolves(Protocol):
    """Turns a name into addresses, whatever the upstreams say.

    Both raise `Unavailable` or another `OutlastError` if there is no address; `deadline` is the seconds it may take, or
    `None` for the resolver's own limit.
    """

    def resolve(self, name: str, *, deadline: float | None = None) -> Found: ...
    async def aresolve(self, name: str, *, deadline: float | None = None) -> Found: ...
