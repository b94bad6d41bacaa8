"""What a host remembers of its writes, and which answers are correct."""

import pytest

from outlast.drill.load.memory import Memory, WrongValue


def memory() -> Memory:
    """One write acknowledged in the east."""
    made = Memory()
    made.note("east", "w-1", "v-1")
    return made


def test_last_write_is_read_back_where_it_was_acknowledged() -> None:
    """A place without a write of ours is asked for a seeded key."""
    assert (("w-1", "v-1"), ("k0", "v-k0")) == (memory().last("east"), memory().last("west"))


@pytest.mark.parametrize(
    ("place", "key", "found"),
    [("east", "w-1", "v-1"), ("west", "w-1", "v-1"), ("west", "w-1", None), ("west", "k0", "v-1")],
)
def test_correct_answers_pass(place: str, key: str, found: str | None) -> None:
    """The value, anywhere; or nothing, where the write was not acknowledged."""
    memory().check(place, key, expected="v-1", found=found)


@pytest.mark.parametrize(
    ("place", "key", "found"),
    [("east", "w-1", None), ("east", "w-1", "v-2"), ("west", "w-1", "v-2"), ("west", "k0", None)],
)
def test_wrong_answers_do_not(place: str, key: str, found: str | None) -> None:
    """Another value, nothing where the write was acknowledged, or no seeded key."""
    with pytest.raises(WrongValue):
        memory().check(place, key, expected="v-1", found=found)
