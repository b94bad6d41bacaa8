"""Rise and fall, told by hand."""

import random

import pytest

from outlast.errors import InvalidConfig
from outlast.health.detector import MAX_STREAK, Detector, Thresholds
from outlast.health.signal import Signal, Verdict


def verdicts(probes: str, *, rise: int = 2, fall: int = 3) -> list[Verdict]:
    """The verdict after each probe; `+` is a success, `-` a failure."""
    detector = Detector("192.0.2.1", "here", thresholds=Thresholds(rise=rise, fall=fall, flap_window=0))
    return [detector.observe("" if mark == "+" else "silent", wall=at).verdict for at, mark in enumerate(probes, 1)]


@pytest.mark.parametrize(
    ("probes", "last"),
    [
        ("", Verdict.UNKNOWN),
        ("+", Verdict.UNKNOWN),
        ("++", Verdict.HEALTHY),
        ("--", Verdict.UNKNOWN),
        ("---", Verdict.UNHEALTHY),
        ("+-+-+-+-", Verdict.UNKNOWN),
        ("++--", Verdict.HEALTHY),
        ("++--+--", Verdict.HEALTHY),
        ("++---", Verdict.UNHEALTHY),
        ("---+", Verdict.UNHEALTHY),
        ("---+-+", Verdict.UNHEALTHY),
        ("---++", Verdict.HEALTHY),
    ],
)
def test_threshold(probes: str, last: Verdict) -> None:
    """Only `rise` successes or `fall` failures in a row change the verdict."""
    found = [Verdict.UNKNOWN, *verdicts(probes)]

    assert last is found[-1]


def test_the_signal_tells_since_when_and_why() -> None:
    """`since` stays at the probe that changed the verdict, `at` follows, the evidence is the last failure."""
    detector = Detector("192.0.2.1", "here")
    for at in (10, 20):
        detector.observe("", wall=at)
    for at, why in ((30, "status 500"), (40, "status 502"), (50, "status 503"), (60, "refused")):
        detector.observe(why, wall=at)

    expected = Signal("192.0.2.1", "here", Verdict.UNHEALTHY, since=50, at=60, ever_healthy=True, evidence="refused")
    assert expected == detector.signal


def test_the_first_probe_begins_the_unknown() -> None:
    """An unknown target is unknown since its first probe, not since 1970."""
    detector = Detector("192.0.2.1", "here")

    assert Signal("192.0.2.1", "here", Verdict.UNKNOWN, since=7, at=7, evidence="") == detector.observe("", wall=7)


def test_evidence_is_forgotten_by_a_healthy_target() -> None:
    """A success of a healthy target clears the evidence; one of a target still unhealthy does not."""
    detector = Detector("192.0.2.1", "here")
    seen = [detector.observe(why, wall=at).evidence for at, why in enumerate(("x", "x", "x", "", ""))]

    assert ["x", "x", "x", "x", ""] == seen


def test_what_once_worked_is_remembered() -> None:
    """A target that was healthy keeps `ever_healthy` for good, and takes it over from an earlier life."""
    detector = Detector("192.0.2.1", "here", thresholds=Thresholds(rise=1, fall=1))
    before = detector.observe("down", wall=1).ever_healthy
    detector.recall(Signal("192.0.2.1", "here", Verdict.HEALTHY, since=0, at=0, ever_healthy=True))

    assert (False, True) == (before, detector.observe("down", wall=2).ever_healthy)


def test_an_earlier_life_is_no_evidence_of_now() -> None:
    """Recalling a healthy signal leaves the verdict unknown."""
    detector = Detector("192.0.2.1", "here")
    detector.recall(Signal("192.0.2.1", "here", Verdict.HEALTHY, since=0, at=0, ever_healthy=True))

    assert Verdict.UNKNOWN is detector.signal.verdict


@pytest.mark.parametrize("edge", [1, MAX_STREAK])
def test_thresholds_at_their_edges(edge: int) -> None:
    """The edges of the allowed range are allowed."""
    assert edge == Thresholds(rise=edge, fall=edge).fall


def test_thresholds_beyond_their_edges() -> None:
    """Both thresholds out of range are both named."""
    with pytest.raises(InvalidConfig) as caught:
        Thresholds(rise=0, fall=MAX_STREAK + 1)

    assert ("rise = 0 is not within 1 and 100", "fall = 101 is not within 1 and 100") == caught.value.faults


def test_random_probes_obey_the_law() -> None:
    """After any probes, a known verdict is the one of the last run of `rise` or `fall` equal results."""
    seed = random.randrange(2**32)
    print(f"seed {seed}: random.seed({seed}) in test_random_probes_obey_the_law replays it")  # noqa: T201  to replay
    dice = random.Random(seed)
    for _ in range(200):
        rise, fall = dice.randint(1, 4), dice.randint(1, 4)
        probes = "".join(dice.choice("+-") for _ in range(dice.randint(1, 40)))
        healthy, unhealthy = probes.rfind("+" * rise), probes.rfind("-" * fall)
        by_law = Verdict.UNKNOWN if healthy == unhealthy else Verdict.HEALTHY
        if unhealthy > healthy:
            by_law = Verdict.UNHEALTHY

        assert by_law is verdicts(probes, rise=rise, fall=fall)[-1], (probes, rise, fall)


def test_the_repr_reads_like_a_status_line() -> None:
    """The representation says target, observer, verdict and streak."""
    detector = Detector("192.0.2.1", "here")
    detector.observe("x", wall=1)

    assert "<detector 192.0.2.1 by here: unknown, -1 in a row>" == repr(detector)


SECOND = 10**9


def rises(times: int, *, window: float, apart: float) -> list[int]:
    """How many successes it took to be healthy again after each fall; probes come once a second."""
    detector = Detector("192.0.2.1", "here", thresholds=Thresholds(rise=2, fall=1, flap_window=window))
    wall, took = 0, []
    for _ in range(2):
        detector.observe("", wall=(wall := wall + SECOND))
    for _ in range(times):
        detector.observe("silent", wall=(wall := wall + SECOND))
        successes = 0
        while detector.signal.verdict is not Verdict.HEALTHY:
            detector.observe("", wall=(wall := wall + SECOND))
            successes += 1
        took.append(successes)
        wall += int(apart * SECOND)
    return took


def test_what_flaps_is_believed_later_each_time() -> None:
    """Every further fall within the window doubles the successes in a row, up to the limit."""
    assert [2, 4, 8, 16, 32, 64, MAX_STREAK, MAX_STREAK] == rises(8, window=3600, apart=0)


def test_an_old_fall_is_forgotten() -> None:
    """Falls further apart than the window cost nothing, and a window of 0 damps nothing."""
    assert [2, 2, 2] == rises(3, window=60, apart=60)
    assert [2, 2, 2] == rises(3, window=0, apart=0)


def test_a_damped_target_can_always_come_back() -> None:
    """However often it fell, so many successes in a row as the limit says bring it back."""
    detector = Detector("192.0.2.1", "here", thresholds=Thresholds(rise=1, fall=1))
    for at in range(1, 200):
        detector.observe("silent" if at % 2 else "", wall=at)
    for at in range(200, 200 + MAX_STREAK):
        detector.observe("", wall=at)

    assert Verdict.HEALTHY is detector.signal.verdict
