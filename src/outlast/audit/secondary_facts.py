"""Which of the servers that a zone names lag behind their primary. It only reads.

A zone may lie at several providers, each with a primary of its own that counts its own serials, and the zone's NS set
names the servers of all of them. So before a serial is compared it is found out whose secondary a server can be:

- What answers at a primary's address, or at one that a provider names among its `secondaries`, is that provider's own.
- A secondary repeats its primary's SOA word for word, the serial apart. Of several primaries with different SOAs, it
  follows one whose SOA it has. With none of theirs it follows a provider whose primary nobody has named, if there is one.
- Nobody is ahead of whom they follow.

It lags if it is behind every primary that is left. Behind one and level with another, nothing can be told: it is not
said to lag, since whoever takes a sound provider's server out of NS for that does harm.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from outlast.errors import Unavailable
from outlast.provider.secondaries import Server, Start, is_at_least, read_start


class Primaries(NamedTuple):
    """The one that is examined, the zone's others, and whether it lies somewhere, too, that no primary is known of.

    `named` are addresses of secondaries with whom they follow.
    """

    own: Server
    others: tuple[Server, ...] = ()
    has_unseen: bool = False
    named: tuple[tuple[str, Server], ...] = ()


class Lagging(NamedTuple):
    """The servers that have not what their primary has, each with the reason; `unclear` may be another's."""

    sure: tuple[str, ...]
    unclear: tuple[str, ...] = ()


class _Seen(NamedTuple):
    """A primary before and after the secondaries were asked: what has `before` is not behind, what has more than `after` is another's."""

    server: Server
    before: Start
    after: Start


async def find_lagging(
    zone: str, primaries: Primaries, servers: Sequence[tuple[str, Server]], *, seconds: float
) -> Lagging:
    """Ask primaries and servers, which are given by name and address, for the zone's SOA, and compare.

    Raises:
        Unavailable: The primary that is examined did not answer usefully.

    """
    all_known = (primaries.own, *primaries.others)
    owners = {server: _owners(server, primaries) for _, server in servers}
    certain = {address for address, _ in primaries.named} | {primaries.own.address}
    asked = [(name, server) for name, server in servers if primaries.own in owners[server]]
    before = await _starts(zone, all_known, seconds)
    found = await _starts(zone, tuple(server for _, server in asked), seconds)
    after = await _starts(zone, all_known, seconds)
    if isinstance(why := before[0], Unavailable):
        raise why
    seen = [
        _Seen(server, first, last if isinstance(last, Start) else first)
        for server, first, last in zip(all_known, before, after, strict=True)
        if isinstance(first, Start)
    ]
    has_unseen = primaries.has_unseen or len(seen) < len(all_known)
    sure: list[str] = []
    unclear: list[str] = []
    for (name, server), start in zip(asked, found, strict=True):
        where = f"{name} ({server.address})"
        if isinstance(start, Unavailable):
            sure.append(f"{where}: {start.message}")
            continue
        whose = [it for it in seen if it.server in owners[server]]
        if len(owners[server]) > 1 or (has_unseen and server.address not in certain):
            whose = _followed(start, whose, has_unseen=has_unseen)
        behind = [it for it in whose if not is_at_least(start.serial, it.before.serial)]
        own = next((it.before.serial for it in behind if it.server == primaries.own), None)
        if own is not None:
            words = f"{where}: serial {start.serial}, and the primary has {own}"
            (sure if behind == whose else unclear).append(words)
    return Lagging(tuple(sure), tuple(unclear))


def _owners(server: Server, primaries: Primaries) -> tuple[Server, ...]:
    # The primary that it is; whom it is said to follow; whose address it has, as where something stands before a hidden
    # primary; else anybody's.
    known = (primaries.own, *primaries.others)
    same = tuple(it for it in known if it == server)
    named = tuple(primary for address, primary in primaries.named if address == server.address)
    near = tuple(it for it in known if it.address == server.address)
    return same or named or near or known


def _followed(found: Start, primaries: list[_Seen], *, has_unseen: bool) -> list[_Seen]:
    alike = [it for it in primaries if found.rest in {it.before.rest, it.after.rest}]
    if not alike and has_unseen:
        return []
    able = [it for it in alike or primaries if is_at_least(it.after.serial, found.serial)]
    return able or alike or primaries


async def _starts(zone: str, servers: tuple[Server, ...], seconds: float) -> list[Start | Unavailable]:
    return await asyncio.gather(*(_start(zone, server, seconds) for server in servers))


async def _start(zone: str, server: Server, seconds: float) -> Start | Unavailable:
    try:
        return await read_start(zone, server, seconds)
    except Unavailable as error:
        return error
