"""Which regions are left, as a watch knows it: what the registry's orders say, and what was said at the machine itself.

A watch must know it when the registry is down: what the orders said last is kept on its disk and stands until the
registry says otherwise, since an error evacuates nobody and brings nobody back. Two files lie beside the configuration:
`NAME.left` has what the orders said last; `NAME.left-here` what a person said at this machine, which goes before it and
stands until it is taken back there.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from outlast.config.notices import Notices, Tell
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, OutlastError
from outlast.files import replace_file
from outlast.provider.route53_watch import watching
from outlast.traffic.messages import Note
from outlast.traffic.orders import Kind, Order
from outlast.traffic.ports import Registry

WATCH_NAME = "watch"
"""What a watch calls its files, beside the configuration: a machine has one."""
MAX_BYTES = 1024 * 1024
"""Of a file: some thousand regions of names."""


class Region(NamedTuple):
    """A region of a name that is prepared at Route 53."""

    endpoint: str
    region: str


class Places(NamedTuple):
    """Where a watch keeps what it knows."""

    ordered: Path
    here: Path


class Listening(NamedTuple):
    """Where a watch answers (`path` begins what is asked for), and how often it reads the orders, in seconds."""

    address: str
    port: int
    path: str
    interval: float


def places(settings: Settings, name: str) -> Places:
    """Where the watch called `name` keeps what it knows."""
    return Places(settings.path.parent / f"{name}.left", settings.path.parent / f"{name}.left-here")


def left_by(orders: tuple[Order, ...]) -> frozenset[Region]:
    """What people have ordered to be left."""
    return frozenset(Region(order.endpoint, order.subject) for order in orders if order.kind is Kind.LEAVE)


def load_ordered(found: Places) -> frozenset[Region]:
    """What the orders said last; nothing if they never said anything here.

    Raises:
        InvalidConfig: The file is damaged; names it.

    """
    return frozenset(_load(found.ordered))


def load_here(found: Places) -> Mapping[Region, bool]:
    """What was said at this machine: `True` left, `False` not.

    Raises:
        InvalidConfig: As `load_ordered`.

    """
    return _load(found.here)


def say_here(found: Places, region: Region, *, left: bool) -> None:
    """Say at this machine that a region is left, or not. Where the orders said the same last, nothing needs to be said.

    Raises:
        InvalidConfig: As `load_ordered`.
        OSError: It could not be written.

    """
    said = {it: value for it, value in load_here(found).items() if it != region}
    if (region in load_ordered(found)) != left:
        said[region] = left
    _store(found.here, said)


def is_left(region: Region, ordered: frozenset[Region], here: Mapping[Region, bool]) -> bool:
    """Whether a region is left, by both."""
    return here.get(region, region in ordered)


def _load(path: Path) -> dict[Region, bool]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidConfig((f"{path}: cannot be read: {error.strerror}",)) from error
    try:
        return {Region(str(name), str(region)): bool(left) for name, region, left in json.loads(data[:MAX_BYTES])}
    except (ValueError, TypeError) as error:
        fix = "take it away, and say what is left again: outlast route53 leave"
        raise InvalidConfig((f"{path}: damaged ({error}); {fix}",)) from error


def _store(path: Path, said: Mapping[Region, bool]) -> None:
    rows = [[*region, left] for region, left in sorted(said.items())]
    replace_file(path, json.dumps(rows).encode())


async def run_watch(
    settings: Settings,
    listening: Listening,
    *,
    name: str,
    registry: Registry,
    stop: asyncio.Event,
    started: Callable[[int], None],
    tell: Tell,
) -> None:
    """Tell which regions are left until `stop` is set; `started` is told the port.

    Raises:
        InvalidConfig: What it kept is damaged, or it shall listen for other machines.
        OSError: It cannot listen, or not keep what it knows.

    """
    found, told = places(settings, name), partial(Notices(tell).told, name)
    ordered, here = load_ordered(found), load_here(found)

    def answers(endpoint: str, region: str) -> bool:
        return is_left(Region(endpoint, region), ordered, here)

    async with watching(answers, address=listening.address, port=listening.port, path=listening.path) as port:
        started(port)
        while not stop.is_set():
            latest = await _ordered_now(registry, ordered, told)
            if latest != ordered:
                _store(found.ordered, dict.fromkeys(latest, True))
                ordered = latest
            with contextlib.suppress(InvalidConfig):  # a file that somebody else damaged: what it said last stands
                here = load_here(found)
            _tell(ordered, here, told)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), listening.interval)


async def _ordered_now(
    registry: Registry, last: frozenset[Region], told: Callable[[str, tuple[Note, ...]], None]
) -> frozenset[Region]:
    try:
        latest = left_by(await registry.orders())
    except OutlastError as error:
        told("registry", (Note("orders not read, the last ones stand", str(error), alarm=True),))
        return last
    told("registry", ())
    return latest


def _tell(
    ordered: frozenset[Region], here: Mapping[Region, bool], told: Callable[[str, tuple[Note, ...]], None]
) -> None:
    left = sorted(region for region in {*ordered, *here} if is_left(region, ordered, here))
    told("left", tuple(Note("left", f"{it.region} of {it.endpoint}", alarm=True) for it in left))
    apart = sorted(region for region, value in here.items() if value != (region in ordered))
    words = "said at this machine against the orders"
    told("here", tuple(Note(words, f"{it.region} of {it.endpoint}", alarm=True) for it in apart))
