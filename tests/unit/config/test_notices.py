"""What is news."""

from outlast.config.notices import REPEAT_SECONDS, Notice, Notices
from outlast.traffic.messages import Note

DOWN = Note("registry unavailable", "x", alarm=True)
FINE = Note("enacted", "gen=1")


def told(passes: list[tuple[float, tuple[Note, ...]]]) -> list[Note]:
    """What gets through of the passes at one place, each with its time."""
    heard: list[Notice] = []
    now = 0.0
    notices = Notices(heard.append, now=lambda: now)
    for now, notes in passes:  # noqa: B007  read by the clock above
        notices.told("enactor", "db", notes)
    return [notice.note for notice in heard]


def test_the_same_again_is_no_news() -> None:
    """A pass with the very same notes as the last is told once."""
    assert [DOWN] == told([(0, (DOWN,)), (1, (DOWN,)), (2, (DOWN,))])


def test_what_lasts_is_repeated() -> None:
    """After a while the same is told again, and not just before."""
    assert [DOWN, DOWN] == told([(0, (DOWN,)), (REPEAT_SECONDS - 1, (DOWN,)), (REPEAT_SECONDS, (DOWN,))])


def test_what_returns_is_news() -> None:
    """A quiet pass in between makes the same note news again."""
    assert [DOWN, DOWN] == told([(0, (DOWN,)), (1, ()), (2, (DOWN,))])


def test_another_note_is_news() -> None:
    """Every note of a pass that differs from the last is told."""
    assert [DOWN, DOWN, FINE] == told([(0, (DOWN,)), (1, (DOWN, FINE))])


def test_places_are_apart() -> None:
    """The same note at another place is news."""
    heard: list[Notice] = []
    notices = Notices(heard.append, now=lambda: 0.0)
    for place in ("a", "b", "a"):
        notices.told("enactor", place, (DOWN,))

    assert [Notice("enactor", "a", DOWN), Notice("enactor", "b", DOWN)] == heard
