"""The plan protocol's moves in plain words."""

from typing import Any

from outlast.traffic import messages as m
from outlast.traffic.content import addresses_in
from outlast.traffic.ports import Live, Transaction
from outlast.traffic.sentinel import Sentinel, parse

DAMAGE = {
    "sentinel-lost": "deletes the sentinel",
    "records-lost": "deletes the records",
    "both-lost": "deletes sentinel and records",
    "records-changed": "puts other records there",
    "realm-taken": "puts another realm's sentinel and records in place",
    "name-taken": "puts records in place",
    "sentinel-corrupted": "writes another text over the sentinel",
}


def tell(_: str, what: Any) -> str:
    """One move, without who makes it."""
    match what:
        case ("crash", effect):
            return f"dies before it {_asks(effect)}, and begins anew"
        case ("begins", command):
            return f"begins to {command}"
        case ("arrives", transaction, answer):
            return f"{_transaction(transaction)} arrives late: {_reply(answer)}"
        case ("plans", generation, latest):
            contents = "; ".join(" ".join(entry.content.addresses) for entry in latest.entries)
            return f"publishes plan {generation}: {contents}"
        case ("damage", kind, place):
            return f"{DAMAGE[kind]}: {place.endpoint} at {place.provider}"
        case ("registry", became):
            return f"is {became}"
        case (effect, answer, word):
            told = f"{_asks(effect)}: {_reply(answer)}"
            return f"{told} ({word})" if word else told
    raise AssertionError(f"no words for {what!r}")


def _asks(effect: m.Effect) -> str:
    match effect:
        case m.ReadKnown():
            return "reads plan and record"
        case m.ReadLive(endpoint=endpoint):
            return f"reads the primary ({endpoint})"
        case m.ReadSentinels():
            return "reads sentinels"
        case m.FindContent():
            return "looks for held content in the plans"
        case m.WriteRecord(record=record):
            return f"records {_sentinel(record.sentinel)}"
        case m.Commit(transaction=transaction):
            return f"sends {_transaction(transaction)}"
        case m.ReportAhead(report=report):
            return f"reports a sentinel ahead of the plan (generation {report.gen})"
        case m.ReadInputs():
            return "reads its inputs"
        case m.Publish(plan=plan):
            return f"publishes plan {plan.generation}"
        case m.DropReports():
            return "drops the reports"
        case m.ListPlans():
            return "lists the plans"
        case m.Tombstone(generation=generation):
            return f"tombstones plan {generation}"
        case m.DeletePlan(generation=generation):
            return f"deletes plan {generation}"
        case m.Wake():
            return "stands back for a peer"
    return type(effect).__name__


def _reply(answer: m.Event) -> str:
    match answer:
        case m.KnownRead(known=known):
            entry, record = known.entry, known.record
            plan = (
                f"generation {entry.generation} {' '.join(entry.content.addresses)}" if entry is not None else "no plan"
            )
            return f"{plan}, record {_sentinel(record.sentinel) if record is not None else 'none'}"
        case m.LiveRead(live=live):
            return f"{_standing(live)}, {_addresses(live)}"
        case m.SentinelsRead(sightings=sightings):
            return ", ".join(map(_sighting, sightings))
        case m.ContentFound(content=content):
            return "found" if content is not None else "not found"
        case m.RecordWritten(stored=stored):
            return "stored" if stored else "a newer one is there"
        case m.Committed():
            return "it lands"
        case m.Conflict():
            return "refused, for what it has read is not there any more"
        case m.InputsRead(plan=plan):
            return f"latest plan {plan.generation}" if plan is not None else "no plan yet"
        case m.PlansListed(plans=plans):
            return "plans " + " ".join(str(item.generation) for item in plans)
        case m.RegistryDown(detail=detail):
            return f"the registry does not answer ({detail})"
        case m.ProviderDown() | m.Failed():
            return "the provider is away"
        case m.Lost():
            return "no reply"
        case m.PlanKept():
            return "the registry keeps it"
    return {"Published": "done", "Raced": "somebody else was faster"}.get(type(answer).__name__, "done")


def _transaction(transaction: Transaction) -> str:
    return f"{_sentinel(transaction.sentinel)} {' '.join(transaction.content.addresses)}"


def _sentinel(sentinel: Sentinel) -> str:
    return f"generation {sentinel.gen} ({sentinel.standing}, n={sentinel.n})"


def _standing(live: Live) -> str:
    seen = parse(live.sentinel)
    if isinstance(seen, Sentinel):
        return _sentinel(seen)
    return "no sentinel" if seen is None else "something that is no sentinel"


def _sighting(sighting: m.Sighting) -> str:
    where = f"{sighting.place.endpoint} at {sighting.place.provider}"
    return f"{where}: {_standing(Live(sighting.texts, ())) if sighting.texts is not None else 'away'}"


def _addresses(live: Live) -> str:
    return " ".join(addresses_in(live.sets)) or "no address"


def answer(lives: tuple[tuple[str, Live], ...]) -> str:
    """What DNS answers at each place."""
    many = len(lives) > 1
    return ", ".join(f"{name}: {_addresses(live)}" if many else _addresses(live) for name, live in lives)
