"""The queue as its users have it: put, park, drain, by threads and by tasks."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from patience import await_for, wait_for

from outlast.data.desk import DrainOptions
from outlast.data.queue import BODY_LIMIT, Queue
from outlast.data.ramp import RampOptions
from outlast.data.records import Delivered, Message, Parked
from outlast.data.refusal import QueueFull
from outlast.errors import InvalidConfig, Unavailable

FAST = DrainOptions(ramp=RampOptions(start=200, ceiling=1000))


class Shop:
    """Takes orders while it is open."""

    def __init__(self) -> None:
        self.is_open = False
        self.orders: list[str] = []

    def place(self, order: str) -> str:
        if not self.is_open:
            raise Unavailable("the shop is closed")
        self.orders.append(order)
        return f"ok {order}"

    async def aplace(self, order: str) -> str:
        await asyncio.sleep(0)
        return self.place(order)


def test_a_call_is_delivered_or_parked_and_drained(tmp_path: Path) -> None:
    """A call that cannot go through is parked, made again when it can, and others go straight through."""
    shop = Shop()
    with Queue(tmp_path / "spool", draining=FAST) as queue:
        place = queue.deliver(park_on=Unavailable)(shop.place)
        parked = place("1")
        shop.is_open = True
        delivered = place("2")
        wait_for(lambda: queue.stats().drained == 1)

    assert isinstance(parked, Parked)
    assert ("fsync", False) == (parked.durable, parked.duplicate)
    assert Delivered("ok 2") == delivered
    assert ["2", "1"] == shop.orders


def test_an_async_call_is_delivered_or_parked_and_drained(tmp_path: Path) -> None:
    """The same with `async def`."""
    shop = Shop()

    async def run() -> tuple[object, object]:
        async with Queue(tmp_path / "spool", draining=FAST) as queue:
            place = queue.deliver(park_on=Unavailable)(shop.aplace)
            parked = await place("1")
            shop.is_open = True
            delivered = await place("2")
            await await_for(lambda: len(shop.orders) == 2)
            await await_for(lambda: queue.stats().drained == 1)
        return parked, delivered

    parked, delivered = asyncio.run(run())

    assert isinstance(parked, Parked)
    assert Delivered("ok 2") == delivered


def test_parked_calls_outlive_the_process(tmp_path: Path) -> None:
    """A call parked by one opening is made by the next, whose function was registered before it was opened."""
    shop = Shop()
    for is_open in (False, True):
        shop.is_open = is_open
        queue = Queue(tmp_path / "spool", draining=FAST)
        place = queue.deliver(park_on=Unavailable, name="place")(shop.place)
        with queue:
            if is_open:
                wait_for(lambda queue=queue: queue.stats().depth == 0)  # type: ignore[misc]  # bound for the loop
            else:
                place("1")

    assert ["1"] == shop.orders


def test_a_function_that_comes_late_gets_its_calls(tmp_path: Path) -> None:
    """Calls wait for a function that is not registered yet, and are made as soon as it is, however long they waited."""
    shop = Shop()
    with Queue(tmp_path / "spool", draining=FAST) as queue:
        queue.deliver(park_on=Unavailable, name="late")(shop.place)("1")
    shop.is_open = True
    with Queue(tmp_path / "spool", draining=FAST) as queue:
        queue.deliver(park_on=Unavailable, name="other")(len)
        wait_for(lambda: "late" in queue.stats().last_failure)
        queue.deliver(park_on=Unavailable, name="late")(shop.place)
        wait_for(lambda: queue.stats().drained == 1)

    assert ["1"] == shop.orders


def test_calls_of_one_key_keep_their_order(tmp_path: Path) -> None:
    """While a call of a key is parked, later ones park behind it untried."""
    shop = Shop()
    gate = threading.Event()
    draining = DrainOptions(ramp=RampOptions(start=200, ceiling=1000), gate=gate.is_set)
    with Queue(tmp_path / "spool", draining=draining) as queue:
        place = queue.deliver(park_on=Unavailable, key=lambda order: order[0])(shop.place)
        place("a1")
        shop.is_open = True
        results = [type(place(order)) for order in ("a2", "b1", "a3")]
        gate.set()
        wait_for(lambda: queue.stats().depth == 0)

    assert [Parked, Delivered, Parked] == results
    assert ["b1", "a1", "a2", "a3"] == shop.orders


def test_another_error_comes_out_unchanged(tmp_path: Path) -> None:
    """What `park_on` does not name is the caller's; so are arguments that could not be parked, before anything is tried."""
    shop = Shop()
    error = KeyError("own")

    def fail(order: object) -> None:
        shop.orders.append(str(order))
        raise error

    with Queue(tmp_path / "spool") as queue:
        call = queue.deliver(park_on=Unavailable)(fail)
        with pytest.raises(KeyError) as caught:
            call("1")
        with pytest.raises(TypeError, match="must be JSON"):
            call((1, 2))
        depth = queue.stats().depth

    assert (error, 0, ["1"]) == (caught.value, depth, shop.orders)


def test_a_gate_holds_the_drain(tmp_path: Path) -> None:
    """Nothing is delivered while the gate answers false or fails; everything once it opens."""
    answers: list[bool] = []
    seen: list[bytes] = []

    def gate() -> bool:
        if not answers:
            raise RuntimeError("cannot tell")
        return answers[-1]

    with Queue(tmp_path / "spool") as queue:
        queue.put(b"1")
        queue.drain(lambda message: seen.append(message.body), gate=gate, ramp=(100, 2, 100), concurrency=1)
        time.sleep(0.15)
        before = list(seen)
        answers.append(False)
        time.sleep(0.15)
        before += seen
        answers.append(True)
        wait_for(lambda: queue.stats().drained == 1)

    assert ([], [b"1"]) == (before, seen)


def test_an_outage_makes_no_dead_letters_and_a_bad_message_does(tmp_path: Path) -> None:
    """What is refused for its own sake is given up after its attempts; what could not be delivered waits."""
    tries: list[bytes] = []

    def handle(message: Message) -> None:
        tries.append(message.body)
        raise Unavailable("down") if message.body == b"good" else ValueError("bad")

    with Queue(tmp_path / "spool", max_attempts=2) as queue:
        queue.put(b"good")
        queue.put(b"bad")
        queue.drain(handle, ramp=(100, 1, 100))
        wait_for(lambda: tries.count(b"good") >= 3)
        wait_for(lambda: queue.stats().dead == 1)
        (letter,) = queue.dead()
        depth = queue.stats().depth

    assert (b"bad", "ValueError('bad')", 1) == (letter.body, letter.reason, depth)


def test_the_drain_keeps_to_its_ramp(tmp_path: Path) -> None:
    """In no second are more messages delivered than the ceiling allows, give or take one."""
    at: list[float] = []
    with Queue(tmp_path / "spool", reserve_bytes=0) as queue:
        for _ in range(60):
            queue.put(b"x")
        queue.drain(lambda _: at.append(time.monotonic()), ramp=(40, 1, 40), concurrency=4)
        wait_for(lambda: queue.stats().depth == 0)
    busiest = max(sum(begin <= instant < begin + 1 for instant in at) for begin in at)

    assert busiest <= 44


def test_what_is_broken_off_is_delivered_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is still at it when the queue closes is cancelled; its message is kept and its attempt not counted."""
    monkeypatch.setattr("outlast.data.drain.STOP_SECONDS", 0.05)
    begun: list[int] = []

    async def handle(message: Message) -> None:
        begun.append(message.attempts)
        await asyncio.Event().wait()

    async def run() -> None:
        async with Queue(tmp_path / "spool") as queue:
            await queue.aput(b"1")
            queue.drain(handle, concurrency=1)
            await await_for(lambda: len(begun) == 1)

    asyncio.run(run())
    with Queue(tmp_path / "spool") as queue:
        (message,) = queue.lease()

    assert (b"1", 1) == (message.body, message.attempts)


def test_concurrent_puts_share_a_commit(tmp_path: Path) -> None:
    """Thirty-two producers at once are all acknowledged, each message once."""
    with Queue(tmp_path / "spool") as queue:

        def produce(name: int) -> None:
            for n in range(10):
                queue.put(f"{name}-{n}".encode())

        threads = [threading.Thread(target=produce, args=(name,)) for name in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bodies = {message.body for message in queue.lease(1000)}

    assert 320 == len(bodies)


def test_a_cancelled_put_harms_nobody(tmp_path: Path) -> None:
    """Cancellation leaves the queue working; the message may be there or not."""

    async def run() -> int:
        async with Queue(tmp_path / "spool") as queue:
            puts = [asyncio.create_task(queue.aput(b"x")) for _ in range(50)]
            await asyncio.sleep(0)
            for task in puts[::2]:
                task.cancel()
            await asyncio.gather(*puts, return_exceptions=True)
            await queue.aput(b"last")
            return queue.stats().depth

    assert 26 <= asyncio.run(run()) <= 51


def test_the_bound_refuses_and_names_itself(tmp_path: Path) -> None:
    """A full queue says how full, what bounds it and what helps; what it holds stays."""
    with Queue(tmp_path / "spool", max_bytes=1000) as queue:
        queue.put(b"x" * 700)
        with pytest.raises(QueueFull, match=r"holds 956 of max_bytes = 1,000 bytes .* needs 356 .*let it drain"):
            queue.put(b"x" * 100)
        depth = queue.stats().depth

    assert 1 == depth


def test_odd_arguments_are_refused(tmp_path: Path) -> None:
    """Just inside the limits is kept, just outside is a `ValueError`."""
    with Queue(tmp_path / "spool") as queue:
        queue.put(b"x" * BODY_LIMIT)
        with pytest.raises(ValueError, match="over the limit"):
            queue.put(b"x" * (BODY_LIMIT + 1))
        for expires in (0.0, -1.0, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="expires"):
                queue.put(b"x", expires=expires)
        with pytest.raises(ValueError, match="a name"):
            queue.put(b"x", key="")
        with pytest.raises(ValueError, match="surrogates"):
            queue.put(b"x", dedup="\ud800")


def test_odd_times_are_refused(tmp_path: Path) -> None:
    """A delay or lease below 0, without end or no number is a `ValueError`; the message stays in hand and is not lost."""
    with Queue(tmp_path / "spool") as queue:
        queue.put(b"")
        (message,) = queue.lease()
        for odd in (-1e9, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="delay"):
                queue.nack(message.receipt, delay=odd)
            with pytest.raises(ValueError, match="seconds"):
                queue.lease(seconds=odd)
        for limit in (0, -1, 1001):
            with pytest.raises(ValueError, match="limit"):
                queue.dead(limit)
        queue.nack(message.receipt)
        (again,) = queue.lease()

    assert b"" == again.body


def test_odd_options_are_refused(tmp_path: Path) -> None:
    """Options out of range are refused on construction, before any file is made."""
    with pytest.raises(InvalidConfig):
        Queue(tmp_path / "spool", max_bytes=0)
    with pytest.raises(InvalidConfig):
        DrainOptions(concurrency=0, lease_seconds=0)

    assert [] == list(tmp_path.iterdir())


def test_a_closed_queue_says_so(tmp_path: Path) -> None:
    """A call outside `with` goes straight through; parking it is refused with what to do."""
    shop = Shop()
    queue = Queue(tmp_path / "spool")
    place = queue.deliver(park_on=Unavailable)(shop.place)
    with pytest.raises(Unavailable, match=r"is closed .open it with"):
        place("1")
    shop.is_open = True

    assert Delivered("ok 2") == place("2")


def test_async_functions_need_a_loop(tmp_path: Path) -> None:
    """An `async def` in a queue opened with plain `with` is refused at once, in either order."""
    shop = Shop()
    with Queue(tmp_path / "one") as queue, pytest.raises(ValueError, match="async with"):
        queue.deliver(park_on=Unavailable)(shop.aplace)
    late = Queue(tmp_path / "two")
    late.deliver(park_on=Unavailable)(shop.aplace)
    with pytest.raises(ValueError, match="async with"), late:
        pass


def test_the_files_are_private(tmp_path: Path) -> None:
    """Whatever stands beside the spool is readable by its owner only."""
    with Queue(tmp_path / "spool") as queue:
        queue.put(b"x")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    assert {f"spool{suffix}": 0o600 for suffix in ("", "-wal", ".lock", ".reserve")} == modes
