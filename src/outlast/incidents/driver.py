"""Carries the hazard roles' effects out: DNS UPDATE with TSIG and queries, both over TCP, and the folder of plans.

The driver decides nothing. What the original did by its provider's API is done here in the nearest way the DNS has:

- the lock and the top alias are read from the primary over TCP, never from a cache;
- listing trees: there is no zone transfer, so the server is asked for the tree of each plan that was ever published up
  to the enactor's own, the newest `TREES_MAX` of them. The folder says which to ask for, the server which still stand.
"""

import asyncio

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from outlast.clock import Clock
from outlast.errors import OutlastError
from outlast.incidents import records
from outlast.incidents.options import EnactorOptions, PlannerOptions
from outlast.incidents.plan import Plan
from outlast.incidents.planner import (
    CeilingRead,
    PlannerEffect,
    PlannerEvent,
    Publish,
    Published,
    ReadCeiling,
)
from outlast.incidents.protocol import (
    AcquireLock,
    BuildTree,
    DeleteTree,
    Effect,
    Event,
    Failed,
    FetchLatestPlan,
    Install,
    Installed,
    InstallRefused,
    ListTrees,
    LockAcquired,
    LockLost,
    LockRead,
    LockReleased,
    Note,
    PlanFound,
    ReadActive,
    ReadLock,
    ReadTop,
    ReleaseLock,
    TopRead,
    TreeBuilt,
    TreeDeleted,
    TreesListed,
    Wake,
    Woken,
)
from outlast.incidents.store import PlanStore

# A query each, at about a millisecond on loopback: listing stays well below a second. Older trees than the newest
# hundreds were deleted by earlier walks, unless those failed.
TREES_MAX = 200

NANOSECONDS = 1_000_000_000

# What a broken exchange can raise; the machine is told and the next tick starts anew.
FAULTS = (OSError, EOFError, dns.exception.DNSException, OutlastError)

# RFC 2136 section 2.2: a prerequisite did not hold, so the lock is not what it was believed to be.
LOCK_DIFFERS = (dns.rcode.NXRRSET, dns.rcode.YXRRSET)


class EnactorDriver:
    """Carries out what one hazard enactor asks for."""

    def __init__(self, options: EnactorOptions, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._plans = PlanStore(options.plans)
        self._zone = records.Zone(dns.name.from_text(options.zone), options.key(), options.ttl)

    async def carry_out(self, effect: Effect) -> Event | None:
        """Do one effect and tell what became of it; faults of the world become `Failed`."""
        try:
            return await self._carry_out(effect)
        except FAULTS as error:
            return Failed(f"{type(effect).__name__}: {type(error).__name__}: {error}")

    async def _carry_out(self, effect: Effect) -> Event | None:
        match effect:
            case FetchLatestPlan():
                return PlanFound(self._plans.latest())
            case Wake(after):
                await asyncio.sleep(after)
                return Woken()
            case Note():
                return None
            case ReadTop() | ReadActive() | ReadLock() | ListTrees():
                return await self._read(effect)
            case BuildTree(plan, endpoint, addresses):
                await self._write(self._zone.build_tree(plan, endpoint, addresses=addresses))
                return TreeBuilt()
            case DeleteTree(_, endpoint, tree):
                await self._write(self._zone.delete_tree(tree, endpoint))
                return TreeDeleted()
            case AcquireLock() | Install() | ReleaseLock():
                return await self._locked(effect)

    async def _read(self, effect: ReadTop | ReadActive | ReadLock | ListTrees) -> Event:
        match effect:
            case ReadTop(_, endpoint) | ReadActive(_, endpoint):
                response = await self._ask(dns.name.from_text(endpoint), records.ALIAS)
                return TopRead(records.alias_target(response))
            case ReadLock(_, endpoint):
                response = await self._ask(records.lock_name(endpoint), dns.rdatatype.TXT)
                value = records.lock_of(response)
                return LockRead(value, self._is_expired(value))
            case ListTrees(plan, endpoint):
                return TreesListed(await self._standing(plan, endpoint))

    async def _locked(self, effect: AcquireLock | Install | ReleaseLock) -> Event:
        fresh = self._fresh_lock()
        match effect:
            case AcquireLock(_, endpoint, over):
                response = await self._send(self._zone.acquire_lock(endpoint, over=over, fresh=fresh))
                return _lock_answer(response, kept=LockAcquired(fresh), lost=LockLost())
            case ReleaseLock(_, endpoint, lock):
                response = await self._send(self._zone.release_lock(endpoint, held=lock))
                return _lock_answer(response, kept=LockReleased(), lost=LockReleased())
            case Install(plan, endpoint, lock, active):
                update = self._zone.install(plan, endpoint, active=active, held=lock, fresh=fresh)
                return _install_answer(await self._send(update), fresh)

    async def _standing(self, plan: int, endpoint: str) -> tuple[int, ...]:
        candidates = [number for number in self._plans.numbers() if number <= plan][-TREES_MAX:]
        standing = []
        for number in candidates:
            response = await self._ask(records.tree_name(number, endpoint), dns.rdatatype.A)
            if records.values(response, dns.rdatatype.A):
                standing.append(number)
        return tuple(standing)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        response = await self._send(records.question(name, kind))
        # An answer that is neither "there" nor "not there" must not pass for absence.
        if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise OutlastError(f"{name} {dns.rdatatype.to_text(kind)}: {records.reason_of(response)}")
        return response

    async def _write(self, update: dns.message.Message) -> None:
        _require_accepted(await self._send(update))

    async def _send(self, message: dns.message.Message) -> dns.message.Message:
        options = self._options
        return await dns.asyncquery.tcp(message, options.nameserver, port=options.port, timeout=options.timeout)

    def _fresh_lock(self) -> str:
        ends = self._clock.wall() / NANOSECONDS + self._options.lock_lifetime
        return f"{self._options.role} {ends:.3f}"

    def _is_expired(self, lock: str) -> bool:
        _, _, epoch = lock.partition(" ")
        try:
            ends = float(epoch)
        except ValueError:
            # Nobody could ever release a lock that says neither who nor until when.
            return True
        return ends * NANOSECONDS < self._clock.wall()


def _require_accepted(response: dns.message.Message) -> None:
    if response.rcode() != dns.rcode.NOERROR:
        raise OutlastError(f"the nameserver answered {records.reason_of(response)}")


def _lock_answer(response: dns.message.Message, *, kept: Event, lost: Event) -> Event:
    if response.rcode() in LOCK_DIFFERS:
        return lost
    _require_accepted(response)
    return kept


def _install_answer(response: dns.message.Message, fresh: str) -> Event:
    if response.rcode() == dns.rcode.NOERROR:
        return Installed(fresh)
    if response.rcode() in LOCK_DIFFERS:
        return LockLost()
    return InstallRefused(records.reason_of(response), dns.rcode.to_text(response.rcode()))


class PlannerDriver:
    """Carries out what the hazard planner asks for."""

    def __init__(self, options: PlannerOptions) -> None:
        self._options = options
        self._plans = PlanStore(options.plans)

    def coming(self) -> int:
        """Tell the number of the next plan, from what was published before."""
        return max((self._options.first, *(number + 1 for number in self._plans.numbers()[-1:])))

    async def carry_out(self, effect: PlannerEffect) -> PlannerEvent | None:
        """Do one effect and tell what became of it; faults of the world become `Failed`."""
        try:
            match effect:
                case ReadCeiling():
                    return CeilingRead(self._plans.ceiling(self._options.ceiling))
                case Publish(plan):
                    self._plans.publish(Plan(plan, self._options.endpoints))
                    return Published()
                case Note():
                    return None
        except FAULTS as error:
            return Failed(f"{type(effect).__name__}: {type(error).__name__}: {error}")
