"""A planner whose file is older than the one that the plan follows undoes nothing, and still does what health asks."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from outlast.health.signal import Signal, Verdict
from outlast.traffic import messages as m
from outlast.traffic import planner
from outlast.traffic.edition import SKEW, differing, is_overtaken, with_edition
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport
from outlast.traffic.topology import Edition, Endpoint, Target, Topology

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"
DB, API, NEW = "db.example", "api.example", "new.example"
SECOND = 1_000_000_000


def endpoint(name: str, *addresses: str, ttl: int = 5) -> Endpoint:
    targets = tuple(Target(address=address, region="r") for address in addresses)
    return Endpoint(name=name, targets=targets, ttl=ttl, soak=0, fail_open_below=0.1)


def written(since: int, *endpoints: Endpoint, bake: float = 0.0) -> Topology:
    """A file with these endpoints, written that many seconds after the epoch."""
    return with_edition(Topology(realm="test", endpoints=endpoints, bake=bake), since * SECOND)


def passed(
    topology: Topology,
    plan: Plan | None,
    *,
    me: str,
    wall: int,
    signals: tuple[Signal, ...] = (),
    reports: tuple[AheadReport, ...] = (),
) -> tuple[Plan | None, list[str]]:
    """One pass of a planner: the plan that stands afterwards, and the alarms."""
    topology = replace(topology, edition=topology.edition._replace(by=me))
    state = planner.PlannerState(planner.Options(me, "test", (), 60 * SECOND))
    state, _ = planner.step(state, m.Tick())
    _, effects = planner.step(state, m.InputsRead(topology, plan, 0, (), reports, signals, wall))
    alarms = [it.name for it in effects if isinstance(it, m.Note) and it.alarm]
    published = [it.plan for it in effects if isinstance(it, m.Publish)]
    return (published[0] if published else plan), alarms


def answers(plan: Plan | None) -> dict[str, tuple[str, ...]]:
    assert plan is not None
    return {entry.endpoint: entry.content.addresses for entry in plan.entries}


OVERTAKEN = ["this planner's file is overtaken"]


@pytest.mark.parametrize(
    ("mine", "theirs", "overtaken"),
    [
        (Edition("d1", 1), Edition("d2", 2, "b"), True),
        (Edition("d1", 2), Edition("d2", 1, "b"), False),
        (Edition("d1", 1), Edition("d1", 2, "b"), False),
        (Edition("d1", 1), Edition("d2", 2, "a"), False),  # its own file before its clock was set back
        (Edition("d1", 1), Edition("d2", 5 + SKEW, "b"), True),  # its clock is ahead
        (Edition("d1", 1), Edition("d2", 6 + SKEW, "b"), False),  # a file of the future
        (Edition("d1", 2), Edition("d2", 2, "b"), True),
        (Edition("d2", 2), Edition("d1", 2, "b"), False),  # of two written at once one wins, whoever asks
        (Edition(), Edition("d2", 2, "b"), False),
        (Edition("d1", 1), Edition(), False),
    ],
)
def test_the_newer_file_wins(mine: Edition, theirs: Edition, *, overtaken: bool) -> None:
    """Only another file of another planner overtakes, and only one that is there already."""
    assert overtaken is is_overtaken(mine._replace(by="a"), theirs, wall=5)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((endpoint(DB, A),), (endpoint(DB, A, B),)),
        ((endpoint(DB, A, B),), (endpoint(DB, A),)),
        ((endpoint(DB, A),), (endpoint(DB, B),)),
        ((endpoint(DB, A),), (endpoint(DB, A, ttl=9),)),
        ((endpoint(DB, A),), (endpoint(DB, A), endpoint(NEW, C))),
        ((endpoint(DB, A), endpoint(API, B)), (endpoint(DB, A),)),
    ],
)
def test_nothing_that_the_newer_file_says_is_undone(old: tuple[Endpoint, ...], new: tuple[Endpoint, ...]) -> None:
    """Added and removed targets, endpoints and TTLs stay as they are, pass after pass of both; one alarm says why."""
    mine, theirs = written(10, *old), written(20, *new)
    plan, _ = passed(mine, None, me="a", wall=30 * SECOND)
    plan, _ = passed(theirs, plan, me="b", wall=31 * SECOND)
    plan, _ = passed(theirs, plan, me="b", wall=32 * SECOND)
    again, alarms = passed(mine, plan, me="a", wall=33 * SECOND)
    last, none = passed(theirs, again, me="b", wall=34 * SECOND)

    assert (OVERTAKEN, []) == (alarms, none)
    assert plan is again is last
    assert set(answers(last)) == {it.name for it in new}


def test_a_file_that_is_written_anew_is_followed(wall: int) -> None:
    """What it says may be what an even older plan said: somebody has taken an edit back."""
    old, new = endpoint(DB, A), endpoint(DB, A, B)
    plan, _ = passed(written(10, old), None, me="a", wall=wall)
    plan, _ = passed(written(20, new), plan, me="b", wall=wall)
    plan, alarms = passed(written(40, old), plan, me="a", wall=wall)
    after, theirs = passed(written(20, new), plan, me="b", wall=wall)

    assert ([], OVERTAKEN, {DB: (A,)}) == (alarms, theirs, answers(after))


def test_one_that_hears_of_the_edit_last_does_not_make_it_older(wall: int) -> None:
    """Both have the same file, each since its own time; a third with an older one is overtaken by either."""
    plan, _ = passed(written(20, endpoint(DB, A)), None, me="a", wall=wall)
    plan, _ = passed(written(30, endpoint(DB, A)), plan, me="b", wall=wall)
    sick, _ = passed(written(10, endpoint(DB, B)), plan, me="c", wall=wall)

    assert {DB: (A,)} == answers(sick)


def test_health_is_followed_where_the_files_say_the_same(wall: int, signal: Callable[..., Signal]) -> None:
    """An outage may come in the middle of a roll-out; where they differ it is left to who has the newer file."""
    mine = written(10, endpoint(API, A, B), endpoint(DB, A, B, C))
    theirs = written(20, endpoint(API, A, B), endpoint(DB, A, B))
    plan, _ = passed(theirs, None, me="b", wall=wall)
    signals = (signal(A, Verdict.UNHEALTHY), signal(B, Verdict.HEALTHY), signal(C, Verdict.HEALTHY))
    after, alarms = passed(mine, plan, me="a", wall=wall, signals=signals)
    last, _ = passed(theirs, after, me="b", wall=wall, signals=signals)
    assert after is not None

    assert ({API: (B,), DB: (A, B)}, OVERTAKEN) == (answers(after), alarms)
    assert theirs.edition._replace(by="b") == after.edition
    assert {API: (B,), DB: (B,)} == answers(last)


def test_an_edit_that_moves_no_address_is_planned_too(wall: int) -> None:
    """So that the plan says what it follows: the older file's soak or region would decide otherwise."""
    old, new = endpoint(DB, A), replace(endpoint(DB, A), soak=60.0)
    plan, _ = passed(written(10, old), None, me="a", wall=wall)
    after, _ = passed(written(20, new), plan, me="b", wall=wall)
    last, alarms = passed(written(10, old), after, me="a", wall=wall)
    assert plan is not None
    assert after is not None

    assert ([1, 1], OVERTAKEN) == ([it.entries[0].generation for it in (plan, after)], alarms)
    assert plan.generation < after.generation
    assert after is last


def test_a_canary_that_bakes_is_waited_for_by_who_sent_it(wall: int, signal: Callable[..., Signal]) -> None:
    """The older file knows nothing of the edit that waits, and would end the waiting."""
    old = (endpoint(API, A, B), endpoint(DB, A, B))
    mine, theirs = written(10, *old, bake=60), written(20, endpoint(API, A), endpoint(DB, A), bake=60)
    signals = (signal(A, Verdict.HEALTHY), signal(B, Verdict.HEALTHY))
    plan, _ = passed(mine, None, me="a", wall=wall)
    plan, _ = passed(theirs, plan, me="b", wall=wall, signals=signals)
    after, _ = passed(mine, plan, me="a", wall=wall, signals=signals)

    assert {API: (A,), DB: (A, B)} == answers(plan)
    assert plan is after


def test_a_report_about_what_is_unknown_here_is_left_to_the_other(wall: int) -> None:
    """It would be dropped as that of a stranger."""
    mine, theirs = written(10, endpoint(DB, A)), written(20, endpoint(DB, A), endpoint(NEW, C))
    plan, _ = passed(theirs, None, me="b", wall=wall)
    report = AheadReport("p1", NEW, 7, "d" * 32)
    state = planner.PlannerState(planner.Options("a", "test", (), 60 * SECOND))
    state, _ = planner.step(state, m.Tick())
    _, effects = planner.step(state, m.InputsRead(mine, plan, 0, (), (report,), (), wall))

    assert not any(isinstance(it, m.DropReports) for it in effects)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((endpoint(DB, A, B), endpoint(API, C)), (endpoint(API, C), endpoint(DB, B, A)), True),
        ((endpoint(DB, A),), (endpoint(DB, B),), False),
        ((endpoint(DB, A),), (endpoint(DB, A, ttl=6),), False),
        ((endpoint(DB, A),), (replace(endpoint(DB, A), load=3.0),), False),
        ((endpoint(DB, A),), (endpoint(API, A),), False),
    ],
)
def test_digest_tells_what_a_file_says(one: tuple[Endpoint, ...], other: tuple[Endpoint, ...], *, same: bool) -> None:
    """Not in which order it says it."""
    assert same is (written(1, *one).edition.digest == written(2, *other).edition.digest)


def test_digests_of_what_an_edit_left_alone_are_not_made_again() -> None:
    """Only those of the same objects are taken over: an edited endpoint has its name still."""
    before = written(1, endpoint(DB, A), endpoint(API, B))
    edited = Topology(realm="test", endpoints=(endpoint(DB, C), before.endpoints[1]))
    after = with_edition(edited, 2, known=replace(before, digests={DB: "old", API: "kept"}))

    assert {DB: written(1, endpoint(DB, C)).digests[DB], API: "kept"} == after.digests


def test_endpoints_of_which_a_file_says_something_else_are_named(wall: int) -> None:
    """Also what the other file does not tell by its addresses; what only one of the two knows is no difference."""
    theirs = written(20, endpoint(API, A), endpoint(DB, A), endpoint(NEW, C))
    plan, _ = passed(theirs, None, me="b", wall=wall)
    mine = Topology(
        realm="test", endpoints=(endpoint(API, A), replace(endpoint(DB, A), soak=9.0), endpoint("x.example", B))
    )

    assert ((DB,), (), ()) == (differing(mine, plan), differing(theirs, plan), differing(mine, None))
