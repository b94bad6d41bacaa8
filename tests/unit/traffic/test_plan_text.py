"""A plan as text: a line for each entry, and reading one plan while holding another."""

import json
from dataclasses import replace

import pytest

from outlast.errors import UnsafePlan
from outlast.traffic.content import Content
from outlast.traffic.plan import Entry, Plan, Withheld


def entry(name: str, last: int, generation: int = 1) -> Entry:
    content = Content.of_addresses((f"192.0.2.{last}",), ttl=5)
    out = (Withheld("192.0.2.200", "unhealthy: it said \n]}", 7),)
    return Entry(endpoint=name, generation=generation, content=content, withheld=out)


PLAN = Plan(
    realm="r", generation=3, entries=(entry("a.example", 1), entry("b.example", 2), entry("c.example", 3)), by="p"
)
CHANGED = replace(PLAN, generation=4, entries=(PLAN.entries[0], entry("b.example", 9, 4), PLAN.entries[2]))
EMPTY = Plan(realm="r", generation=1, entries=())


@pytest.mark.parametrize("plan", [PLAN, CHANGED, EMPTY])
@pytest.mark.parametrize("known", [None, PLAN, CHANGED, EMPTY])
def test_what_is_known_changes_nothing(plan: Plan, known: Plan | None) -> None:
    """Whatever plan the reader holds, the text says the same."""
    text = plan.to_json()

    assert plan == Plan.from_json(text, known=known)
    assert len(plan.entries) == len(json.loads(text)["entries"])


def test_entries_in_the_same_words_are_taken_over() -> None:
    """Only what differs is made anew, and what was written once is not written out again."""
    held = Plan.from_json(PLAN.to_json())
    read = Plan.from_json(CHANGED.to_json(), known=held)

    assert [True, False, True] == [one is two for one, two in zip(read.entries, held.entries, strict=True)]
    assert held.entries[0].line is read.entries[0].line


def test_a_text_of_one_line_is_read_too() -> None:
    """As it was written before entries had lines of their own, or by somebody else."""
    text = PLAN.to_json()
    flat, pretty = json.dumps(json.loads(text)), json.dumps(json.loads(text), indent=1)

    assert [PLAN] * 2 == [Plan.from_json(it, known=PLAN) for it in (flat, pretty)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"192.0.2.2"', '"0.0.0.0"'),
        ('["192.0.2.2"]', "[]"),
        ('"b.example"', '"a.example"'),
        (",\n", "\n"),
        ("},\n", "}}\n"),
        ('"entries":[\n', '"entries":[1,\n'),
        ('"entries":[\n', '"entries":[[\n'),
        ("\n]}", "\n]"),
        ("\n]}", ",\n]}"),
        ('"min_addresses":1', '"min_addresses":2'),
        ('{"endpoint":"b', '{},{"endpoint":"b'),
    ],
)
@pytest.mark.parametrize("known", [None, PLAN])
def test_no_damage_becomes_a_plan(old: str, new: str, known: Plan | None) -> None:
    """With and without another plan at hand."""
    text = PLAN.to_json()
    assert old in text

    with pytest.raises(UnsafePlan):
        Plan.from_json(text.replace(old, new), known=known)
