"""The planner's pass as one move: the shipped machine, run from its first reading to its last effect without a break.

Where no hold, no lost registry and no second planner is in the world, this hides nothing: what the planner reads early
can only lower the generation it takes, and never below the latest plan's plus one; its publication is a compare and swap
on the latest plan, so a pass that was overtaken publishes nothing. The rule `nothing is ahead` is checked in every state
and is what this rests on: while it holds, no reading of the planner's changes what it publishes. Reports of sentinels ahead
are then answered by dropping them, so they are not kept.
"""

from collections.abc import Iterator
from typing import Any

from outlast.simulator.plan_carrying import inputs_read
from outlast.simulator.plan_layout import Config, Layout, Working, asked_of, next_configs
from outlast.simulator.plan_store import Shelf
from outlast.simulator.protocol import Agent, Check, Move, Values
from outlast.traffic import messages as m
from outlast.traffic.sentinel import Sentinel, parse

UNFIT = {
    "freezes",
    "thaws",
    "retirements",
    "adoptions",
    "break-glasses",
    "registry-lost",
    "registry-restored",
    "backups",
}
"""Budgets with which the planner's readings matter."""


def publisher(layout: Layout) -> Agent:
    """A planner that is never seen in the middle of a pass."""
    newborn = layout.newborn_planner()  # about to read its inputs
    count = len(layout.places)

    def moves(values: Values) -> Iterator[Move]:
        config, shelf, rest = values[0], values[1], values[2:]
        coming = next_configs(config) if shelf.plans else (config,)
        for chosen in coming:
            after = _passed(layout, newborn, chosen, shelf, records=rest[:count], lives=rest[count:])
            what = ("plans", after.generation, after.latest)
            yield Move((chosen, after, *rest), what, "plans" if chosen != config else "")

    parts = (layout.shelf, *layout.records, *layout.dns)
    return Agent(name="planner", part=layout.config, footprint=lambda _: parts, moves=moves)


def _passed(layout: Layout, newborn: Working, config: Config, shelf: Shelf, *, records: Values, lives: Values) -> Shelf:
    # One pass against a world that stands still; returns the shelf after it.
    state: Any = newborn.state
    effect: m.Effect | None = newborn.effect
    while effect is not None:
        match effect:
            case m.ReadInputs():
                answer: m.Event = inputs_read(config, shelf, (), records)
            case m.ReadSentinels(places=places):
                found = ((place, lives[layout.place_of(*place)].sentinel) for place in places)
                answer = m.SentinelsRead(tuple(m.Sighting(*pair) for pair in found))
            case m.Publish(plan=plan, after=after):
                new = shelf.published(plan, after)
                assert new is not None, "nobody else publishes"
                shelf, answer = layout.pruned(new), m.Published()
            case _:
                raise AssertionError(f"a pass without reports does not ask for {effect!r}")
        state, effects = layout.options.machines.planner(state, answer)
        effect = asked_of(effects)
    return shelf


def nothing_is_ahead(layout: Layout) -> Check:
    """No sentinel and no record is of a larger generation than the latest plan."""

    def fault(values: Values) -> str:
        shelf, rest = values[0], values[1:]
        records, lives = rest[: len(layout.records)], rest[len(layout.records) :]
        gens = [record.sentinel.gen for record in records if record is not None]
        gens += [seen.gen for live in lives if isinstance(seen := parse(live.sentinel), Sentinel)]
        return f"generation {max(gens)} is ahead of the latest plan" if max(gens, default=0) > shelf.floor else ""

    return Check(name="nothing is ahead", parts=(layout.shelf, *layout.records, *layout.dns), fault=fault)
