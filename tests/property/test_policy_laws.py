"""Laws of budget, breaker, pauses and ejection, whatever happens in whichever order."""

from hypothesis import given
from hypothesis import strategies as st

from outlast.client.regions import Regions
from outlast.outcome import Outcome
from outlast.policy.breaker import REFUSED, Breaker, Circuit, CircuitState
from outlast.policy.budget import Budget
from outlast.policy.retry import Retry

SECOND = 1_000_000_000
OUTCOMES = st.sampled_from(list(Outcome))
CHANCE = st.floats(0, 1)


@given(
    ratio=st.floats(0, 1),
    floor=st.just(0.0) | st.floats(0.001, 100),
    burst=st.floats(1, 100),
    steps=st.lists(st.tuples(st.booleans(), st.integers(-1000, 3 * SECOND)), max_size=200),
)
def test_further_attempts_keep_the_budget(
    ratio: float, floor: float, burst: float, steps: list[tuple[bool, int]]
) -> None:
    """At every instant, further attempts are at most ratio times calls, burst, and floor times seconds; tokens never go below 0."""
    budget = Budget(ratio=ratio, floor=floor, burst=burst)
    now = latest = calls = granted = 0
    budget.withdraw(0)
    granted += 1
    for is_call, elapsed in steps:
        now += elapsed
        latest = max(latest, now)
        if is_call:
            budget.deposit()
            calls += 1
        else:
            granted += budget.withdraw(now)

        assert granted <= ratio * calls + burst + floor * latest / SECOND + 1e-6
        assert 0 <= budget.stats().tokens <= burst


@given(
    probes=st.integers(1, 5),
    steps=st.lists(
        st.tuples(st.sampled_from(["admit", "settle"]), st.integers(0, 99), OUTCOMES, st.integers(0, SECOND)),
        max_size=120,
    ),
)
def test_half_open_never_has_more_than_n_on_their_way(probes: int, steps: list[tuple[str, int, Outcome, int]]) -> None:
    """Of one half-open generation, no more than N calls are on their way or have succeeded, in any order of events."""
    circuit = Circuit(Breaker(min_calls=2, open_for=0.5, probes=probes, probe_wait=60.0))
    now, waiting, admitted = 0, [], dict[int, int]()
    for verb, pick, outcome, elapsed in steps:
        now += elapsed
        if verb == "admit":
            permit = circuit.admit(now)
            if permit != REFUSED:
                waiting.append(permit)
            if permit != REFUSED and circuit.stats().state is CircuitState.HALF_OPEN:
                admitted[permit] = admitted.get(permit, 0) + 1
        elif waiting:
            permit = waiting.pop(pick % len(waiting))
            if outcome in {Outcome.CANCELLED, Outcome.IGNORED} and permit in admitted:
                admitted[permit] -= 1
            circuit.settle(permit, outcome, now=now)
        stats = circuit.stats()

        assert all(count <= probes for count in admitted.values())
        assert 0 <= stats.failures <= stats.calls


@given(attempt=st.integers(1, 20), chance=CHANCE, pushback=st.floats(0, 30))
def test_pauses_stay_within_their_bounds(attempt: int, chance: float, pushback: float) -> None:
    """A pause is at least what the server asked for, at least something, and at most that and the cap."""
    pause = Retry(on=OSError, cap=2.0).pause(attempt, chance=chance, pushback=pushback)

    assert pause is not None
    assert max(1, int(pushback * SECOND) - 1) <= pause <= (pushback + 2.0) * SECOND + 1


@given(
    count=st.integers(1, 100),
    share=st.floats(0, 1),
    steps=st.lists(st.tuples(st.integers(0, 200), OUTCOMES, st.integers(0, 20 * SECOND), CHANCE), max_size=150),
)
def test_ejection_never_exceeds_its_cap(count: int, share: float, steps: list[tuple[int, Outcome, int, float]]) -> None:
    """For each number of regions, fewer than all are ejected, no more than the share or one, and a call goes somewhere."""
    regions = Regions({f"r{n}": f"http://r{n}.example" for n in range(count)}, fall=1, rise=1, max_ejected=share)
    now, waiting = 0, []
    for pick, outcome, elapsed, chance in steps:
        now += elapsed
        tried = [f"r{n}" for n in range(pick % (count + 1))]
        waiting.append(regions.choose(now, tried=tried, can_probe=pick % 2 == 0))
        if pick % 3:
            regions.settle(waiting.pop(pick % len(waiting)), outcome, now=now, chance=chance)
        ejected = sum(region.is_ejected for region in regions.stats())

        assert ejected <= min(count - 1, max(1, int(count * share)))
