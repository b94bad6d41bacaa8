"""Many who ask at once share a round, and nobody's going, failing or number harms another."""

import asyncio
import gc
import weakref
from collections.abc import Sequence

import pytest

from outlast.rounds import Asked, Rounds


def test_who_is_cancelled_disturbs_nobody() -> None:
    """One of a round stops waiting, and one before theirs began: the others of both rounds are answered."""
    served: list[list[str]] = []

    async def act() -> list[object]:
        going, may_end = asyncio.Event(), asyncio.Event()

        async def serve(asked: Sequence[Asked[str, str]]) -> None:
            served.append([one.item for one in asked])
            if len(served) == 2:
                going.set()
                await may_end.wait()
            for one in asked:
                one.answer(f"answer to {one.item}")

        rounds: Rounds[str, str] = Rounds(serve, most=2)
        first = await rounds.ask("first")
        gone, other, never, later = (
            asyncio.create_task(rounds.ask(item)) for item in ("gone", "other", "never", "later")
        )
        await going.wait()
        gone.cancel()
        never.cancel()
        await asyncio.sleep(0)
        may_end.set()
        return [first, *await asyncio.gather(other, later), gone.cancelled(), never.cancelled()]

    assert ["answer to first", "answer to other", "answer to later", True, True] == asyncio.run(act())
    assert [["first"], ["gone", "other"], ["later"]] == served


@pytest.mark.parametrize(("most", "sizes"), [(1, [1] * 10), (3, [3, 3, 3, 1]), (None, [10])])
def test_a_round_has_its_limit(most: int | None, sizes: list[int]) -> None:
    """No round holds more than it may, everybody has their own answer, and all that wait go at once without a limit."""
    served: list[int] = []

    async def serve(asked: Sequence[Asked[int, int]]) -> None:
        served.append(len(asked))
        await asyncio.sleep(0)
        for one in asked:
            one.answer(one.item**2)

    async def act() -> list[int]:
        rounds: Rounds[int, int] = Rounds(serve, most=most)
        return list(await asyncio.gather(*(rounds.ask(number) for number in range(10))))

    assert ([number**2 for number in range(10)], sizes) == (asyncio.run(act()), served)


def test_what_goes_wrong_is_told_to_those_who_have_no_answer() -> None:
    """The fault of a round is raised to whom it has not answered, and the next round is served."""

    async def serve(asked: Sequence[Asked[str, str]]) -> None:
        asked[0].answer("well")
        asked[0].answer("the first answer counts")
        if len(asked) > 1:
            asked[1].fail(KeyError("mine alone"))
            raise ValueError("all the others")

    async def act() -> list[object]:
        rounds: Rounds[str, str] = Rounds(serve)
        found = await asyncio.gather(*(rounds.ask(item) for item in "abc"), return_exceptions=True)
        return [*found, await rounds.ask("d"), repr(rounds)]

    well, mine, others, after, shown = asyncio.run(act())

    assert ("well", "well", "<rounds: 0 waiting>") == (well, after, shown)
    assert (KeyError, ValueError) == (type(mine), type(others))


def test_each_loop_has_its_own_rounds() -> None:
    """What waited in a loop that ended is nothing to the next one."""

    async def serve(asked: Sequence[Asked[str, str]]) -> None:
        if asked[0].item == "never":
            await asyncio.sleep(3600)
        for one in asked:
            one.answer(one.item)

    rounds: Rounds[str, str] = Rounds(serve)

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rounds.ask("never"), 0.01)

    async def come() -> str:
        return await rounds.ask("come")

    asyncio.run(leave())

    assert "come" == asyncio.run(come())


def test_a_round_that_is_cut_off_leaves_nobody_waiting() -> None:
    """Whoever waits for the next round is told as well, and a later one is served."""

    async def act() -> tuple[bool, bool, str]:
        going = asyncio.Event()

        async def serve(asked: Sequence[Asked[str, str]]) -> None:
            going.set()
            if asked[0].item != "later":
                await asyncio.Event().wait()
            for one in asked:
                one.answer(one.item)

        rounds: Rounds[str, str] = Rounds(serve)
        first = asyncio.create_task(rounds.ask("first"))
        await going.wait()
        waiting = asyncio.create_task(rounds.ask("waiting"))
        await asyncio.sleep(0)
        (serving,) = asyncio.all_tasks() - {asyncio.current_task(), first, waiting}
        serving.cancel()
        await asyncio.wait({first, waiting}, timeout=5)
        return first.cancelled(), waiting.cancelled(), await rounds.ask("later")

    assert (True, True, "later") == asyncio.run(act())


def test_a_loop_that_has_ended_is_let_go() -> None:
    """Whoever runs one loop after another keeps none of them."""

    async def serve(asked: Sequence[Asked[str, str]]) -> None:
        for one in asked:
            one.answer(one.item)

    rounds: Rounds[str, str] = Rounds(serve)
    loops = weakref.WeakSet[asyncio.AbstractEventLoop]()

    async def act() -> str:
        loops.add(asyncio.get_running_loop())
        return await rounds.ask("quick")

    for _ in range(5):
        asyncio.run(act())
    gc.collect()

    assert 0 == len(loops)
