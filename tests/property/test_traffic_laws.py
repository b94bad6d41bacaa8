"""Laws of the values: what is written reads back, what is unsafe cannot be built, and what reads back can be written."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.errors import UnsafePlan
from outlast.traffic.content import MAX_TTL, Content, RecordSet
from outlast.traffic.plan import Entry, Plan, Withheld
from outlast.traffic.sentinel import MAX_COUNT, Corrupt, Sentinel, Standing, UnknownVersion, parse

v4 = st.integers(1, 223).map(lambda last: f"192.0.2.{last}")
v6 = st.integers(1, 65_535).map(lambda last: f"2001:db8::{last:x}")
contents = st.builds(
    Content.of_addresses, st.lists(st.one_of(v4, v6), min_size=1, max_size=8, unique=True), ttl=st.integers(0, MAX_TTL)
)
counts = st.integers(1, MAX_COUNT)
words = st.from_regex(r"[A-Za-z0-9._-]{1,32}", fullmatch=True)
sentinels = st.builds(
    Sentinel,
    words,
    st.integers(0, MAX_COUNT),
    st.integers(0, MAX_COUNT),
    st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    st.sampled_from(Standing),
    words,
)
withheld = st.lists(st.builds(Withheld, v4, st.text(max_size=20), st.integers(0, 2**62)), max_size=3).map(tuple)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    generation = draw(counts)
    names = sorted(draw(st.sets(st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True), max_size=4)))
    entries = [
        Entry(
            endpoint=name,
            generation=draw(st.integers(1, generation)),
            content=draw(contents),
            withheld=draw(withheld),
        )
        for name in names
    ]
    return Plan(
        realm=draw(words),
        generation=generation,
        entries=tuple(entries),
        at=draw(st.integers(0, 2**62)),
        by=draw(words),
        reason=draw(st.text(max_size=20)),
    )


@given(plans())
def test_a_plan_reads_back(plan: Plan) -> None:
    """`from_json` undoes `to_json`."""
    assert plan == Plan.from_json(plan.to_json())


def _is_safe(plan: Plan) -> bool:
    counts_are_whole = all(type(entry.generation) is int and entry.generation >= 1 for entry in plan.entries)
    addressed = all(entry.content.sets and all(item.values for item in entry.content.sets) for entry in plan.entries)
    texts = [plan.realm, plan.by, plan.reason, *(entry.endpoint for entry in plan.entries)]
    times = [held.since for entry in plan.entries for held in entry.withheld]
    return counts_are_whole and addressed and all(type(t) is str for t in texts) and all(type(t) is int for t in times)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_unsafe_plan(raw: bytes) -> None:
    """Any bytes are refused with `UnsafePlan`, or are a safe plan."""
    with contextlib.suppress(UnsafePlan):
        assert _is_safe(Plan.from_json(raw.decode("utf-8", "replace")))


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), v4)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, inner in items for found in _paths(inner, (*path, key))]


@given(plans(), st.data())
def test_no_damaged_plan_is_unsafe(plan: Plan, data: st.DataObject) -> None:
    """One value of a stored plan replaced by anything: it is refused, or the plan is still safe."""
    raw = json.loads(plan.to_json())
    *way, last = data.draw(st.sampled_from(_paths(raw)))
    place = raw
    for key in way:
        place = place[key]
    place[last] = data.draw(anything)

    with contextlib.suppress(UnsafePlan):
        assert _is_safe(Plan.from_json(json.dumps(raw)))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "0", '"plan"', "[" * 100_000, '{"format":1}', '{"format":true}']
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    """Text of another shape, however deep, is an unsafe plan and not another error."""
    with pytest.raises(UnsafePlan):
        Plan.from_json(text)


@given(sentinels)
def test_a_sentinel_reads_back(sentinel: Sentinel) -> None:
    """`parse` undoes `text`."""
    assert sentinel == parse((sentinel.text,))


@given(st.one_of(st.text(max_size=60), sentinels.map(lambda s: s.text)))
def test_any_text_has_one_meaning(text: str) -> None:
    """Any TXT string is a sentinel that we could have written, of another version, or corrupt; nothing raises."""
    found = parse((text,))

    assert isinstance(found, Corrupt | UnknownVersion) or (isinstance(found, Sentinel) and text == found.text)


@pytest.mark.parametrize("key", ["n", "gen"])
def test_a_count_ends_where_it_can_still_be_written(key: str) -> None:
    """The largest count is a sentinel; one more is corrupt, so that it is put back from the record."""
    whole = Sentinel("r", 1, 1, "0" * 32, Standing.LIVE, "w")
    largest = whole._replace(n=MAX_COUNT) if key == "n" else whole._replace(gen=MAX_COUNT)
    beyond = largest.text.replace(str(MAX_COUNT), str(MAX_COUNT + 1))

    assert largest == parse((largest.text,))
    assert Corrupt((beyond,)) == parse((beyond,))


@given(sentinels, st.integers(2, 999))
def test_another_version_is_recognised(sentinel: Sentinel, version: int) -> None:
    """A sentinel of another version is none of ours, whatever follows."""
    text = sentinel.text.replace("v=1", f"v={version}", 1)

    assert UnknownVersion((text,)) == parse((text,))


record_sets = st.builds(
    RecordSet,
    st.sampled_from(["A", "AAAA", "CNAME", "TXT", ""]),
    st.integers(-1, MAX_TTL + 1),
    st.lists(st.one_of(v4, v6, st.just("0.0.0.0"), st.just("::"), st.just("224.0.0.1"), st.text(max_size=5))).map(
        tuple
    ),
)


@given(st.lists(record_sets, max_size=3).map(tuple))
def test_content_cannot_be_empty(sets: tuple[RecordSet, ...]) -> None:
    """Whatever sets are handed over, content either refuses them or answers with at least one usable value in each."""
    with contextlib.suppress(UnsafePlan):
        built = Content(sets)
        assert built.sets
        assert all(item.values for item in built.sets)
        assert not {"0.0.0.0", "::", "224.0.0.1"} & set(built.addresses)


@given(contents)
def test_a_digest_does_not_depend_on_order(content: Content) -> None:
    """Sets in another order are the same content; another TTL is not."""
    slower = tuple(item._replace(ttl=(item.ttl + 1) % MAX_TTL) for item in content.sets)

    assert content.digest == Content(tuple(reversed(content.sets))).digest
    assert content.digest != Content(slower).digest
