"""No handler of a step machine asks for two effects at once: between them an interleaving would hide.

Two effects of one step are carried out one after the other, so anybody may move in between; only what needs no answer and
touches nothing (`Note`) may stand beside another. Every effect is looked for in every tuple that a handler returns.
"""

import ast
from pathlib import Path
from typing import get_args

import pytest

from outlast.incidents import protocol as hazard
from outlast.incidents.planner import PlannerEffect
from outlast.traffic import messages

PACKAGE = Path(__file__).parents[2] / "src" / "outlast"
MACHINES = {
    **dict.fromkeys(
        ("traffic/enactor.py", "traffic/planner.py", "traffic/janitor.py", "traffic/hold.py"), messages.Effect
    ),
    "incidents/enactor.py": hazard.Effect,
    "incidents/planner.py": PlannerEffect,
}
SILENT = {"Note"}

PLANTED = """
def _refused(state, event):
    return state, (Note("refused"), ReleaseLock(state.lock), DeleteTree(state.tree))
"""


def crowded(text: str, effects: set[str]) -> list[str]:
    """Lines with a tuple in which more than one effect is asked for."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Tuple):
            calls = [
                item.func.id for item in node.elts if isinstance(item, ast.Call) and isinstance(item.func, ast.Name)
            ]
            asked = [name for name in calls if name in effects - SILENT]
            found += [f"line {node.lineno}: {' and '.join(asked)}"] if len(asked) > 1 else []
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_a_handler_asks_for_one_effect(machine: str) -> None:
    """Each tuple of effects in the machine has at most one that is not a note."""
    effects = {effect.__name__ for effect in get_args(MACHINES[machine])}

    assert "Note" in effects
    assert [] == crowded((PACKAGE / machine).read_text(), effects)


def test_two_effects_are_found() -> None:
    """A handler that releases a lock and deletes a tree in one step is found."""
    assert ["line 3: ReleaseLock and DeleteTree"] == crowded(PLANTED, {"Note", "ReleaseLock", "DeleteTree"})
