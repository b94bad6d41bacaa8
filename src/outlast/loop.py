"""The effect loop: carries out what a step machine asks for, and feeds it what became of it.

A machine decides without doing (`step(state, event) -> (state, effects)`); this loop does without deciding. It is the
asyncio loop; the explorer and the simulator have their own and drive the same machines.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

State = TypeVar("State")
Event = TypeVar("Event")
Effect = TypeVar("Effect")


async def drive(
    step: Callable[[State, Event], tuple[State, tuple[Effect, ...]]],
    state: State,
    event: Event,
    carry_out: Callable[[Effect], Awaitable[Event | None]],
) -> State:
    """Feed `event` to the machine and go on until nothing it asked for is answered; return the last state.

    Args:
        step: The machine's transition function.
        state: Where the machine starts.
        event: The first event.
        carry_out: Does one effect and returns the event that answers it, or `None` for an effect without an answer (a
            note, an alarm). At most one effect of a step has an answer: one external effect per step is what makes an
            interleaving mean something.

    """
    pending: Event | None = event
    while pending is not None:
        state, effects = step(state, pending)
        pending = None
        for effect in effects:
            answer = await carry_out(effect)
            assert answer is None or pending is None, f"two effects of one step were answered: {effects!r}"
            pending = answer if answer is not None else pending
    return state
