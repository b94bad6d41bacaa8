"""One document in a store, read and changed by many at once: optimistic, bounded in time, and batched.

Theory of operation. A round reads the document (conditionally: an unchanged one is not sent again), applies every
change that waits to a copy, and swaps the copy in. If somebody else was faster it reads again and applies the changes
anew to what is there now, until the time is over. Whoever comes while a round is under way waits for the next one, so
a read always sees what was there after it was asked for, and many callers of one process cost one swap (`rounds`): without that,
eight endpoints enacted at once would race one another for the document as hard as they race other machines.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from outlast.errors import OutlastError, Unavailable
from outlast.registry.store import Store
from outlast.rounds import Asked, Rounds
from outlast.traffic.ports import Jitter

Value = TypeVar("Value")
Result = TypeVar("Result")

PAUSE_SECONDS = (0.005, 0.2)
"""The longest pause after the first lost race, and after any; it doubles in between, and chance takes a part of it."""


class Form(NamedTuple, Generic[Value]):
    """How a value is written: `empty` for a document that is not there yet; `copy` before it is changed."""

    empty: Callable[[], Value]
    copy: Callable[[Value], Value]
    decode: Callable[[bytes], Value]
    encode: Callable[[Value], bytes]


class _Wish(NamedTuple):
    change: Callable[[Any], Any]
    is_reader: bool


_Waiting = Asked[_Wish, Any]


class Document(Generic[Value]):
    """A document of the store under `name`.

    Args:
        store: Where it lives.
        name: Its name there.
        form: How its value is written.
        timeout: Seconds for one round, and for the wait until one begins.
        chance: A number from 0 up to 1, that keeps those who lost a race apart.

    """

    def __init__(
        self, store: Store, name: str, form: Form[Value], *, timeout: float, chance: Jitter = random.random
    ) -> None:
        self._store = store
        self._name = name
        self._form = form
        self._timeout = timeout
        self._chance = chance
        self._version = ""
        self._value = form.empty()
        self._rounds: Rounds[_Wish, Any] = Rounds(self._served)

    def __repr__(self) -> str:
        return f"<document {self._name} of {self._store}: {self._rounds}>"

    async def load(self) -> Value:
        """The value now. It must not be changed.

        Raises:
            Unavailable: The store cannot be used, or what it holds is damaged.

        """
        return await self._wait(lambda value: value, is_reader=True)

    async def update(self, change: Callable[[Value], Result]) -> Result:
        """Let `change` work on a copy of the value and store that; what it returns or raises is the answer.

        It may be called several times, each time on what is there then. If it leaves the value as it was, nothing is
        written.

        Raises:
            Unavailable: As `load`; then the change may have been stored all the same.

        """
        return await self._wait(change, is_reader=False)

    async def _wait(self, change: Callable[[Value], Result], *, is_reader: bool) -> Result:
        try:
            async with asyncio.timeout(2 * self._timeout):  # the round under way, and one's own
                answer: Result = await self._rounds.ask(_Wish(change, is_reader))
                return answer
        except TimeoutError as error:
            raise silent(self._store, self._timeout) from error

    async def _served(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._round(batch)
        except TimeoutError as error:
            raise silent(self._store, self._timeout) from error

    async def _round(self, batch: Sequence[_Waiting]) -> None:
        pause, longest = PAUSE_SECONDS
        while True:
            await self._read()
            for asked in batch:
                if asked.item.is_reader:
                    asked.answer(self._value)
            changes = [asked for asked in batch if not asked.is_answered]
            if not changes or await self._swap(changes):
                return
            await asyncio.sleep(self._chance() * pause)
            pause = min(2 * pause, longest)

    async def _read(self) -> None:
        found = await self._store.read(self._name, known=self._version)
        if found.version == self._version:
            return
        self._value = await asyncio.to_thread(self._form.decode, found.data) if found.version else self._form.empty()
        self._version = found.version

    async def _swap(self, changes: Sequence[_Waiting]) -> bool:
        copy = self._form.copy(self._value)
        answers = [(asked, *_tried(asked.item, copy)) for asked in changes]
        if copy != self._value:
            data = await asyncio.to_thread(self._form.encode, copy)
            if not await self._store.swap(self._name, data, seen=self._version):
                return False
        for asked, answer, error in answers:
            if error is None:
                asked.answer(answer)
            else:
                asked.fail(error)
        return True


def silent(store: Store, timeout: float) -> Unavailable:
    """The error for a store that did not answer in time."""
    return Unavailable(
        f"registry {store}: no answer within {timeout:g} s",
        hint="see whether it runs, can be reached from here, and is not overloaded; or raise timeout",
    )


def _tried(wish: _Wish, value: object) -> tuple[object, OutlastError | None]:
    try:
        return wish.change(value), None
    except OutlastError as error:
        return None, error
