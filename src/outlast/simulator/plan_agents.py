"""Who may move in the plan protocol's world: the machines, a person, what is in flight, and everything that goes wrong."""

from collections.abc import Iterator
from typing import Any

from outlast.simulator.plan_carrying import Carrier, Outcome, remembered
from outlast.simulator.plan_layout import REALM, Layout, StepFunction, Working, asked_of, begun, by_hand
from outlast.simulator.plan_publishing import publisher
from outlast.simulator.plan_troubles import troubles
from outlast.simulator.protocol import Agent, Move, Values
from outlast.traffic import messages as m
from outlast.traffic.enactor import EnactorState
from outlast.traffic.hold_state import Command, HoldState
from outlast.traffic.janitor import JanitorState

ACTS = {
    "freezes": Command.FREEZE,
    "thaws": Command.THAW,
    "retirements": Command.RETIRE,
    "adoptions": Command.ADOPT,
    "break-glasses": Command.BREAK_GLASS,
}
"""What a person may do, by the budget it draws on."""


def agents(layout: Layout) -> tuple[Agent, ...]:
    """Everybody in this world."""
    machines, carrier = layout.options.machines, Carrier(layout)
    numbers = range(layout.options.enactors)
    # In a random walk one planner and one janitor have as much to do as all those enactors.
    crowd = max(1, len(layout.places) * layout.options.enactors // 4)
    found = [
        _machine(
            layout.names[layout.enactors[place][number]],
            machines.enactor,
            carrier,
            part=layout.enactors[place][number],
            newborn=layout.newborn_enactor(layout.places[place], number),
        )
        for place in range(len(layout.places))
        for number in numbers
    ]
    if layout.options.is_planner_atomic:
        found.append(publisher(layout))
    else:
        found.append(
            _machine(
                "planner",
                machines.planner,
                carrier,
                part=layout.planner,
                newborn=layout.newborn_planner(),
                weight=crowd,
            )
        )
    if layout.options.has_janitor:
        found.append(
            _machine(
                "janitor",
                machines.janitor,
                carrier,
                part=layout.janitor,
                newborn=layout.newborn_janitor(),
                weight=crowd,
            )
        )
    if set(layout.options.budgets) & ACTS.keys():
        found.append(_person(layout, carrier))
    if set(layout.options.budgets) & {"delayed", "duplicated"}:
        found.append(_network(layout, carrier))
    return (*found, *troubles(layout))


def _machine(name: str, step: StepFunction, carrier: Carrier, *, part: int, newborn: Working, weight: int = 1) -> Agent:
    def moves(values: Values) -> Iterator[Move]:
        own, rest = values[0], values[1:]
        is_silent = False
        for outcome in carrier.outcomes(own, rest):
            is_silent = is_silent or outcome.is_silent
            yield _moved(step, own, rest, outcome)
        if own != newborn:
            # What the janitor has not done when it dies matters to itself; all others would only begin a pass sooner.
            is_left_out = is_silent and not isinstance(own.effect, m.Tombstone | m.DeletePlan)
            yield Move((newborn, *rest), ("crash", own.effect), "crashes", is_silent=is_silent and not is_left_out)

    return Agent(name=name, part=part, footprint=carrier.footprint, moves=moves, weight=weight)


def _moved(step: StepFunction, own: Working, rest: Values, outcome: Outcome) -> Move:
    def values() -> Values:
        after = advanced(step, own, outcome.answer, rest)
        if after is None:
            after = begun(step, after_pass(step, own, outcome.answer))
        return (after, *outcome.after)

    what = (own.effect, outcome.answer, outcome.word)
    return Move(values, what, outcome.draws, outcome.broken, outcome.is_silent)


def after_pass(step: StepFunction, own: Working, answer: m.Event) -> Any:
    """The state of a machine whose pass has ended."""
    return step(own.state, answer)[0]


def advanced(step: StepFunction, own: Working, answer: m.Event, parts: Values) -> Working | None:
    """The machine with its answer, or nothing if its pass has ended."""
    state, effects = step(own.state, answer)
    effect = asked_of(effects)
    if effect is None:
        return None
    new = remembered(own, answer, own.effect, parts)._replace(state=state, effect=effect)
    if isinstance(state, EnactorState | HoldState) and _may_commit(state, effect):
        return new
    if isinstance(state, JanitorState) and isinstance(effect, m.DeletePlan):
        return new
    return new._replace(read=None, losses=0)


def _may_commit(state: EnactorState | HoldState, effect: m.Effect) -> bool:
    match effect:
        case m.Commit() | m.FindContent() | m.ReadKnown():
            return True
        case m.WriteRecord():
            return state.intent is not None
    return False


def _person(layout: Layout, carrier: Carrier) -> Agent:
    step = layout.options.machines.person

    def footprint(own: Working | None) -> tuple[int, ...]:
        return carrier.footprint(own) if own is not None else ()

    def moves(values: Values) -> Iterator[Move]:
        own, rest = values[0], values[1:]
        if own is None:
            for draws, command in ACTS.items():
                for place in layout.places:
                    content = by_hand() if command is Command.BREAK_GLASS else None
                    state = HoldState(command, "person", REALM, *place, content=content)
                    yield Move((begun(step, state),), ("begins", command), draws)
            return
        for outcome in carrier.outcomes(own, rest):
            after = advanced(step, own, outcome.answer, rest)
            what = (own.effect, outcome.answer, outcome.word)
            yield Move((after, *outcome.after), what, outcome.draws, outcome.broken)
        yield Move((None, *rest), ("crash", own.effect), "crashes")

    return Agent(name="person", part=layout.person, footprint=footprint, moves=moves)


def _network(layout: Layout, carrier: Carrier) -> Agent:
    def footprint(_: Any) -> tuple[int, ...]:
        return (layout.losses, *layout.dns, *layout.pasts)

    def moves(values: Values) -> Iterator[Move]:
        flying, losses, rest = values[0], values[1], values[2:]
        count = len(layout.places)
        for at, (transaction, writer) in enumerate(flying):
            place = layout.place_of(transaction.provider, transaction.endpoint)
            left = (*flying[:at], *flying[at + 1 :])
            outcome = carrier.delivered(transaction, writer, (rest[place], rest[count + place], losses, left))
            after = list(rest)
            after[place], after[count + place] = outcome.after[0], outcome.after[1]
            yield Move((left, losses, *after), ("arrives", transaction, outcome.answer), "", outcome.broken)

    return Agent(name="network", part=layout.flying, footprint=footprint, moves=moves)
