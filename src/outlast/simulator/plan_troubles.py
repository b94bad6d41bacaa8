"""What goes wrong around the plan protocol without anybody of ours doing it: damage at a primary, a registry that forgets.

Faults of an effect (a lost reply, somebody away) stand in `plan_carrying`, a crash in `plan_agents`.
"""

from collections.abc import Callable, Iterator

from outlast.simulator.plan_layout import STRANGER, TTL, Copy, Layout
from outlast.simulator.plan_rules import damaged, person_acted
from outlast.simulator.plan_store import ABSENT, Shelf
from outlast.simulator.protocol import Agent, Move, Values
from outlast.traffic.content import Content
from outlast.traffic.ports import Live
from outlast.traffic.sentinel import Sentinel, Standing

TROUBLES = {
    "plans": "the topology changes once more (set by the number of plans)",
    "crashes": "a machine or a person's command dies with all it knew, and begins anew",
    "lost-replies": "an effect is done or not, and whoever asked for it is not told",
    "delayed": "a transaction is under way for as long as it likes after its sender gave it up",
    "duplicated": "a second copy of a transaction arrives some time after the first",
    "sentinel-lost": "somebody deletes a sentinel",
    "records-lost": "somebody deletes an endpoint's records and leaves the sentinel",
    "both-lost": "somebody deletes sentinel and records",
    "records-changed": "somebody puts other records there",
    "sentinel-corrupted": "somebody writes another text where the sentinel was",
    "realm-taken": "another realm's sentinel and records stand there",
    "name-taken": "somebody puts records where nothing stood",
    "registry-away": "the registry does not answer",
    "registry-lost": "the registry is empty again",
    "backups": "a backup of the registry is taken, at any time (with `registry-restored`)",
    "registry-restored": "the registry is put back to its backup, however old",
    "providers-away": "a provider does not answer, or refuses",
    "clock-jumps": "a wall clock jumps, so that nothing is old enough or signals expire",
    "freezes": "a person freezes an endpoint at a provider",
    "thaws": "a person lifts a hold",
    "retirements": "a person retires an endpoint at a provider: nobody writes to it any more",
    "adoptions": "a person makes a name ours that nobody has claimed, or that was retired",
    "break-glasses": "a person writes addresses by hand, and holds them",
}
"""Every budget, and what draws on it."""

STRANGERS = Content.of_addresses((STRANGER,), ttl=TTL)
FOREIGN = Live((Sentinel("another", 1, 1, STRANGERS.digest, Standing.LIVE, "x").text,), STRANGERS.sets)

DAMAGES: dict[str, Callable[[Live], Live]] = {
    "sentinel-lost": lambda live: live._replace(sentinel=()),
    "records-lost": lambda live: live._replace(sets=()),
    "both-lost": lambda _: ABSENT,
    "records-changed": lambda live: live._replace(sets=STRANGERS.sets),
    "sentinel-corrupted": lambda live: live._replace(sentinel=("v=spf1 -all",)),
    "realm-taken": lambda _: FOREIGN,
    "name-taken": lambda live: live._replace(sets=STRANGERS.sets) if live == ABSENT else live,
}
REGISTRY_TROUBLES = {"registry-lost", "registry-restored", "backups"}


def troubles(layout: Layout) -> tuple[Agent, ...]:
    """The agents of chance that this world's budgets allow."""
    wanted = layout.options.budgets
    found = [_outside(layout, place) for place in range(len(layout.places)) if DAMAGES.keys() & wanted.keys()]
    if REGISTRY_TROUBLES & wanted.keys():
        found.append(_registry(layout))
    return tuple(found)


def _outside(layout: Layout, place: int) -> Agent:
    wanted = [kind for kind in DAMAGES if kind in layout.options.budgets]

    def moves(values: Values) -> Iterator[Move]:
        live, past, record, losses = values
        for kind in wanted:
            after = DAMAGES[kind](live)
            if after != live and (live != ABSENT or kind in {"name-taken", "realm-taken"}):
                new = damaged(past, live, after, record, registry_losses=losses)
                yield Move((after, new, record, losses), ("damage", kind, layout.places[place]), kind)

    parts = (layout.pasts[place], layout.records[place], layout.losses)
    return Agent(name="somebody", part=layout.dns[place], footprint=lambda _: parts, moves=moves)


def _registry(layout: Layout) -> Agent:
    count = len(layout.places)

    def moves(values: Values) -> Iterator[Move]:
        shelf, reports, losses, backup = values[:4]
        records, pasts = values[4 : 4 + count], values[4 + count :]
        forgiven = tuple(person_acted(past) for past in pasts)
        copy = Copy(shelf, records, reports)
        yield Move((shelf, reports, losses, copy, *records, *pasts), ("registry", "backed up"), "backups")
        if shelf != Shelf():
            empty = (Shelf(), (), losses + 1, backup, *([None] * count), *forgiven)
            yield Move(empty, ("registry", "lost"), "registry-lost")
        if backup is not None and backup != copy:
            back = (backup.shelf, backup.reports, losses + 1, backup, *backup.records, *forgiven)
            yield Move(back, ("registry", "restored"), "registry-restored")

    parts = (layout.reports, layout.losses, layout.backup, *layout.records, *layout.pasts)
    return Agent(name="registry", part=layout.shelf, footprint=lambda _: parts, moves=moves)
