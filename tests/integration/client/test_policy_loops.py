"""The loops of a policy, `def` and `async def`, with real threads, tasks, clocks and cancellation."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from outlast.errors import BudgetExhausted, CircuitOpen, DeadlineExceeded, InvalidConfig, Rejected
from outlast.outcome import Outcome
from outlast.policy import Breaker, Budget, CircuitState, Policy, Retry, remaining

OPEN_SECONDS = 0.05


class Flaky:
    """Fails a number of times and then returns how often it was called; for both loops."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def call(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError(self.calls)
        return self.calls

    async def acall(self) -> int:
        return self.call()


def run_plain(policy: Policy, flaky: Flaky) -> int:
    return policy.call(flaky.call)


def run_async(policy: Policy, flaky: Flaky) -> int:
    return asyncio.run(policy.acall(flaky.acall))


def run_block(policy: Policy, flaky: Flaky) -> int:
    for attempt in policy.attempts():
        with attempt:
            return flaky.call()
    raise AssertionError("a loop of attempts ends by success or by an exception")


def run_async_block(policy: Policy, flaky: Flaky) -> int:
    async def run() -> int:
        async for attempt in policy.attempts():
            async with attempt:
                return await flaky.acall()
        raise AssertionError("a loop of attempts ends by success or by an exception")

    return asyncio.run(run())


WAYS = pytest.mark.parametrize("run", [run_plain, run_async, run_block, run_async_block])
Way = Callable[[Policy, Flaky], int]


def quick(**options: Any) -> Policy:
    return Policy("p", **{"retry": Retry(on=ConnectionError, base=0.001, cap=0.002), **options})


def trip(policy: Policy) -> None:
    """Open a policy's breaker and wait until probes are admitted."""
    while (circuit := policy.stats().circuit) is not None and circuit.state is CircuitState.CLOSED:
        with pytest.raises(ConnectionError):
            policy.call(Flaky(1).call)
    time.sleep(OPEN_SECONDS * 1.3)


@WAYS
def test_tries_again_until_it_succeeds(run: Way) -> None:
    """Two failures and a success are three attempts of one call, in each of the four ways to call."""
    policy = quick()

    assert 3 == run(policy, Flaky(2))
    assert (1, 1, 3) == (*policy.stats()[:2], policy.stats().attempts)


@WAYS
def test_the_last_exception_comes_out_unchanged(run: Way) -> None:
    """When attempts run out, the function's own last exception is raised, with nothing added."""
    with pytest.raises(ConnectionError) as caught:
        run(quick(), Flaky(9))

    assert ((3,), False, None) == (caught.value.args, hasattr(caught.value, "__notes__"), caught.value.__context__)


@WAYS
def test_an_exhausted_budget_keeps_the_exception(run: Way) -> None:
    """Without tokens the first exception comes out, with a note why it was not tried again."""
    policy = quick(budget=Budget(ratio=0.0, floor=0.0, burst=1))
    policy.take()
    with pytest.raises(BudgetExhausted):
        policy.take()
    with pytest.raises(ConnectionError) as caught:
        run(policy, Flaky(9))

    assert (1,) == caught.value.args
    assert [
        "outlast: p: not tried again after attempt 1: budget for further attempts used up"
    ] == caught.value.__notes__


def test_half_open_admits_exactly_n_of_100_tasks() -> None:
    """Of a hundred tasks at once, as many probes as were asked for reach the function."""
    policy = Policy("p", breaker=Breaker(min_calls=1, open_for=OPEN_SECONDS, probes=3))
    trip(policy)
    reached = 0

    async def call() -> None:
        nonlocal reached
        reached += 1
        await asyncio.sleep(0.02)

    async def crowd() -> list[BaseException | None]:
        return await asyncio.gather(*(policy.acall(call) for _ in range(100)), return_exceptions=True)

    refused = sum(isinstance(result, CircuitOpen) for result in asyncio.run(crowd()))

    assert (3, 97) == (reached, refused)


def test_half_open_admits_exactly_n_of_50_threads() -> None:
    """Of fifty threads at once, as many probes as were asked for reach the function."""
    policy = Policy("p", breaker=Breaker(min_calls=1, open_for=OPEN_SECONDS, probes=3))
    trip(policy)
    together, decided = threading.Barrier(50), threading.Event()
    reached: list[int] = []
    refused: list[int] = []

    def call() -> None:
        reached.append(1)
        # Until all the others are refused, so that no probe closes the circuit under them.
        assert decided.wait(10)

    def contend() -> bool:
        together.wait(10)
        try:
            policy.call(call)
        except CircuitOpen:
            refused.append(1)
            if len(refused) == 47:
                decided.set()
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        admitted = sum(future.result() for future in [pool.submit(contend) for _ in range(50)])

    assert (3, 3) == (admitted, len(reached))


def test_a_closed_breaker_never_serialises() -> None:
    """Fifty threads are inside the function at the same time: each waits there for all the others."""
    policy = Policy("p", breaker=Breaker(), retry=Retry(on=ConnectionError))
    inside = threading.Barrier(50)
    with ThreadPoolExecutor(50) as pool:
        ended = [future.result() for future in [pool.submit(policy.call, inside.wait, 10) for _ in range(50)]]

    assert list(range(50)) == sorted(ended)


def test_cancellation_is_neutral() -> None:
    """Cancelled calls open no breaker, and a cancelled probe gives its place back."""
    policy = Policy("p", breaker=Breaker(min_calls=1, open_for=OPEN_SECONDS))

    async def cancel(times: int) -> None:
        for _ in range(times):
            task = asyncio.create_task(policy.acall(asyncio.sleep, 10))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel(15))
    after_many = policy.stats()
    trip(policy)
    asyncio.run(cancel(1))

    assert after_many.circuit is not None
    assert (CircuitState.CLOSED, 0, 15) == (after_many.circuit.state, after_many.circuit.calls, after_many.cancelled)
    assert 1 == policy.call(Flaky(0).call)


class Cut:
    """A coroutine that is cancelled where it waits for the n-th time, wherever that is."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int) -> None:
        self.steps = coroutine.__await__()
        self.at = at
        self.is_cut = False

    def __await__(self) -> Generator[Any, Any, Any]:
        for _ in range(self.at):
            try:
                yield next(self.steps)
            except StopIteration as done:
                return done.value
        self.is_cut = True
        return self.steps.throw(asyncio.CancelledError())


def test_cancellation_is_neutral_wherever_it_strikes() -> None:
    """Cut at each point where a call waits, in an attempt or between two, it is counted as cancelled and its probe is free."""
    struck = 0
    for at in range(1, 99):
        policy = quick(
            attempt_timeout=5.0,
            breaker=Breaker(min_calls=1, open_for=OPEN_SECONDS, on=ValueError),
            budget=Budget(ratio=0.0, floor=0.0, burst=9),
        )
        assert policy.gate._circuit is not None
        policy.gate._circuit.settle(0, Outcome.FAILURE, now=0)
        flaky = Flaky(2)

        async def call(flaky: Flaky = flaky) -> int:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return flaky.call()

        async def strike(cut: Cut) -> bool:
            try:
                await cut
            except asyncio.CancelledError:
                return True
            return False

        if not asyncio.run(strike(Cut(policy.acall(call), at))):
            break
        struck += 1
        stats = policy.stats()

        assert (1, 1, 0, 0) == (stats.calls, stats.cancelled, stats.failed, stats.ok)
        assert 1 == asyncio.run(policy.acall(Flaky(0).acall))
    # Twice in each of three attempts, and once in each of the two pauses.
    assert 8 == struck


def test_a_hanging_coroutine_is_cancelled_at_each_attempt() -> None:
    """Each attempt ends at its limit, and the call says so when attempts run out."""
    policy = quick(attempt_timeout=0.02, deadline=30.0, retry=Retry(on=TimeoutError, base=0.001, cap=0.002))
    with pytest.raises(DeadlineExceeded) as caught:
        asyncio.run(policy.acall(asyncio.sleep, 10))

    assert (3, 3) == (caught.value.attempts, policy.stats().attempts)


def test_nested_calls_never_exceed_the_outer_deadline() -> None:
    """A nested policy with a longer deadline ends with the outer one, and sees what is left."""
    outer, inner = Policy("outer", deadline=0.3), Policy("inner", deadline=30.0)
    left: list[float | None] = []

    @inner
    async def fetch() -> None:
        left.append(remaining())
        await asyncio.sleep(10)

    @outer
    async def serve() -> None:
        await fetch()

    with pytest.raises(DeadlineExceeded):
        asyncio.run(serve())

    assert left[0] is not None
    assert 0 < left[0] <= 0.3
    assert remaining() is None


def test_a_function_gets_its_seconds_as_timeout() -> None:
    """The shorter of the caller's `timeout` and what is left reaches the function."""
    policy = Policy("p", deadline=1.0)

    def fetch(*, timeout: float) -> float:
        return timeout

    assert 0.5 == policy.call(fetch, timeout=0.5)
    assert 0.5 < policy.call(fetch, timeout=7.0) <= 1.0


def test_seconds_given_by_position_are_clipped_too() -> None:
    """A caller who passes `timeout` by its place in the call, of a function or a method, is not told that it is there twice."""

    class Client:
        def fetch(self, host: str, timeout: float = 9.0, *rest: str) -> tuple[str, float, tuple[str, ...]]:
            return host, timeout, rest

    policy = Policy("p", deadline=1.0)
    short = policy.call(Client().fetch, "a", 0.5, "b")
    _, long, rest = policy(Client().fetch)("a", 7.0, "b")
    _, default, _ = policy(Client.fetch)(Client(), "a")

    assert (("a", 0.5, ("b",)), ("b",)) == (short, rest)
    assert long <= 1.0
    assert default <= 1.0


def test_a_function_that_cannot_be_stopped_is_refused() -> None:
    """A `def` without `timeout` is refused at decoration, unless it promises to stop by itself; so is a generator."""
    policy = Policy("p", attempt_timeout=1.0)

    def plain() -> float | None:
        return remaining()

    def generator() -> Any:
        yield 1

    async def stream() -> Any:
        yield 1

    for unfit in (plain, generator, stream):
        with pytest.raises(InvalidConfig):
            policy(unfit)
        with pytest.raises(InvalidConfig):
            policy.keyed(lambda: "key")(unfit)
    left = policy.wrap(plain, cooperative=True)()

    assert left is not None
    assert left <= 1.0


def test_fallback_stands_in_for_what_failed_and_nothing_else() -> None:
    """Exhausted attempts and refusals get the fallback; errors that are not tried again pass."""
    policy = quick(fallback=lambda error: type(error).__name__, breaker=Breaker(min_calls=3))
    failing: Callable[[], Any] = Flaky(99).call
    results = [policy.call(failing), policy.call(failing)]
    with pytest.raises(ValueError, match="x"):
        quick(fallback=lambda _: None).call(int, "x")

    assert ["ConnectionError", "CircuitOpen"] == results


def test_keys_have_breakers_of_their_own_and_one_budget() -> None:
    """One key's failures leave the others alone, and the one not used for longest is forgotten."""
    policy = quick(breaker=Breaker(min_calls=1), retry=None)
    keyed = policy.keyed(lambda host, _: host, max_keys=2)

    @keyed
    def fetch(host: str, flaky: Flaky) -> int:
        return flaky.call()

    with pytest.raises(ConnectionError):
        fetch("a", Flaky(1))
    with pytest.raises(CircuitOpen):
        fetch("a", Flaky(0))
    others = [fetch("b", Flaky(0)), fetch("c", Flaky(0)), fetch("a", Flaky(0))]

    assert [1, 1, 1] == others
    assert keyed.policy("a").budget is keyed.policy("b").budget is policy.budget


def test_a_predicate_that_raises_loses_no_permit() -> None:
    """A bug in the user's predicate comes out, and the half-open place is free again."""

    def broken(_: BaseException) -> bool:
        raise ZeroDivisionError

    policy = Policy(
        "p", breaker=Breaker(min_calls=1, open_for=OPEN_SECONDS, on=ConnectionError), retry=Retry(on=broken)
    )
    while_open = policy.gate._circuit
    assert while_open is not None
    while_open.settle(0, Outcome.FAILURE, now=0)
    with pytest.raises(ZeroDivisionError):
        policy.call(Flaky(1).call)

    assert 1 == policy.call(Flaky(0).call)


def test_a_predicate_that_raises_leaves_no_place_waiting() -> None:
    """Where the attempt went is told that there is no verdict, so that a region on probation is not held for a lost probe."""

    class Noting:
        def __init__(self) -> None:
            self.seen: list[Outcome] = []

        def judge(self, _: Any) -> bool:
            return False

        def can_repeat(self, _: Any) -> bool:
            return True

        def is_elsewhere(self) -> bool:
            return False

        def settle(self, outcome: Outcome, _: int) -> None:
            self.seen.append(outcome)

    def broken(_: BaseException) -> bool:
        raise ZeroDivisionError

    errand, flaky = Noting(), Flaky(1)
    with pytest.raises(ZeroDivisionError):
        quick(retry=Retry(on=broken)).carry(lambda **_: flaky.call(), errand)

    assert [Outcome.IGNORED] == errand.seen


def test_the_budget_holds_for_many_threads() -> None:
    """In a total outage, however many threads fail at once, further attempts are a tenth of the calls and the burst."""
    policy = quick(budget=Budget(ratio=0.1, floor=0.0, burst=5), retry=Retry(on=ConnectionError, base=0.001, cap=0.001))

    def fail() -> None:
        for _ in range(50):
            with pytest.raises(ConnectionError):
                policy.call(Flaky(9).call)

    with ThreadPoolExecutor(20) as pool:
        for future in [pool.submit(fail) for _ in range(20)]:
            future.result()
    stats = policy.stats()

    assert (1000, 1000) == (stats.calls, stats.failed)
    assert stats.attempts <= 1000 + 100 + 5


def test_an_attempt_needs_its_with() -> None:
    """Asking for the next attempt before the last has ended is an error that says so."""
    attempts = Policy("p").attempts()
    next(attempts)
    with pytest.raises(RuntimeError, match="`with`"):
        next(attempts)


def test_types_and_names_are_kept() -> None:
    """A decorated function keeps its name, and a coroutine function stays one."""

    async def fetch(_: int) -> str:
        return "x"

    guarded: Callable[[int], Coroutine[Any, Any, str]] = Policy("p")(fetch)

    assert ("fetch", True) == (getattr(guarded, "__name__", ""), asyncio.iscoroutinefunction(guarded))
    assert issubclass(DeadlineExceeded, Rejected)
