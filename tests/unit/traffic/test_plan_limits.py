"""Content and plans: each door refuses what is just outside its limit."""

import pytest

from outlast.errors import InvalidSentinel, UnsafePlan
from outlast.traffic.content import MAX_TTL, MAX_VALUES, Content, RecordSet
from outlast.traffic.plan import MAX_WITHHELD, Entry, Plan, Withheld
from outlast.traffic.sentinel import MAX_COUNT, Corrupt, Sentinel, Standing, parse

ONE = Content.of_addresses(["192.0.2.1"], ttl=5)


def addresses(count: int) -> list[str]:
    return [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(count)]


def entry(name: str, generation: int = 1) -> Entry:
    return Entry(endpoint=name, generation=generation, content=ONE)


def test_values_are_bounded() -> None:
    """As many values as allowed build content; one more and none do not."""
    assert MAX_VALUES == len(Content.of_addresses(addresses(MAX_VALUES), ttl=5).addresses)
    for wrong in (MAX_VALUES + 1, 0):
        with pytest.raises(UnsafePlan):
            Content.of_addresses(addresses(wrong), ttl=5)


@pytest.mark.parametrize(("inside", "outside"), [(0, -1), (MAX_TTL, MAX_TTL + 1)])
def test_the_ttl_is_bounded(inside: int, outside: int) -> None:
    """Just inside builds, just outside does not."""
    assert inside == Content.of_addresses(["192.0.2.1"], ttl=inside).sets[0].ttl
    with pytest.raises(UnsafePlan):
        Content.of_addresses(["192.0.2.1"], ttl=outside)


@pytest.mark.parametrize(
    "sets",
    [
        (RecordSet("A", 5, ()),),
        (RecordSet("AAAA", 5, ("192.0.2.1",)),),
        (*ONE.sets, *ONE.sets),
        (*ONE.sets, RecordSet("CNAME", 5, ("lb.example.",))),
        (RecordSet("CNAME", 5, ("a.example.", "b.example.")),),
        (RecordSet("TXT", 5, ("text",)),),
    ],
)
def test_content_that_cannot_stand_is_refused(sets: tuple[RecordSet, ...]) -> None:
    """Empty sets, a wrong family, a type twice, a CNAME in company and unknown types."""
    with pytest.raises(UnsafePlan):
        Content(sets)


@pytest.mark.parametrize(("inside", "outside"), [(1, 0), (MAX_COUNT, MAX_COUNT + 1)])
def test_generations_are_bounded(inside: int, outside: int) -> None:
    """Just inside builds, just outside does not."""
    assert inside == entry("a", inside).generation
    with pytest.raises(UnsafePlan):
        entry("a", outside)


def test_withheld_addresses_are_bounded() -> None:
    """As many as allowed build an entry; one more does not."""
    held = tuple(Withheld(address, "why", 1) for address in addresses(MAX_WITHHELD + 1))

    assert MAX_WITHHELD == len(Entry(endpoint="a", generation=1, content=ONE, withheld=held[1:]).withheld)
    with pytest.raises(UnsafePlan):
        Entry(endpoint="a", generation=1, content=ONE, withheld=held)


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_entries_are_sorted_and_unique(names: tuple[str, ...]) -> None:
    """A plan in another order or with an endpoint twice is refused."""
    with pytest.raises(UnsafePlan):
        Plan(realm="r", generation=1, entries=tuple(entry(name) for name in names))


def test_no_entry_is_newer_than_its_plan() -> None:
    """An entry of the plan's generation is in order; of a later one it is not."""
    assert 2 == Plan(realm="r", generation=2, entries=(entry("a", 2),)).entries[0].generation
    with pytest.raises(UnsafePlan):
        Plan(realm="r", generation=1, entries=(entry("a", 2),))


@pytest.mark.parametrize("field", ["realm", "by"])
@pytest.mark.parametrize("wrong", ["", "two words", 'quo"te', "ü", "a" * 64])
def test_a_sentinel_that_would_not_survive_dns_is_refused(field: str, wrong: str) -> None:
    """Realm and writer are short plain words."""
    sentinel = Sentinel("r", 1, 1, ONE.digest, Standing.LIVE, "w")
    broken = sentinel._replace(realm=wrong) if field == "realm" else sentinel._replace(by=wrong)

    with pytest.raises(InvalidSentinel):
        _ = broken.text


@pytest.mark.parametrize(("gen", "digest", "ahead"), [(1, "x", True), (2, "x", True), (2, "d", False), (3, "x", False)])
def test_what_is_ahead(gen: int, digest: str, ahead: bool) -> None:  # noqa: FBT001 - a table's column
    """A sentinel of generation 2 is ahead of a smaller generation, and of its own with other content."""
    assert ahead is Sentinel("r", 1, 2, "d", Standing.LIVE, "w").follows(gen, digest)


def test_two_texts_are_corrupt_and_none_is_absence() -> None:
    """Absence and damage are told apart."""
    text = Sentinel("r", 1, 1, ONE.digest, Standing.LIVE, "w").text

    assert None is parse(())
    assert Corrupt((text, text)) == parse((text, text))
