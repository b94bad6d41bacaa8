"""Tries whether a provider really compares and swaps: a stale write, on a scratch name, must be refused.

The port has no way to delete, on purpose; so the scratch name stays, retired, and the next proof goes on with it.
"""

from outlast.audit.findings import Finding, Level
from outlast.errors import OutlastError
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Outcome, Provider, Reply, Tier, Transaction
from outlast.traffic.sentinel import Sentinel, Standing, parse

SCRATCH = "outlast-prove-cas"
"""The label of the scratch name in each zone."""
REALM = "outlast-prove-cas"
FIRST, SECOND, STALE = (Content.of_addresses((f"192.0.2.{n}",), ttl=5) for n in (1, 2, 3))
"""Addresses that lead nowhere (RFC 5737)."""
CHECK = "compare and swap"


async def prove_cas(provider: Provider, zone: str) -> Finding:
    """Write twice, then once more on what was there before: that must be refused, and change nothing."""
    if provider.tier not in {Tier.T1, Tier.T2}:
        # An adapter that compares by itself passes a stale write that comes late enough: trying it would prove nothing.
        there = f"{provider.tier.name} has none: {provider.tier}"
        return Finding(Level.SKIPPED, CHECK, f"{zone} at {provider.name}", there)
    name = f"{SCRATCH}.{zone}"
    subject = f"{name} at {provider.name}"
    try:
        return await _tried(provider, name, subject)
    except OutlastError as error:
        return Finding(Level.UNKNOWN, CHECK, subject, str(error), "the provider must answer, and its key must write")


async def _tried(provider: Provider, name: str, subject: str) -> Finding:
    before = await provider.read(name)
    seen = parse(before.sentinel)
    if before != Live((), ()) and not (isinstance(seen, Sentinel) and seen.realm == REALM):
        return Finding(Level.UNKNOWN, CHECK, subject, "the scratch name is in use", "remove what stands there")
    first = await _written(provider, name, before, FIRST)
    second = await _written(provider, name, first, SECOND)
    findings = [
        await _stale(provider, _transaction(provider, name, stale, STALE), second, subject)
        for stale in (first, Live(second.sentinel, first.sets), Live(first.sentinel, second.sets))
    ]
    await provider.commit(_transaction(provider, name, await provider.read(name), SECOND, Standing.RETIRED))
    there = "a stale write was refused, whether the sentinel was old, or the records, or both"
    return next((found for found in findings if found is not None), Finding(Level.OK, CHECK, subject, there))


async def _stale(provider: Provider, transaction: Transaction, live: Live, subject: str) -> Finding | None:
    reply = await provider.commit(transaction)
    is_unchanged = await provider.read(transaction.endpoint) == live
    if reply.outcome is Outcome.CONFLICT and is_unchanged:
        return None
    there = f"a stale write was answered {_words(reply)}{'' if is_unchanged else ', and it landed'}"
    fix = "do not fence with it: it is of the tiers T3 or T4, whatever it says"
    return Finding(Level.FAIL, CHECK, subject, there, fix)


async def _written(provider: Provider, name: str, seen: Live, content: Content) -> Live:
    transaction = _transaction(provider, name, seen, content)
    reply = await provider.commit(transaction)
    if reply.outcome is not Outcome.COMMITTED:
        raise OutlastError(f"{name} cannot be written: {_words(reply)}")
    return Live((transaction.sentinel.text,), content.sets)


def _transaction(
    provider: Provider, name: str, seen: Live, content: Content, standing: Standing = Standing.LIVE
) -> Transaction:
    there = parse(seen.sentinel)
    n, gen = (there.n, there.gen) if isinstance(there, Sentinel) else (0, 0)
    sentinel = Sentinel(REALM, n + 1, gen + 1, content.digest, standing, "doctor")
    return Transaction(provider.name, name, seen, sentinel, content)


def _words(reply: Reply) -> str:
    return f"{reply.outcome}{f' ({reply.detail})' if reply.detail else ''}"
