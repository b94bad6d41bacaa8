"""What may become of an effect of the plan protocol: what it does to the parts it concerns, and what answers it.

One effect is one move. The first outcome of each list is what happens when nothing goes wrong; the others draw on a
budget of `plan_troubles`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from outlast.simulator.plan_layout import REALM, TTL, WALL, Config, Layout, Working, next_configs, topology
from outlast.simulator.plan_rules import Writer, claimed, fields, landed, person_acted
from outlast.simulator.plan_store import Shelf, recorded
from outlast.traffic import messages as m
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.enactor import EnactorState
from outlast.traffic.hold import MAX_TRIES
from outlast.traffic.hold_state import HoldState
from outlast.traffic.ports import AheadReport, Live, Record, Transaction


class Outcome(NamedTuple):
    """What answers the effect, the new values of its footprint, the budget drawn on, and the rule broken."""

    answer: m.Event
    after: tuple[Any, ...]
    draws: str = ""
    broken: str = ""
    word: str = ""
    is_silent: bool = False
    """See `protocol.Move`."""


Values = tuple[Any, ...]
Losable = m.WriteRecord | m.ReportAhead | m.Publish | m.DropReports | m.Tombstone | m.DeletePlan
CAUSES = {"break-glasses": MAX_TRIES + 1, "registry-lost": 3, "registry-restored": 3}
"""Generations that one such event may take: a person tries again; after a loss the planner publishes, and explains itself."""


UNKNOWN = Content.of_addresses(("192.0.2.250",), ttl=TTL)
"""Content that nobody has ever configured."""


class Carrier:
    """Carries effects out on the parts of a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lacks = layout.options.lacks

    def footprint(self, own: Working) -> tuple[int, ...]:
        """The parts that the pending effect reads or writes."""
        layout, effect = self._layout, own.effect
        match effect:
            case m.ReadLive(provider=provider, endpoint=endpoint):
                place = layout.place_of(provider, endpoint)
                return layout.dns[place], layout.pasts[place]
            case m.ReadSentinels(places=places):
                return tuple(layout.dns[layout.place_of(*place)] for place in places)
            case m.Commit(transaction=transaction):
                place = layout.place_of(transaction.provider, transaction.endpoint)
                return layout.dns[place], layout.pasts[place], layout.losses, layout.flying, *self._beside(place)
            case m.ReadKnown(provider=provider, endpoint=endpoint):
                return layout.records[layout.place_of(provider, endpoint)], layout.shelf, layout.losses
            case m.WriteRecord(record=record):
                place = layout.place_of(record.provider, record.endpoint)
                return layout.records[place], layout.pasts[place]
            case m.ReportAhead() | m.DropReports():
                return (layout.reports,)
            case m.ReadInputs():
                return layout.config, layout.shelf, layout.reports, *layout.records
            case m.ListPlans() | m.DeletePlan():
                return layout.shelf, *layout.records
            case m.FindContent() | m.Publish() | m.Tombstone():
                return (layout.shelf,)
        return ()

    def outcomes(self, own: Working, parts: Values) -> Iterator[Outcome]:
        """Everything that may become of the pending effect."""
        effect = own.effect
        if isinstance(effect, m.Commit):
            yield from self._commit(effect, own, parts)
            return
        usual = list(self._usual(effect, own, parts))
        yield from usual
        if isinstance(effect, m.ReadLive):
            yield Outcome(m.ProviderDown("away"), parts, "providers-away")
        elif isinstance(effect, m.ReadSentinels):
            for place in effect.places:
                yield Outcome(_sighted(m.Sighting(place, None, "away")), parts, "providers-away")
        elif not isinstance(effect, m.Wake):
            yield Outcome(m.RegistryDown("away"), parts, "registry-away")
        if isinstance(effect, Losable):
            lost = m.RegistryDown("lost")
            for outcome in usual:
                if not outcome.draws:
                    yield outcome._replace(answer=lost, draws="lost-replies", word="its reply is lost")
            yield Outcome(lost, parts, "lost-replies", word="it never arrives")

    # -------------------------------------------------------------------------------------------- at the provider

    def _commit(self, effect: m.Commit, own: Working, parts: Values) -> Iterator[Outcome]:
        flying, transaction = parts[3], effect.transaction
        writer = writer_of(own)
        done = self.delivered(transaction, writer, parts)
        yield done
        yield done._replace(answer=m.Lost("lost"), draws="lost-replies", word="its reply is lost")
        yield Outcome(m.Lost("lost"), parts, "lost-replies", word="it never arrives")
        yield Outcome(m.Failed("away"), parts, "providers-away")
        sent = tuple(sorted((*flying, (transaction, writer)), key=repr))
        late = Outcome(
            m.Lost("late"), (*parts[:3], sent, *parts[4:]), "delayed", word="it is under way, and nobody knows"
        )
        yield late
        yield done._replace(
            after=(*done.after[:3], sent, *parts[4:]), draws="duplicated", word="and a copy is under way"
        )

    def delivered(self, transaction: Transaction, writer: Writer, parts: Values) -> Outcome:
        """The transaction reaches its primary: (dns, past, registry losses, in flight, what shares it) before and after."""
        dns, past, losses, flying, *beside = parts
        is_stuck = any(fields(live).get("realm", REALM) != REALM for live in beside)
        if is_stuck or not self._prerequisites_hold(dns, transaction):
            return Outcome(m.Conflict("NXRRSET"), parts, is_silent=self._is_overtaken(transaction, dns))
        sets = transaction.content.sets
        if "whole-sets" in self._lacks:
            sets = _as_deltas(dns, transaction)
        after = Live((transaction.sentinel.text,), sets)
        judged = landed(past, dns, after, writer, registry_losses=losses)
        return Outcome(m.Committed(), (after, judged.past, losses, flying, *beside), broken=judged.broken)

    def _beside(self, place: int) -> tuple[int, ...]:
        # The other endpoints of that provider, where one transaction is made for all of them.
        if "own-transactions" not in self._lacks:
            return ()
        places = self._layout.places
        others = (at for at, other in enumerate(places) if at != place and other.provider == places[place].provider)
        return tuple(self._layout.dns[at] for at in others)

    def _prerequisites_hold(self, dns: Live, transaction: Transaction) -> bool:
        if "prerequisites" in self._lacks:
            return True
        if self._lacks & {"records-prerequisite", "whole-sets"}:
            return dns.sentinel == transaction.seen.sentinel
        if "sentinel-prerequisite" in self._lacks:
            return dns.sets == transaction.seen.sets
        return dns == transaction.seen

    def _is_overtaken(self, transaction: Transaction, dns: Live) -> bool:
        # Sentinels only count up, so what has gone by never stands there again. Strangers could put it back.
        now, seen = fields(dns), fields(transaction.seen)
        return self._layout.is_orderly and bool(now) and int(now["n"]) > int(seen.get("n", -1))

    def _may_be_a_namesakes(self, own: Working, live: Live) -> bool:
        # Where enactors sign alike, what was read back may have been written by another one: then it was not ours.
        intent = getattr(own.state, "intent", None)
        if intent is None or not isinstance(own.state, EnactorState) or self._layout.options.are_named:
            return False
        return live.sentinel == (intent.sentinel.text,)

    # -------------------------------------------------------------------------------------------- at the registry

    def _usual(self, effect: m.Effect, own: Working, parts: Values) -> Iterator[Outcome]:
        match effect:
            case m.Wake():
                yield Outcome(m.Woken(), parts)
            case m.ReadLive():
                yield Outcome(m.LiveRead(parts[0]), parts)
                if self._may_be_a_namesakes(own, parts[0]):
                    yield Outcome(m.LiveRead(_of_a_namesake(parts[0])), parts)
            case m.ReadSentinels(places=places):
                # One after another, whichever comes first: who asks for all at once gets one of these orders.
                for place, live in zip(places, parts, strict=True):
                    yield Outcome(_sighted(m.Sighting(place, live.sentinel)), parts)
            case m.ReadKnown(endpoint=endpoint):
                yield Outcome(m.KnownRead(parts[1].known(endpoint, self._remembered(parts[0]))), parts)
            case m.FindContent(endpoint=endpoint, digest=digest):
                yield Outcome(m.ContentFound(parts[0].find_content(endpoint, digest)), parts)
            case m.WriteRecord():
                yield self._write_record(effect, own, parts)
            case m.ReportAhead(report=report):
                is_dropped = self._layout.options.is_planner_atomic
                kept = parts if is_dropped else (tuple(sorted({*parts[0], report})),)
                yield Outcome(m.Reported(), kept, is_silent=is_dropped)
            case m.DropReports(reports=reports):
                yield Outcome(m.ReportsDropped(), (tuple(item for item in parts[0] if item not in reports),))
            case m.ReadInputs():
                yield from _inputs(parts)
            case m.ListPlans():
                records = tuple(record for record in parts[1:] if record is not None)
                yield Outcome(m.PlansListed(parts[0].listed(), records, WALL), parts)
                # The clock jumped back: nothing is old enough. Forward is what `AGELESS` always assumes.
                young = m.PlansListed(parts[0].listed(), records, -2 * WALL)
                yield Outcome(young, parts, "clock-jumps", word="its clock has jumped")
            case m.Publish() | m.Tombstone() | m.DeletePlan():
                yield from self._on_shelf(effect, own, parts)

    def _remembered(self, record: Record | None) -> Record | None:
        # A registry that keeps only sentinels knows no content but that of plans.
        if record is None or "recorded-content" not in self._lacks:
            return record
        return record._replace(content=UNKNOWN)

    def _write_record(self, effect: m.WriteRecord, own: Working, parts: Values) -> Outcome:
        there, past = parts
        is_blind = "record-order" in self._lacks
        new = effect.record if is_blind else recorded(there, effect.record, pending=effect.pending)
        if ("claim" in self._lacks and effect.record.sentinel.n == 0) or (
            "record-first" in self._lacks and effect.pending
        ):
            return Outcome(m.RecordWritten(stored=True), parts)
        past = person_acted(past) if isinstance(own.state, HoldState) else past
        # A claim on a name where somebody else's records were seen is none.
        is_empty = own.read is None or not own.read.sets or bool(fields(own.read))
        past = claimed(past) if is_empty or isinstance(own.state, HoldState) else past
        # A record that is older than what is there, at the end of a pass: nothing comes of it, now or later.
        intent = getattr(own.state, "intent", None)
        is_overtaken = self._layout.is_orderly and there is not None and effect.record.sentinel.n < there.sentinel.n
        answer = m.RecordWritten(stored=new is not None)
        return Outcome(answer, (new if new is not None else there, past), is_silent=is_overtaken and intent is None)

    def _on_shelf(
        self, effect: m.Publish | m.Tombstone | m.DeletePlan, own: Working, parts: Values
    ) -> Iterator[Outcome]:
        shelf, rest = parts[0], parts[1:]
        match effect:
            case m.Publish(plan=plan, after=after):
                new = shelf.published(plan, after)
                answer = m.Published() if new is not None else m.Raced()
                broken = self._growth(shelf, new) if new is not None else ""
                yield Outcome(answer, (self._layout.pruned(new) if new is not None else shelf,), broken=broken)
                yield Outcome(m.Expired(), parts, "clock-jumps", word="its clock has jumped")
            case m.Tombstone(generation=generation):
                is_alone = self._layout.is_undamaged  # nobody but the janitor looks at tombstones
                yield Outcome(m.Tombstoned(), (shelf.tombstoned(generation, WALL),), is_silent=is_alone)
            case m.DeletePlan(generation=generation):
                named = frozenset(record.sentinel.gen for record in rest if record is not None)
                new = shelf.without(effect, named, is_checked="deletion-check" not in self._lacks)
                broken = "the newest plan is deleted" if new is not None and generation == shelf.generation else ""
                if new is not None and own.read is not None and fields(own.read).get("gen") == str(generation):
                    broken = "a plan is deleted that a sentinel named when the janitor read it"
                answer_deleted = m.PlanDeleted() if new is not None else m.PlanKept()
                # Records go forward: once all are past this plan, nobody but the janitor is concerned with it.
                gone_by = all(record is not None and record.sentinel.gen > generation for record in rest)
                is_alone = self._layout.is_undamaged and gone_by and new is not None and not broken
                then = (new if new is not None else shelf, *rest)
                yield Outcome(answer_deleted, then, broken=broken, is_silent=is_alone)

    def _growth(self, before: Shelf, after: Shelf) -> str:
        if after.generation <= before.floor:
            return f"generation {after.generation} was published before"
        # Each generation has a cause: a version of the topology, a person's write, something lost.
        options = self._layout.options
        causes = options.plans + sum(CAUSES.get(name, 1) * count for name, count in options.budgets.items())
        return f"generations grow without end: {after.generation}" if after.generation > causes else ""


def _inputs(parts: Values) -> Iterator[Outcome]:
    config, shelf, reports, *records = parts
    for coming in (config, *next_configs(config)):
        read = inputs_read(coming, shelf, reports, tuple(records))
        draws = "" if coming == config else "plans"
        yield Outcome(read, (coming, *parts[1:]), draws, word="" if coming == config else "with a new configuration")


def inputs_read(config: Config, shelf: Shelf, reports: tuple[AheadReport, ...], records: Values) -> m.InputsRead:
    """What a planner finds when it reads its inputs. No signal decides: people configure what is published."""
    there = tuple(record for record in records if record is not None)
    return m.InputsRead(topology(config), shelf.latest, shelf.floor, there, reports, (), WALL)


def _as_deltas(dns: Live, transaction: Transaction) -> tuple[RecordSet, ...]:
    # What a provider's change batches of single records come to: remove what was there, add what is new.
    seen = {(item.type, item.ttl, value) for item in transaction.seen.sets for value in item.values}
    coming = {(item.type, item.ttl, value) for item in transaction.content.sets for value in item.values}
    there = {(item.type, item.ttl, value) for item in dns.sets for value in item.values}
    result = (there - (seen - coming)) | (coming - seen)
    kinds = sorted({(kind, ttl) for kind, ttl, _ in result})
    return tuple(RecordSet.of(kind, ttl, [v for k, t, v in result if (k, t) == (kind, ttl)]) for kind, ttl in kinds)


def _sighted(sighting: m.Sighting) -> m.SentinelsRead:
    return m.SentinelsRead((sighting,))


def _of_a_namesake(live: Live) -> Live:
    return live._replace(sentinel=tuple(f"{text}-other" for text in live.sentinel))


def writer_of(own: Working) -> Writer:
    """Who sends what this machine asks for."""
    name = own.state.me
    return Writer(name, isinstance(own.state, HoldState), own.read, own.losses, own.registry_losses)


def remembered(own: Working, answer: m.Event, effect: m.Effect, parts: Values) -> Working:
    """What the rules need to know of whoever has just been answered."""
    match effect, answer:
        case m.ReadLive(), m.LiveRead(live=live):
            # How many sentinels had been lost matters only to who decides on an absent one.
            losses = parts[1].losses if not fields(live) else 0
            return own._replace(read=live, losses=losses)
        case m.ReadSentinels(), m.SentinelsRead(sightings=(sighting,)):
            return own._replace(read=Live(sighting.texts or (), ()))
        case m.ReadKnown(), m.KnownRead():
            return own._replace(registry_losses=parts[2])
        case m.Commit(), _:
            return own._replace(read=None, losses=0)
    return own
