"""The plan protocol as a value: the machines that ship, in a world where everything that may go wrong does.

What is explored is `outlast.traffic`'s own step functions; there is no second copy of any of their decisions here.
"""

from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Any

from outlast.simulator.plan_agents import agents
from outlast.simulator.plan_health import BROUGHT_BY, health
from outlast.simulator.plan_layout import Layout, PlanOptions, enactor_name
from outlast.simulator.plan_publishing import nothing_is_ahead
from outlast.simulator.plan_words import answer, tell
from outlast.simulator.protocol import Check, Protocol, Values
from outlast.traffic.ports import Live


def plan_protocol(options: PlanOptions) -> Protocol:
    """The protocol `outlast` with a world of that size around it."""
    layout = Layout(options)
    endpoints = tuple(place.endpoint for place in layout.places)
    interleaved = tuple(part for pair in zip(layout.dns, layout.records, strict=True) for part in pair)
    may_wait = frozenset(command for command, budgets in BROUGHT_BY.items() if budgets & options.budgets.keys())
    names = tuple(f"{place.endpoint} at {place.provider}" for place in layout.places)

    def answered(values: Values) -> str:
        return answer(tuple((name, values[part]) for name, part in zip(names, layout.dns, strict=True)))

    return Protocol(
        name="outlast",
        parts=layout.names,
        initial=layout.initial(),
        agents=agents(layout),
        budgets={"plans": options.plans - 1, **options.budgets},
        checks=_checks(layout),
        health_parts=(layout.shelf, layout.config, *interleaved),
        health=lambda values: health(values, endpoints, may_wait=may_wait),
        # Names of enactors are exchanged everywhere at once, so only a world of one place has twins.
        twins=layout.enactors[0] if len(layout.places) == 1 else (),
        rename=renamed if options.are_named else None,
        rank=_rank,
        answer=answered,
        tell=tell,
    )


def _checks(layout: Layout) -> tuple[Check, ...]:
    empty = Check(name="never empty", parts=_emptiness(layout), fault=_is_emptied)
    return (empty, nothing_is_ahead(layout)) if layout.options.is_planner_atomic else (empty,)


def _emptiness(layout: Layout) -> tuple[int, ...]:
    # With records that strangers delete, emptiness is not our own doing; the writes that land are judged all the same.
    strangers = {"records-lost", "both-lost", "realm-taken"} & layout.options.budgets.keys()
    return () if strangers else layout.dns


def _is_emptied(lives: Values) -> str:
    def is_empty(live: Live) -> bool:
        return bool(live.sentinel) and not any(item.values for item in live.sets)

    return "DNS answers no address" if any(is_empty(live) for live in lives) else ""


def renamed(value: Any, moved: tuple[int, ...]) -> Any:
    """The value with the enactors' names exchanged: whoever stood at position `i` stands at `moved[i]` now."""
    names = {enactor_name(old): enactor_name(new) for old, new in enumerate(moved) if old != new}
    return _with_names(value, names) if names else value


def _with_names(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        head, by, name = value.rpartition(" by=")
        if by:
            return f"{head}{by}{names.get(name, name)}"
        return names.get(value, value) if type(value) is str else value
    if isinstance(value, tuple):
        items = [_with_names(item, names) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if is_dataclass(value):
        # Plans and contents name nobody but the planner.
        assert not any(
            getattr(value, item.name) in names for item in dataclass_fields(value) if item.name in {"by", "me"}
        )
    return value


def _rank(value: Any, position: int) -> Any:
    """What an enactor is, apart from names: itself is one, all others another."""
    me = enactor_name(position)
    names = {name: "self" if name == me else "other" for name in _names_in(value)}
    return _with_names(value, names)


def _names_in(value: Any) -> set[str]:
    if isinstance(value, str):
        name = value.rpartition(" by=")[2]
        return {name} if name[:1] == "e" and name[1:].isdigit() else set()
    if isinstance(value, tuple):
        return set().union(*(_names_in(item) for item in value))
    return set()
