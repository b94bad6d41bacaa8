"""Gathers what names lead to, alias by alias down to the addresses, for `closure`. It only asks.

A resolver answers with the whole chain; one that stops half way is asked for the rest. What the resolver does not know the
machine itself may (its hosts file), so it is asked last.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import dns.name
import dns.resolver
from dns.rdatatype import AAAA, CNAME, A

from outlast.audit.zone_facts import Server, Unseen, ask

HOSTS_MAX = 32
"""Names asked for, aliases included: what stands behind more of them is nobody's to oversee."""
SECONDS_MAX = 10.0
"""For all of it."""


class NameFacts(NamedTuple):
    """What each name leads to; and for those that lead nowhere, why nothing was found."""

    leads_to: dict[str, tuple[str, ...]]
    unseen: dict[str, str]


async def gather_names(hosts: Iterable[str], resolver: Server | None) -> NameFacts:
    """Follow every host that is a name.

    Args:
        hosts: Names and addresses; addresses lead nowhere and are not asked for.
        resolver: Whom to ask; `None`: those of this machine.

    """
    facts = NameFacts({}, {})
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await _follow(_names(hosts), (resolver,) if resolver else _system(), facts, by_machine=resolver is None)
    except TimeoutError:
        for name in _names(hosts):
            if name not in facts.leads_to:
                facts.unseen.setdefault(name, f"not resolved within {SECONDS_MAX:g} s")
    return facts


def _names(hosts: Iterable[str]) -> list[str]:
    return [plain for host in hosts if not _is_address(plain := host.lower().rstrip("."))]


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _system() -> tuple[Server, ...]:
    try:
        found = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple(Server(str(address), found.port) for address in found.nameservers)


async def _follow(names: list[str], resolvers: Sequence[Server], facts: NameFacts, *, by_machine: bool) -> None:
    waiting, asked = list(names), set[str]()
    while waiting and len(asked) < HOSTS_MAX:
        name = waiting.pop(0)
        if name in asked or name in facts.leads_to:
            continue
        asked.add(name)
        error = await _learn(name, resolvers, facts.leads_to)
        if name not in facts.leads_to and by_machine:
            facts.leads_to.update(await _by_machine(name))
        if name not in facts.leads_to:
            facts.unseen[name] = error
        waiting += _names(there for of in tuple(facts.leads_to.values()) for there in of)


async def _learn(name: str, resolvers: Sequence[Server], leads_to: dict[str, tuple[str, ...]]) -> str:
    error = "no resolver is configured on this machine"
    for resolver in resolvers:
        try:
            for rdtype in (A, AAAA):
                _take(await ask(name, rdtype, resolver, recursive=True), leads_to)
        except Unseen as unseen:
            error = str(unseen)
        else:
            return f"{resolver.address} knows no address of it"
    return error


def _take(answer: dns.message.Message, leads_to: dict[str, tuple[str, ...]]) -> None:
    for rrset in answer.answer:
        if rrset.rdtype in {CNAME, A, AAAA}:
            owner = rrset.name.to_text(omit_final_dot=True).lower()
            found = (str(item).lower().rstrip(".") for item in rrset)
            leads_to[owner] = tuple(dict.fromkeys((*leads_to.get(owner, ()), *found)))


async def _by_machine(name: str) -> dict[str, tuple[str, ...]]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return {}
    return {name: tuple(dict.fromkeys(str(item[4][0]).partition("%")[0] for item in found))}
