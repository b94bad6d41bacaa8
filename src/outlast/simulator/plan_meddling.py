"""What stands between a shipped machine and the world when a guard is taken away: it changes what the machine is told or asks.

Each function takes a machine's step and returns one that lacks a guard. What a transaction demands stays what was really
read, so that the fence itself is as before: only the decision is another one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from outlast.simulator.plan_layout import StepFunction
from outlast.simulator.plan_rules import fields
from outlast.simulator.plan_store import ABSENT
from outlast.traffic import messages as m
from outlast.traffic.content import digest
from outlast.traffic.enactor import Phase
from outlast.traffic.plan import Plan
from outlast.traffic.ports import Live, PlanInfo, Transaction
from outlast.traffic.sentinel import Sentinel, Standing, parse
from outlast.traffic.topology import Endpoint, Target

Step = tuple[Any, m.Effects]


def _reading(step: StepFunction, show: Callable[[Any, Live], Live]) -> StepFunction:
    # Shows the machine another primary than there is; its transaction still demands the real one.
    def meddled(state: Any, event: m.Event) -> Step:
        if not isinstance(event, m.LiveRead) or getattr(state, "phase", None) == Phase.CONFIRM:
            return step(state, event)
        after, effects = step(state, m.LiveRead(show(state, event.live)))
        if getattr(after, "intent", None) is not None:
            after = after._replace(intent=after.intent._replace(seen=event.live))
        if getattr(after, "live", None) is not None:
            after = after._replace(live=event.live)
        return after, tuple(_demanding(effect, event.live) for effect in effects)

    return meddled


def _demanding(effect: m.Effect, live: Live) -> m.Effect:
    return m.Commit(effect.transaction._replace(seen=live)) if isinstance(effect, m.Commit) else effect


def _sending(step: StepFunction, change: Callable[[Transaction], Transaction]) -> StepFunction:
    # Sends another transaction than the machine asked for.
    def meddled(state: Any, event: m.Event) -> Step:
        after, effects = step(state, event)
        changed = tuple(m.Commit(change(item.transaction)) if isinstance(item, m.Commit) else item for item in effects)
        return after, changed

    return meddled


def _with_sentinel(live: Live, change: Callable[[Sentinel], Sentinel]) -> Live:
    seen = parse(live.sentinel)
    return live._replace(sentinel=(change(seen).text,)) if isinstance(seen, Sentinel) else live


def _sighted(event: m.SentinelsRead, change: Callable[[Sentinel], Sentinel]) -> m.SentinelsRead:
    lives = [Live(sighting.texts or (), ()) for sighting in event.sightings]
    changed = [_with_sentinel(live, change).sentinel for live in lives]
    pairs = zip(event.sightings, changed, strict=True)
    return m.SentinelsRead(tuple(sighting._replace(texts=texts) for sighting, texts in pairs))


def seeing_all_live(step: StepFunction) -> StepFunction:
    return _reading(step, lambda _, live: _with_sentinel(live, lambda seen: seen._replace(standing=Standing.LIVE)))


def overwriting_realms(step: StepFunction) -> StepFunction:
    return _reading(step, lambda state, live: _with_sentinel(live, lambda seen: seen._replace(realm=state.realm)))


def seeing_generation_zero(step: StepFunction) -> StepFunction:
    return _reading(step, lambda _, live: _with_sentinel(live, lambda seen: seen._replace(gen=0)))


def taking_names(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if state.phase is not Phase.RECHECK or not isinstance(event, m.KnownRead) or event.known.record is not None:
            return step(state, event)
        after, effects = step(state._replace(live=state.live._replace(sets=())), event)
        intent = after.intent
        return after._replace(intent=intent._replace(seen=state.live) if intent is not None else None), effects

    return meddled


def keeping_damage(step: StepFunction) -> StepFunction:
    def show(state: Any, live: Live) -> Live:
        entry, seen = state.known.entry, fields(live)
        is_ours = entry is not None and seen.get("plan") == entry.digest
        return live._replace(sets=entry.content.sets) if is_ours else live

    return _reading(step, show)


def freezing_anything(step: StepFunction) -> StepFunction:
    return _reading(step, lambda _, live: _with_sentinel(live, lambda seen: seen._replace(digest=digest(live.sets))))


def counting_nothing(step: StepFunction) -> StepFunction:
    def change(transaction: Transaction) -> Transaction:
        seen = fields(transaction.seen)
        sentinel = transaction.sentinel
        return transaction._replace(sentinel=sentinel._replace(n=int(seen.get("n", sentinel.n))))

    return _sending(step, change)


def naming_another(step: StepFunction) -> StepFunction:
    return _sending(step, lambda item: item._replace(sentinel=item.sentinel._replace(digest=digest(()))))


def deciding_before_absence(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        after, effects = step(state, event)
        if after.phase is Phase.RECHECK:
            return step(after, m.KnownRead(state.known))
        return after, effects

    return meddled


def leaving_absence(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if (
            state.phase is Phase.RECHECK
            and state.live == ABSENT
            and isinstance(event, m.KnownRead)
            and event.known.record
        ):
            return step(state, m.RegistryDown("left for a person"))
        return step(state, event)

    return meddled


def forgetting_holds(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if state.phase is Phase.RECHECK and isinstance(event, m.KnownRead) and event.known.record is not None:
            record = event.known.record
            lively = record._replace(sentinel=record.sentinel._replace(standing=Standing.LIVE))
            event = m.KnownRead(event.known._replace(record=lively))
        return step(state, event)

    return meddled


def putting_holds(step: StepFunction) -> StepFunction:
    def held(transaction: Transaction) -> Transaction:
        standing = Standing.HELD if transaction.seen.sentinel else Standing.LIVE
        return transaction._replace(sentinel=transaction.sentinel._replace(standing=standing))

    return _sending(step, held)


def ignoring_edits(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if isinstance(event, m.InputsRead) and event.plan is not None:
            endpoints = tuple(_as_published(endpoint, event.plan) for endpoint in event.topology.endpoints)
            event = event._replace(topology=replace(event.topology, endpoints=endpoints))
        return step(state, event)

    return meddled


def _as_published(endpoint: Endpoint, plan: Plan) -> Endpoint:
    entry = plan.entry(endpoint.name)
    addresses = entry.content.addresses if entry is not None else endpoint.addresses
    return replace(endpoint, targets=tuple(Target(address=address, region=address) for address in addresses))


def skipping_equal_records(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if state.phase is Phase.LIVE and isinstance(event, m.LiveRead) and state.known.entry is not None:
            equal = digest(event.live.sets) == state.known.entry.digest
            if equal and fields(event.live).get("st") == "live":
                return step(state, m.ProviderDown("it is as planned already"))
        return step(state, event)

    return meddled


def resending(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if isinstance(event, m.Lost):
            return state, (m.Commit(state.intent),)
        return step(state, event)

    return meddled


def copying_no_generation(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        before = state.inputs.plan if state.inputs is not None else None
        after, effects = step(state, event)
        return after, tuple(_with_old_generations(effect, before) for effect in effects)

    return meddled


def _with_old_generations(effect: m.Effect, before: Any) -> m.Effect:
    if not isinstance(effect, m.Publish) or before is None:
        return effect
    old = {entry.endpoint: entry for entry in before.entries}
    entries = tuple(
        replace(entry, generation=old[entry.endpoint].generation)
        if entry.endpoint in old and old[entry.endpoint].digest == entry.digest
        else entry
        for entry in effect.plan.entries
    )
    return effect._replace(plan=replace(effect.plan, entries=entries))


def answering_every_report(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if isinstance(event, m.SentinelsRead) and state.inputs.reports:
            latest = state.inputs.plan.generation if state.inputs.plan is not None else 0
            event = _sighted(event, lambda seen: seen._replace(gen=max(seen.gen, latest + 1)))
        return step(state, event)

    return meddled


def ignoring_sentinels(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if isinstance(event, m.SentinelsRead):
            event = m.SentinelsRead(tuple(sighting._replace(texts=()) for sighting in event.sightings))
        return step(state, event)

    return meddled


def believing_all_is_newest(step: StepFunction) -> StepFunction:
    def meddled(state: Any, event: m.Event) -> Step:
        if isinstance(event, m.PlansListed):
            newer = PlanInfo(max((plan.generation for plan in event.plans), default=0) + 1, 0, 0)
            event = event._replace(plans=(newer, *event.plans))
        return step(state, event)

    return meddled
