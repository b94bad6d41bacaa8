"""The two loops that carry a resolution out: a blocking one, and one on asyncio. Neither decides anything."""

import asyncio
import contextlib
import selectors
from collections import deque
from collections.abc import Callable

from outlast.resolver.errand import Errand
from outlast.resolver.machine import step
from outlast.resolver.messages import Ask, AskSentinel, Event, Finish, Started, Verdict, Verify, Wake, Woken
from outlast.resolver.question import Question
from outlast.resolver.state import State

Effect = Ask | AskSentinel | Verify
Open = Callable[[Question, Effect], tuple[Errand, ...]]
"""Makes the conversations that an effect asks for."""


def drive(question: Question, open_errands: Open, now: Callable[[], int]) -> Verdict:
    """Carry a resolution out in this thread, blocking it until the verdict.

    Args:
        question: What is asked.
        open_errands: Makes conversations.
        now: A clock in nanoseconds that does not go back.

    """
    began, state, due = now(), State(question), 0
    events: deque[Event] = deque([Started()])
    errands: set[Errand] = set()

    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        stack.callback(_close_all, errands)

        def advance(errand: Errand) -> None:
            event = errand.advance(now() - began)
            if event is not None:
                errands.discard(errand)
                events.append(event)
            elif errand.wait is not None:
                mask = selectors.EVENT_WRITE if errand.wait.is_writing else selectors.EVENT_READ
                selector.register(errand.wait.on, mask, errand)

        while True:
            while events:
                state, effects = step(state, events.popleft())
                for effect in effects:
                    match effect:
                        case Finish(verdict):
                            return verdict
                        case Wake(after):
                            due = now() - began + after
                        case _:
                            opened = open_errands(question, effect)
                            errands.update(opened)
                            for errand in opened:
                                advance(errand)
            ready = selector.select(max(0, due - (now() - began)) / 1e9)
            for key, _ in ready:
                selector.unregister(key.fileobj)
                advance(key.data)
            if not ready and now() - began >= due:
                events.append(Woken(now() - began))


def _close_all(errands: set[Errand]) -> None:
    for errand in errands:
        errand.close()


async def adrive(question: Question, open_errands: Open, now: Callable[[], int]) -> Verdict:
    """Carry a resolution out on the running loop, which must be able to watch sockets."""
    loop = asyncio.get_running_loop()
    began, state = now(), State(question)
    events: asyncio.Queue[Event] = asyncio.Queue()
    errands: set[Errand] = set()
    timer: asyncio.TimerHandle | None = None

    def advance(errand: Errand) -> None:
        if errand.wait is not None:
            (loop.remove_writer if errand.wait.is_writing else loop.remove_reader)(errand.wait.on)
        event = errand.advance(now() - began)
        if event is not None:
            errands.discard(errand)
            events.put_nowait(event)
        elif errand.wait is not None:
            (loop.add_writer if errand.wait.is_writing else loop.add_reader)(errand.wait.on, advance, errand)

    events.put_nowait(Started())
    try:
        while True:
            state, effects = step(state, await events.get())
            for effect in effects:
                match effect:
                    case Finish(verdict):
                        return verdict
                    case Wake(after):
                        if timer is not None:
                            timer.cancel()
                        timer = loop.call_later(after / 1e9, lambda: events.put_nowait(Woken(now() - began)))
                    case _:
                        opened = open_errands(question, effect)
                        errands.update(opened)
                        for errand in opened:
                            advance(errand)
    finally:
        if timer is not None:
            timer.cancel()
        for errand in errands:
            if errand.wait is not None:
                (loop.remove_writer if errand.wait.is_writing else loop.remove_reader)(errand.wait.on)
            errand.close()
