"""The entries of the next plan: the loop over endpoints around the rules of `planning`. Pure."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from outlast.traffic.bake import Trim, trim_of, who_waits
from outlast.traffic.capacity import shortage
from outlast.traffic.evidence import Evidence, doubted, freshest
from outlast.traffic.messages import InputsRead
from outlast.traffic.plan import Entry, Plan
from outlast.traffic.planning import is_settled, propose
from outlast.traffic.ports import Record
from outlast.traffic.topology import Endpoint
from outlast.traffic.withholding import kind_of
from outlast.uncollected import uncollected


class _Case(NamedTuple):
    """An endpoint of which it is not plain that nothing changes."""

    endpoint: Endpoint
    previous: Entry | None
    records: tuple[Record, ...]


@uncollected()
def next_entries(inputs: InputsRead, max_signal_age: int) -> tuple[Entry, ...]:
    """The next entries of those endpoints whose last entry is no longer right. Generations are set on publishing.

    `max_signal_age` is nanoseconds. Also for whoever asks what the planner would do.

    Raises:
        UnsafePlan: One of them may not be.

    """
    evidence = freshest(inputs.signals, wall=inputs.wall, max_age=max_signal_age)
    cases = tuple(_cases(inputs, evidence))
    trims = _trims(cases, inputs, evidence)
    waiting = who_waits(
        tuple(trims.values()), topology=inputs.topology, plan=inputs.plan, evidence=evidence, wall=inputs.wall
    )
    drafts = (
        _draft(case, inputs, evidence, trim=trims.get(name := case.endpoint.name), canary=waiting.get(name, ""))
        for case in cases
    )
    return tuple(
        draft
        for case, draft in zip(cases, drafts, strict=True)
        if case.previous is None or not _alike(case.previous, draft)
    )


def _cases(inputs: InputsRead, evidence: dict[str, Evidence]) -> Iterator[_Case]:
    pairs = tuple(_pairs(inputs, evidence))
    names = {endpoint.name for endpoint, _ in pairs}
    records = _recorded(inputs, lambda it, _: it.endpoint in names)
    return (_Case(endpoint, previous, records.get(endpoint.name, ())) for endpoint, previous in pairs)


def _pairs(inputs: InputsRead, evidence: dict[str, Evidence]) -> Iterator[tuple[Endpoint, Entry | None]]:
    other, doubts = _recorded(inputs, lambda it, plan: plan is None or _differs(it, plan)), doubted(evidence)
    entry_of = inputs.plan.entry if inputs.plan is not None else lambda _: None
    is_quiet = not inputs.orders and not doubts
    for endpoint in inputs.topology.endpoints:
        name = endpoint.name
        previous = entry_of(name)
        if previous is not None:
            if is_quiet and previous.suits is endpoint and name not in other:
                continue  # `is_settled` in so few words that a hundred thousand of them do not hold up the rest
            records = other.get(name, ())
            configured = inputs.topology.digests.get(name, "")
            if is_settled(
                endpoint, previous, records=records, doubted=doubts, orders=inputs.orders, configured=configured
            ):
                continue
        yield endpoint, previous


def _recorded(inputs: InputsRead, is_wanted: Callable[[Record, Plan | None], bool]) -> dict[str, tuple[Record, ...]]:
    found: dict[str, tuple[Record, ...]] = {}
    for record in inputs.records:
        if is_wanted(record, inputs.plan):
            found[record.endpoint] = (*found.get(record.endpoint, ()), record)
    return found


def _differs(record: Record, plan: Plan) -> bool:
    # Most records say what the plan says, and then there is nothing to explain.
    entry = plan.entry(record.endpoint)
    return entry is None or record.content.sets != entry.content.sets


def _trims(cases: tuple[_Case, ...], inputs: InputsRead, evidence: dict[str, Evidence]) -> dict[str, Trim]:
    if not inputs.topology.bake:
        return {}
    found = (
        trim_of(case.endpoint, case.previous, evidence=evidence, orders=inputs.orders, wall=inputs.wall)
        for case in cases
    )
    return {trim.endpoint.name: trim for trim in found if trim is not None}


def _draft(case: _Case, inputs: InputsRead, evidence: dict[str, Evidence], *, trim: Trim | None, canary: str) -> Entry:
    endpoint, previous = case.endpoint, case.previous
    content, withheld = propose(
        endpoint,
        previous=previous,
        records=case.records,
        evidence=evidence,
        wall=inputs.wall,
        orders=inputs.orders,
        retained=trim.taken if trim is not None and canary else (),
    )
    before, known = (previous.trimmed, previous.configured) if previous is not None else (0, "")
    return Entry(
        endpoint=endpoint.name,
        generation=previous.generation if previous is not None else 1,
        content=content,
        min_addresses=endpoint.min_addresses,
        withheld=withheld,
        shortage="" if canary else shortage(endpoint, content, evidence=evidence, orders=inputs.orders),
        waits_for=canary,
        trimmed=inputs.wall if trim is not None and not canary else before,
        configured=inputs.topology.digests.get(endpoint.name, known),
    )


def _alike(previous: Entry, entry: Entry) -> bool:
    # Only which addresses are out for which kind of reason counts, not the wording of the last probe.
    def essence(item: Entry) -> tuple[object, ...]:
        kinds = tuple((held.address, kind_of(held.reason)) for held in item.withheld)
        return item.digest, item.min_addresses, kinds, bool(item.shortage), item.waits_for, item.configured

    return essence(previous) == essence(entry)
