"""A protocol as Promela, for SPIN to explore by its own means: the engine's tables, written out.

Each part and each budget is a global number, each addition of each table one guarded `d_step`. What is compared is the search:
two programs that have nothing in common but these tables must find as many states and moves. The tables have to be whole, so
the protocol is explored here first, without twins (`Engine.protocol.twins` empty) and with nothing left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from outlast.simulator.engine import EVERYTHING, Engine


class Step(NamedTuple):
    """One `d_step`: whose, and what it adds to a state."""

    agent: int
    change: int


class Model(NamedTuple):
    """The text, and what its steps are by the number that each prints."""

    text: str
    steps: tuple[Step, ...]


def all_states(engine: Engine) -> tuple[set[int], int]:
    """Every reachable state and the number of moves, with nothing left out: what SPIN has to find too."""
    seen, agenda, moves = {engine.initial}, [engine.initial], 0
    while agenda:
        nexts = engine.successors(agenda.pop())
        moves += len(nexts)
        for new in nexts:
            if new not in seen:
                seen.add(new)
                agenda.append(new)
    return seen, moves


def model(engine: Engine, *, is_checked: bool) -> Model:
    """Write the tables out. `is_checked`: with an assertion that fails in a state that breaks a rule."""
    assert not engine.protocol.twins, "SPIN knows nothing of twins"
    states, _ = all_states(engine)
    steps: list[Step] = []
    options = [text for number in range(len(engine.tables)) for text in _options(engine, number, steps)]
    faults = sorted({engine.checked(state) for state in states if engine.fault(state)}) if is_checked else []
    options[:0] = [f":: d_step {{ {_guard(engine, engine.checked_mask, key)} -> assert(false) }}" for key in faults]
    variables = "\n".join(f"int {name} = {value};" for name, value in _variables(engine, engine.initial))
    # The end of a protocol that has ended is no deadlock.
    text = f"{variables}\nactive proctype world() {{\nend: do\n" + "\n".join(options) + "\nod }\n"
    return Model(text, tuple(steps))


def _variables(engine: Engine, state: int) -> Iterator[tuple[str, int]]:
    packing = engine.packing
    for part, (shift, bits) in enumerate(zip(packing.shifts, packing.bits, strict=True)):
        yield f"p{part}", state >> shift & bits
    for at, left in enumerate(packing.budgets_left(state).values()):
        yield f"b{at}", left


def _options(engine: Engine, number: int, steps: list[Step]) -> Iterator[str]:
    table, packing = engine.tables[number], engine.packing
    masks = dict(enumerate(table.masks))
    for key, (free, drawing, _, is_silent) in sorted(table.entries.items()):
        assert not is_silent, "silent moves leave others out"
        guard = _guard(engine, masks[packing.number_in(key, table.agent.part)], key)
        for need, change in (*((EVERYTHING, change) for change in free), *drawing):
            paid = "" if need == EVERYTHING else f" && {_budget(engine, need)} > 0"
            updates = "; ".join(_updates(engine, key, change))
            yield f':: d_step {{ {guard}{paid} -> printf("step %d\\n", {len(steps)}); {updates} }}'
            steps.append(Step(number, change))


def _guard(engine: Engine, mask: int, key: int) -> str:
    packing = engine.packing
    parts = [
        part
        for part, (shift, bits) in enumerate(zip(packing.shifts, packing.bits, strict=True))
        if mask >> shift & bits
    ]
    return " && ".join(f"p{part} == {key >> packing.shifts[part] & packing.bits[part]}" for part in parts)


def _budget(engine: Engine, need: int) -> str:
    return f"b{list(engine.packing.needs.values()).index(need)}"


def _updates(engine: Engine, key: int, change: int) -> Iterator[str]:
    # An addition may borrow between fields; with every budget at its highest none of them does.
    full = key | engine.packing.budget_bits
    before, after = dict(_variables(engine, full)), dict(_variables(engine, full + change))
    for name, value in after.items():
        if name.startswith("b") and value != before[name]:
            yield f"{name}--"
        elif value != before[name]:
            yield f"{name} = {value}"
