"""`outlast plan`: what is planned, what was, what differs, and going back to it."""

import asyncio
import sys
from typing import Annotated, Any

import typer

from outlast.cli.audit import when
from outlast.cli.hold import Hand, carry_out, chosen, operator, pace_of
from outlast.cli.options import DEFAULT_CONFIG, Apply, Config, Json, Reason, epilog
from outlast.cli.output import printable, put, put_json
from outlast.config import wire
from outlast.config.parse import load
from outlast.config.settings import Settings
from outlast.errors import Refused
from outlast.traffic.hold_state import Command, HoldState
from outlast.traffic.kept import Kept, all_kept
from outlast.traffic.orders import Order
from outlast.traffic.plan import Entry, Plan, sets_to_json
from outlast.traffic.ports import Place, Registry

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
STATUS = "0 printed, 1 there is no such plan or the registry was not reached, 2 the command line or the configuration is wrong."
SHOW = epilog("outlast plan show", "outlast plan show 41 --json", status=STATUS)
DIFF = epilog("outlast plan diff 41", "outlast plan diff 41 43 --json", status=STATUS)
HISTORY = epilog("outlast plan history", status=STATUS)
ROLLBACK = epilog(
    "outlast plan rollback 41 db.example.com",
    'outlast plan rollback 41 --all --apply --reason "INC-42"',
    status="0 written (or would be), 1 a provider was not reached or refused, or there is no such plan, 2 the command line or the configuration is wrong.",
)
Generation = Annotated[int, typer.Argument(metavar="GENERATION", help="As outlast plan history lists them.", min=1)]
Latest = Annotated[
    int, typer.Argument(metavar="[GENERATION]", help="By default the latest.", min=0, show_default=False)
]


@app.callback(epilog=SHOW)
def plan() -> None:
    """Show plans, compare them, and go back to one."""


@app.command(epilog=SHOW)
def show(generation: Latest = 0, as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """Print a plan: what each endpoint shall answer, what is left out and why, and the orders that stand.

    Of the latest plan also what it publishes although an order says out, and which floor keeps it there.
    """
    settings = load(config)
    registry = _registry_of(settings)
    found, orders = asyncio.run(_plan(registry, generation)), asyncio.run(registry.orders())
    against = asyncio.run(_kept(settings, registry, found, orders))
    if as_json:
        entries = [_entry(item, against.get(item.endpoint, ())) for item in found.entries]
        put_json({**_head(found), "entries": entries, "orders": [*map(str, orders)]})
        return
    put(f"plan {found.generation}  {when(found.at)}  by {found.by}: {found.reason}")
    for entry in found.entries:
        put(f"{entry.endpoint}  {entry.content}  since {entry.generation}")
        for held in entry.withheld:
            put(printable(f"  without {held.address}: {held.reason}"))
        for target in against.get(entry.endpoint, ()):
            put(printable(f"  {target}"))
        for words in warnings(entry):
            put(printable(f"  {words}"))
    for order in orders:
        put(printable(f"standing order: {order}"))


@app.command(epilog=DIFF)
def diff(old: Generation, new: Latest = 0, as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """Print what differs between two plans: addresses and names that come and go, by endpoint."""
    registry = _registry_of(load(config))
    before, after = asyncio.run(_plan(registry, old)), asyncio.run(_plan(registry, new))
    changes = differences(before, after)
    if as_json:
        put_json({"old": before.generation, "new": after.generation, "endpoints": changes})
        return
    put(f"plan {before.generation} -> plan {after.generation}")
    for change in changes:
        words = [f"-{address}" for address in change["gone"]] + [f"+{address}" for address in change["come"]]
        put(f"{change['endpoint']}  {' '.join(words) or 'same targets'}{'' if change['was'] else '  (new)'}")
    if not changes:
        put("nothing differs")


@app.command(epilog=HISTORY)
def history(as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """List the plans that are kept, newest first, each with who published it and why."""
    plans = asyncio.run(_all(_registry_of(load(config))))
    if as_json:
        put_json([_head(item) for item in plans])
        return
    for item in plans:
        put(printable(f"{item.generation:6}  {when(item.at)}  by {item.by}: {item.reason}"))


@app.command(epilog=ROLLBACK)
def rollback(
    generation: Generation,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Endpoints.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every endpoint of that plan.")] = False,
    apply: Apply = False,
    reason: Reason = "",
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write an older plan's content again, as a newer generation, and hold it until thaw.

    Going back is going forward: nothing that is under way can undo it. What is there and what would be written is
    printed; nothing is written without --apply.
    """
    settings = load(config)
    places = chosen(settings, names or [], everything=everything)
    registry = _registry_of(settings, is_reader=not apply)
    old = asyncio.run(_plan(registry, generation))
    if everything:
        places = _known_to(old, places)
    missing = sorted({place.endpoint for place in places if old.entry(place.endpoint) is None})
    if missing:
        raise Refused(f"plan {generation} does not know {', '.join(missing)}", hint="name the endpoints that it knows")
    me = operator(Command.ROLLBACK)
    states = tuple(
        HoldState(Command.ROLLBACK, me, settings.realm, *place, content=entry.content)
        for place in places
        if (entry := old.entry(place.endpoint)) is not None
    )
    hand = Hand(
        registry=registry,
        providers=wire.providers(settings),
        apply=apply,
        reason=reason,
        what="plan rollback",
        pace=pace_of(settings),
    )
    carry_out(states, hand, as_json=as_json)


def _known_to(old: Plan, places: tuple[Place, ...]) -> tuple[Place, ...]:
    """Of these places those that a plan has; what is on one side only stays as it is, and is told."""
    listed, planned = {place.endpoint for place in places}, {entry.endpoint for entry in old.entries}
    for name in sorted(listed - planned):
        sys.stderr.write(printable(f"outlast: {name}: left as it is, plan {old.generation} does not have it") + "\n")
    for name in sorted(planned - listed):
        sys.stderr.write(printable(f"outlast: {name}: left as it is, the configuration does not have it") + "\n")
    if not listed & planned:
        raise Refused(f"plan {old.generation} has no endpoint of this configuration", hint="outlast plan history")
    return tuple(place for place in places if place.endpoint in planned)


def warnings(entry: Entry) -> tuple[str, ...]:
    """What somebody should know of an entry beside what is left out, with what ends it."""
    short = f"ALARM too little capacity: {entry.shortage}" if entry.shortage else ""
    ends = "when it has done well for as long as bake says, with a pin, or when the edit is taken back"
    waits = f"an edit's removals wait for {entry.waits_for}: they follow {ends}" if entry.waits_for else ""
    return tuple(words for words in (short, waits) if words)


def differences(before: Plan, after: Plan) -> list[dict[str, Any]]:
    """The endpoints that differ: `gone` and `come` targets; `was` and `is` say whether each plan knows the endpoint."""
    found = []
    for name in sorted({entry.endpoint for plan in (before, after) for entry in plan.entries}):
        one, two = before.entry(name), after.entry(name)
        if one is not None and two is not None and one.digest == two.digest:
            continue
        was, now = (set(entry.content.targets) if entry is not None else set() for entry in (one, two))
        change = {"endpoint": name, "was": one is not None, "is": two is not None}
        found.append({**change, "gone": sorted(was - now), "come": sorted(now - was)})
    return found


def _registry_of(settings: Settings, *, is_reader: bool = True) -> Registry:
    # Of an empty registry there is nothing to show: that it is missing says more.
    wire.check_registry(settings)
    return wire.registry(settings, is_reader=is_reader)


async def _plan(registry: Registry, generation: int) -> Plan:
    found = await (registry.plan(generation) if generation else registry.latest_plan())
    if found is None:
        kept = ", ".join(str(item.generation) for item in await registry.plans())
        raise Refused(
            f"plan {generation} is not kept" if generation else "no plan was published yet",
            hint=f"there are: {kept}" if kept else "is a planner running?",
        )
    return found


async def _kept(
    settings: Settings, registry: Registry, found: Plan, orders: tuple[Order, ...]
) -> dict[str, tuple[Kept, ...]]:
    # The orders that stand now say nothing of an older plan.
    latest = await registry.latest_plan()
    if latest is None or latest.generation != found.generation:
        return {}
    by_endpoint: dict[str, tuple[Kept, ...]] = {}
    for it in all_kept(settings.topology, found, orders):
        by_endpoint[it.endpoint] = (*by_endpoint.get(it.endpoint, ()), it)
    return by_endpoint


async def _all(registry: Registry) -> list[Plan]:
    found = [await registry.plan(item.generation) for item in await registry.plans()]
    return [item for item in found if item is not None]  # the janitor may have been quicker


def _head(item: Plan) -> dict[str, Any]:
    return {"generation": item.generation, "at": item.at / 1e9, "by": item.by, "reason": item.reason}


def _entry(entry: Entry, against: tuple[Kept, ...]) -> dict[str, Any]:
    withheld = [{"address": item.address, "reason": item.reason, "since": item.since / 1e9} for item in entry.withheld]
    sets = sets_to_json(entry.content.sets)
    kept = [{"address": it.address, "order": it.order, "floors": [*it.floors]} for it in against]
    told = {"withheld": withheld, "kept": kept, "shortage": entry.shortage, "waits_for": entry.waits_for}
    return {"endpoint": entry.endpoint, "gen": entry.generation, "sets": sets, **told}
