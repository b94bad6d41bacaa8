"""Carries out, on real registries and providers, what the control plane's machines ask for. It decides nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from outlast.clock import Clock
from outlast.errors import InvalidSentinel, Unavailable, UnsafePlan
from outlast.traffic import messages as m
from outlast.traffic.ports import Outcome, Provider, Registry, Reply
from outlast.traffic.sightings import sight
from outlast.traffic.topology import Topology

CarryOut = Callable[[m.Effect], Awaitable[m.Event | None]]
Listen = Callable[[m.Note], None]


class Driver:
    """One role's hands.

    Args:
        registry: Where plans live; `None` for a hand that must work without one (break-glass).
        providers: By name.
        clock: Told to the machines as data.
        listen: Gets every `Note`.
        topology: Gives the last valid topology (planner only).

    """

    def __init__(
        self,
        *,
        registry: Registry | None,
        providers: Mapping[str, Provider],
        clock: Clock,
        listen: Listen,
        topology: Callable[[], Topology] | None = None,
    ) -> None:
        self._registry = registry
        self._providers = providers
        self._clock = clock
        self._listen = listen
        self._topology = topology

    async def carry_out(self, effect: m.Effect) -> m.Event | None:
        """Do one effect; the answer is an event, `None` for a note. The world's faults come back as events."""
        match effect:
            case m.Note():
                self._listen(effect)
                return None
            case m.Wake():
                await asyncio.sleep(effect.after / 1e9)
                return m.Woken()
            case m.ReadLive():
                return await self._read_live(effect)
            case m.ReadSentinels(places=places, within=within):
                return m.SentinelsRead(await sight(self._providers, places, within=within / 1e9 or None))
            case m.Commit():
                return await self._commit(effect)
        if self._registry is None:
            return m.RegistryDown("none configured")
        try:
            return await self._ask(self._registry, effect)
        except (Unavailable, UnsafePlan, InvalidSentinel) as error:
            # An unsafe plan in the registry is damage: nothing is done on it, as if nobody had answered.
            return m.RegistryDown(str(error))

    async def _read_live(self, effect: m.ReadLive) -> m.Event:
        provider = self._providers.get(effect.provider)
        if provider is None:
            return m.ProviderDown(f"no provider {effect.provider!r} is configured here")
        try:
            return m.LiveRead(await provider.read(effect.endpoint))
        except Unavailable as error:
            return m.ProviderDown(str(error))

    async def _commit(self, effect: m.Commit) -> m.Event:
        transaction = effect.transaction
        try:
            reply = await self._providers[transaction.provider].commit(transaction)
        except (UnsafePlan, InvalidSentinel) as error:
            reply = Reply(Outcome.FAILED, str(error))
        match reply.outcome:
            case Outcome.COMMITTED:
                return m.Committed()
            case Outcome.CONFLICT:
                return m.Conflict(reply.detail)
            case Outcome.FAILED:
                return m.Failed(reply.detail)
            case Outcome.LOST:
                return m.Lost(reply.detail)

    async def _ask(self, registry: Registry, effect: m.Effect) -> m.Event:
        match effect:
            case m.ReadKnown(provider=provider, endpoint=endpoint):
                return m.KnownRead(await registry.known(provider, endpoint))
            case m.FindContent(endpoint=endpoint, digest=digest):
                return m.ContentFound(await registry.find_content(endpoint, digest))
            case m.WriteRecord(record=record, pending=pending):
                return m.RecordWritten(await registry.write_record(record, pending=pending))
            case m.ReportAhead(report=report):
                await registry.report(report)
                return m.Reported()
            case m.ReadInputs():
                return await self._inputs(registry)
            case m.Publish():
                return await self._publish(registry, effect)
            case m.DropReports(reports=reports):
                await registry.drop_reports(reports)
                return m.ReportsDropped()
            case m.ListPlans():
                return m.PlansListed(await registry.plans(), await registry.records(), self._clock.wall())
            case m.Tombstone(generation=generation):
                await registry.tombstone(generation, at=self._clock.wall())
                return m.Tombstoned()
            case m.DeletePlan(generation=generation, keep=keep, tombstoned_before=before):
                gone = await registry.delete_plan(generation, keep=keep, tombstoned_before=before)
                return m.PlanDeleted() if gone else m.PlanKept()
        raise AssertionError(f"no way to carry out {effect!r}")

    async def _inputs(self, registry: Registry) -> m.InputsRead:
        assert self._topology is not None, "only a planner reads inputs"
        # The plan first: of two planners that share a file, the slower one then has read what the plan follows.
        plan = await registry.latest_plan()
        return m.InputsRead(
            topology=self._topology(),
            plan=plan,
            floor=await registry.floor(),
            records=await registry.records(),
            reports=await registry.reports(),
            signals=await registry.signals(),
            wall=self._clock.wall(),
            orders=await registry.orders(),
        )

    async def _publish(self, registry: Registry, effect: m.Publish) -> m.Event:
        if effect.until and self._clock.wall() > effect.until:
            return m.Expired()
        return m.Published() if await registry.publish(effect.plan, after=effect.after) else m.Raced()
