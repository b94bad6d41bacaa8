"""What freeze, thaw, retire, adopt, break-glass and plan rollback share: one machine for each endpoint at each provider, and what is printed of it."""

import asyncio
import getpass
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import typer

from outlast.cli.audit import unchanged, write_down
from outlast.cli.names import unknown_endpoints
from outlast.cli.output import printable, put, put_json
from outlast.cli.stdout import after_applying
from outlast.config import wire
from outlast.config.hand_turns import Pace, hand_turns
from outlast.config.overview import unlisted
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, OutlastError, Unavailable
from outlast.loop import drive
from outlast.system_clock import SystemClock
from outlast.traffic.content import describe
from outlast.traffic.driver import Driver
from outlast.traffic.hold import step
from outlast.traffic.hold_state import Command, HoldState, Phase
from outlast.traffic.messages import Event, Tick
from outlast.traffic.plan import sets_to_json
from outlast.traffic.ports import Live, Place, Provider, Registry, Transaction

CONCURRENT = 16
"""Endpoints worked on at once; an unreachable provider costs its timeout, and an operator in a hurry has many of them."""

UNREACHED = {
    Command.FREEZE: "NOT FROZEN",
    Command.THAW: "NOT THAWED",
    Command.RETIRE: "NOT RETIRED",
    Command.ADOPT: "NOT ADOPTED",
    Command.BREAK_GLASS: "NOT WRITTEN",
    Command.ROLLBACK: "NOT WRITTEN",
}


class Others(NamedTuple):
    """The places that are ours by the registry and not in the file; `unread` is why that could not be asked."""

    places: tuple[Place, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A person's hand: what it may reach, whether it really writes, and why."""

    registry: Registry | None
    providers: Mapping[str, Provider]
    apply: bool
    reason: str = ""
    what: str = ""
    """What the audit log calls it; by default the command's name."""
    pace: Pace = field(default_factory=Pace)
    """How long enactors at weak providers may take to give way."""
    others: Others = field(default_factory=Others)
    """What of it is not in the file; if that was asked for and is not known, not all is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line of `freeze`, `thaw`, `retire` and `adopt` says."""

    names: list[str]
    everything: bool
    apply: bool
    reason: str
    as_json: bool
    config: Path


def user() -> str:
    """Who runs this command."""
    try:
        return re.sub("[^A-Za-z0-9._-]", "-", getpass.getuser())
    except (OSError, KeyError, ImportError):  # no such variable and no entry for this user id
        return "operator"


def operator(command: Command) -> str:
    """Name the writer that stands in the sentinel: the command and who ran it."""
    return f"{command}/{user()}"[:48]


def chosen(settings: Settings, names: list[str], *, everything: bool, others: Others = Others()) -> tuple[Place, ...]:
    """The places that the command line names, of those in the file and of the others.

    Raises:
        InvalidConfig: A name is unknown, or neither a name nor `--all` was given.
        Unavailable: A name is not in the file, and the registry, which might know it, was not read.

    """
    if bool(names) == everything:
        raise InvalidConfig(("name the endpoints, or say --all",), hint="outlast status lists them")
    wanted = {name.lower().rstrip(".") for name in names}
    ours = {place.endpoint for place in others.places}
    unknown = sorted(name for name in wanted - ours if settings.topology.endpoint(name) is None)
    if unknown and others.unread:
        what = f"{', '.join(unknown)} is not in {settings.path}, and the registry was not reached"
        raise Unavailable(f"{what}: {others.unread}", hint="it alone knows what is ours and not in the file")
    if unknown:
        raise unknown_endpoints(settings, unknown)
    return tuple(place for place in (*wire.places(settings), *others.places) if everything or place.endpoint in wanted)


def hold(command: Command, wanted: Wanted) -> None:
    """Freeze, thaw, retire or adopt what the command line names."""
    settings = load(wanted.config)
    registry = wire.registry(settings, is_reader=not wanted.apply)
    others = _others(settings, registry, wanted)
    places = chosen(settings, wanted.names, everything=wanted.everything, others=others)
    me = operator(command)
    states = tuple(HoldState(command, me, settings.realm, place.provider, place.endpoint) for place in places)
    hand = Hand(
        registry=registry,
        providers=wire.providers(settings),
        apply=wanted.apply,
        reason=wanted.reason,
        pace=pace_of(settings),
        others=others,
    )
    carry_out(states, hand, as_json=wanted.as_json)


def _others(settings: Settings, registry: Registry, wanted: Wanted) -> Others:
    # For names that are all in the file the registry is not asked: a hand in a hurry must not wait for one that is down.
    are_listed = all(settings.topology.endpoint(name.lower().rstrip(".")) is not None for name in wanted.names)
    if are_listed and not wanted.everything:
        return Others()
    try:
        wire.check_registry(settings)
    except Unavailable:
        return Others()  # where nothing was ever written, nothing is ours
    try:
        return Others(asyncio.run(unlisted(settings, registry)))
    except OutlastError as error:
        return Others(unread=str(error))


def pace_of(settings: Settings) -> Pace:
    """How long enactors of this configuration may take to give way."""
    timeouts = tuple(provider.timeout for provider in settings.providers)
    return Pace.of(interval=settings.enactor.interval, timeouts=timeouts)


def carry_out(states: tuple[HoldState, ...], hand: Hand, *, as_json: bool) -> None:
    """Drive every machine to its end, print what became of it, and leave with status 1 unless all went well."""
    ended: Ended = {}
    try:
        ends, unguarded = asyncio.run(drive_all(states, hand, ended))
    except KeyboardInterrupt:
        if hand.apply:
            _tell_interrupted(states, ended)
        raise
    with after_applying(is_applied=hand.apply):
        if as_json:
            put_json(to_json(ends, hand, unguarded))
        else:
            _print(ends, hand, unguarded)
    raise typer.Exit(0 if _is_done(ends, hand) else 1)


def _is_done(ends: tuple[HoldState, ...], hand: Hand) -> bool:
    return not hand.others.unread and all(end.phase is Phase.DONE for end in ends)


Unguarded = Mapping[str, str]
"""Providers at which nothing kept enactors from writing at the same time, and why."""


Ended = dict[HoldState, HoldState]
"""By where each machine began, how it ended: what is known of all of them if somebody interrupts."""


async def drive_all(
    states: tuple[HoldState, ...], hand: Hand, ended: Ended | None = None
) -> tuple[tuple[HoldState, ...], Unguarded]:
    """Drive every machine to its end, in the hand's turn where a provider cannot compare and swap.

    Each is written down, and put into `ended`, as soon as it has ended: others may take long.
    """
    ended = {} if ended is None else ended
    if not hand.apply:
        await _drive(states, hand, ended)
        return tuple(ended[state] for state in states), {}
    concerned = {name: it for name, it in hand.providers.items() if any(name == state.provider for state in states)}
    me = states[0].me if states else user()
    async with hand_turns(me, concerned, hand.registry, hand.pace, _wait_told) as (turns, refused):
        going = tuple(state for state in states if state.provider not in refused)
        for state in states:
            if state.provider in refused:
                ended[state] = _stopped(state, refused)
                await _write_down(ended[state], hand)
        await _drive(going, hand, ended)
    return tuple(ended[state] for state in states), {
        name: turn.unguarded for name, turn in turns.items() if turn.unguarded
    }


def _deed(end: HoldState) -> str:
    if end.phase is not Phase.DONE:
        return f"{end.phase}: {end.why}"
    return end.why if end.intent is not None else unchanged(end.why)


def _stopped(state: HoldState, refused: Mapping[str, str]) -> HoldState:
    return state._replace(phase=Phase.REFUSED, why=refused[state.provider])


def _wait_told(words: str) -> None:
    sys.stderr.write(f"outlast: {words}\n")


async def _drive(states: tuple[HoldState, ...], hand: Hand, ended: Ended) -> None:
    driver = Driver(registry=hand.registry, providers=hand.providers, clock=SystemClock(), listen=lambda _: None)
    room = asyncio.Semaphore(CONCURRENT)

    async def one(state: HoldState) -> None:
        async with room:
            begin: Event = Tick()
            ended[state] = await drive(step, state._replace(decide_only=not hand.apply), begin, driver.carry_out)
            if hand.apply:
                await _write_down(ended[state], hand)

    await asyncio.gather(*map(one, states))


async def _write_down(end: HoldState, hand: Hand) -> None:
    what, subject = hand.what or str(end.command), f"{end.endpoint}@{end.provider}"
    await write_down(hand.registry, by=end.me, what=what, subject=subject, why=hand.reason, outcome=_deed(end))


def _tell_interrupted(states: tuple[HoldState, ...], ended: Ended) -> None:
    sys.stderr.write("outlast: interrupted: what was done stands all the same\n")
    for state in states:
        end = ended.get(state)
        words = _deed(end) if end is not None else "under way, perhaps done: outlast status tells"
        sys.stderr.write(printable(f"  {state.endpoint} at {state.provider}: {words}") + "\n")


def read_with(provider: Provider, endpoint: str) -> Live:
    """Read one endpoint once.

    Raises:
        Unavailable: The provider did not answer.

    """
    return asyncio.run(_awaited(lambda: provider.read(endpoint)))


async def _awaited(ask: Callable[[], Awaitable[Live]]) -> Live:
    return await ask()


# ------------------------------------------------------------------------------------------------------ what is said


def to_json(ends: tuple[HoldState, ...], hand: Hand, unguarded: Unguarded) -> dict[str, Any]:
    """The output contract of `--json`: one object for each endpoint at each provider, `there` and `writes` with it."""
    others = frozenset(hand.others.places)
    return {
        "command": str(ends[0].command) if ends else "",
        "applied": hand.apply,
        "reason": hand.reason,
        "ok": _is_done(ends, hand),
        "others_unread": hand.others.unread,
        "unguarded": dict(unguarded),
        "places": [{**_place_to_json(end, hand), "unlisted": _place(end) in others} for end in ends],
    }


def _place(end: HoldState) -> Place:
    return Place(end.provider, end.endpoint)


def _place_to_json(end: HoldState, hand: Hand) -> dict[str, Any]:
    return {
        "endpoint": end.endpoint,
        "provider": end.provider,
        "outcome": outcome(end, hand),
        "why": end.why,
        "registry": end.known is not None,
        "there": _live_to_json(end.live),
        "writes": _intent_to_json(end.intent),
    }


def outcome(end: HoldState, hand: Hand) -> str:
    """One of `written`, `unchanged`, `dry run`, `refused`, `not reached`."""
    if end.phase is not Phase.DONE:
        return str(end.phase)
    if end.intent is None:
        return "unchanged"
    return "written" if hand.apply else "dry run"


def _live_to_json(live: Live | None) -> dict[str, Any] | None:
    return None if live is None else {"sentinel": list(live.sentinel), "sets": sets_to_json(live.sets)}


def _intent_to_json(intent: Transaction | None) -> dict[str, Any] | None:
    return None if intent is None else {"sentinel": intent.sentinel.text, "sets": sets_to_json(intent.content.sets)}


def _print(ends: tuple[HoldState, ...], hand: Hand, unguarded: Unguarded) -> None:
    others = frozenset(hand.others.places)
    for end in ends:
        put(f"{end.endpoint} at {end.provider}")
        if _place(end) in others:
            put("  unlisted: not in the configuration, and still ours")
        if end.live is not None:
            put(f"  there   {' '.join(end.live.sentinel) or 'no sentinel'}")
            put(f"          {describe(end.live.sets)}")
        if end.intent is not None:
            put(f"  {'wrote ' if end.phase is Phase.DONE and hand.apply else 'writes'}  {end.intent.sentinel.text}")
            put(f"          {end.intent.content}")
        put(f"  {_result(end, hand)}")
    for provider, why in unguarded.items():
        put(printable(f"{provider}: {why}"))
    _print_summary(ends, hand)


def _result(end: HoldState, hand: Hand) -> str:
    if end.phase is not Phase.DONE:
        return f"{UNREACHED[end.command]}: {end.why}"
    if end.known is None and hand.registry is not None:
        return f"{end.why}; the registry was not reached: the sentinel alone says so"
    return end.why


def _print_summary(ends: tuple[HoldState, ...], hand: Hand) -> None:
    missed = [end for end in ends if end.phase is not Phase.DONE]
    if hand.reason:
        put(f"reason: {hand.reason}")
    if missed:
        listed = ", ".join(f"{end.endpoint} at {end.provider}" for end in missed)
        put(f"{UNREACHED[missed[0].command]}: {listed}")
    if hand.others.unread and ends:
        which = "what is ours and not in the configuration, if there is any"
        put(printable(f"{UNREACHED[ends[0].command]}: {which}; the registry was not reached: {hand.others.unread}"))
    if not hand.apply and any(end.intent is not None for end in ends):
        put("This was a dry run: nothing was written. Add --apply to write.")
