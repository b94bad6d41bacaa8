"""How clients call: the kinds of groups, side by side so that they can be compared.

A kind makes one call: it gets an `Errand` and returns the reply or lets the last error out. No kind is handicapped and
none is cleverer than what its docstring says.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx
import stamina

from outlast.drill.load.host import Host, Reply

# stamina would log each scheduled retry, hundreds a second in an outage.
stamina.instrumentation.set_on_retry_hooks([])


class Errand(NamedTuple):
    """One call to make: from which host, to which names, and what.

    Attributes:
        host: Where it starts.
        names: The endpoints' names, the first region's first.
        number: The call's number.
        is_write: Whether it writes; otherwise it reads.
        key: The seeded key to read; `None` reads back the host's last write.

    """

    host: Host
    names: tuple[str, ...]
    number: int
    is_write: bool
    key: str | None

    async def ask(self, name: str) -> Reply:
        """One HTTP request to `name`; see `Host.read` for what it raises."""
        if self.is_write:
            return await self.host.write(name, self.number)
        return await self.host.read(name, self.key)


Kind = Callable[[Errand], Awaitable[Reply]]


@stamina.retry(on=httpx.HTTPError)
async def plain(errand: Errand) -> Reply:
    """A careful team with one region: httpx with its default limits and timeouts, stamina with its default retries.

    Ten attempts within 45 s, exponential backoff with jitter, on every error httpx knows, error statuses included.
    """
    return await errand.ask(errand.names[0])


@stamina.retry(on=httpx.HTTPError)
async def plain_two_regions(errand: Errand) -> Reply:
    """The same team with a second region: in each attempt, when the first name fails, the second is tried at once."""
    try:
        return await errand.ask(errand.names[0])
    except httpx.HTTPError:
        return await errand.ask(errand.names[1])


KINDS: dict[str, Kind] = {"plain": plain, "plain-two-regions": plain_two_regions}
NAMES_NEEDED: dict[str, int] = {"plain": 1, "plain-two-regions": 2}
