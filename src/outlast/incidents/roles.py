"""Runs a hazard role: its machine, its driver and its trace, tick after tick."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from outlast.clock import Clock
from outlast.incidents.driver import EnactorDriver, PlannerDriver
from outlast.incidents.enactor import Enactor, State
from outlast.incidents.options import EnactorOptions, PlannerOptions
from outlast.incidents.planner import Planner, PlannerState
from outlast.incidents.protocol import Tick
from outlast.incidents.trace import CarryOut
from outlast.loop import drive

# Puts something around a driver's carry-out step: a trace, and in the drill also holds.
Wrap = Callable[[CarryOut[Any, Any]], CarryOut[Any, Any]]


async def run_enactor(options: EnactorOptions, clock: Clock, *, wrap: Wrap, once: bool = False) -> None:
    """Walk at every tick until cancelled, or one time if `once`."""
    machine = Enactor(keep=options.keep, backoff=options.backoff, backoff_max=options.backoff_max)
    carry_out = wrap(EnactorDriver(options, clock).carry_out)
    state = State()
    while True:
        state = await drive(machine.step, state, Tick(), carry_out)
        if once:
            return
        await asyncio.sleep(options.every)


async def run_planner(options: PlannerOptions, *, wrap: Wrap, once: bool = False) -> None:
    """Publish at every tick until cancelled, or up to the ceiling if `once`."""
    driver = PlannerDriver(options)
    carry_out = wrap(driver.carry_out)
    state = PlannerState(coming=driver.coming())
    walk = partial(drive, Planner().step, event=Tick(), carry_out=carry_out)
    while True:
        before = state
        state = await walk(state)
        if once and state == before:
            return
        await asyncio.sleep(options.every)
