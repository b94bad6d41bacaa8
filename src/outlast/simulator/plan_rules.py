"""What must hold at every primary, whatever the code inside thinks: judged by the writes that land, and by nothing else.

The rules read sentinels in their own way and know no machine, phase or effect. Losses that the protocol claims as
exceptions (a creation decided while the sentinel was absent and still in flight when it is lost again; sentinel and
registry both lost) excuse a lower generation, and only then.
"""

from typing import NamedTuple

from outlast.traffic.content import digest
from outlast.traffic.ports import Live, Record

Fields = dict[str, str]
NOUNS = {"held": "hold", "retired": "retirement"}
"""What a person has put on an endpoint, by the standing of its sentinel."""


class Writer(NamedTuple):
    """Who sent a transaction, what it last read at that primary, and how many losses there had been when it read.

    What it knew of the registry, or wrote there before its transaction, is gone if the registry was lost since.
    """

    name: str
    is_person: bool
    read: Live | None
    losses: int
    registry_losses: int


class Past(NamedTuple):
    """What one primary has been through: the largest generation, how many sentinels were lost, what that excuses."""

    highest: int = 0
    reached: int = 0
    """How many registries had been lost, as far as the writer of `highest` knew."""
    losses: int = 0
    lost_hold: str = ""
    overtaken: bool = False
    unrecorded: bool = False
    is_claimed: bool = False
    """Whether the registry has ever heard that this name is ours."""


class Judgement(NamedTuple):
    """The past with one write more, which rule that write broke, and whether it was excused."""

    past: Past
    broken: str = ""
    is_excused: bool = False


def fields(live: Live) -> Fields:
    """The sentinel's fields, empty if there is none that a person would call one."""
    if len(live.sentinel) != 1 or not live.sentinel[0].startswith("v=1 realm="):
        return {}
    return dict(part.split("=", 1) for part in live.sentinel[0].split(" "))


def landed(past: Past, before: Live, after: Live, writer: Writer, *, registry_losses: int) -> Judgement:
    """One transaction changes a primary."""
    was, now = fields(before), fields(after)
    new, is_excused, fell = _order(past, was, now, writer, registry_losses)
    faults = (
        _unread(before, writer),
        _unnamed(after, now),
        _unclaimed(past, before, was, writer),
        _standing(was, now, writer),
        fell,
        _hold(past, was, now, writer, is_excused=is_excused),
    )
    return Judgement(new, next((fault for fault in faults if fault), ""), is_excused)


def _unread(before: Live, writer: Writer) -> str:
    return "" if writer.read == before else f"{writer.name} overwrote a value that it has not read"


def _unnamed(after: Live, now: Fields) -> str:
    if not any(item.values for item in after.sets):
        return "emptied by our own doing"
    return "" if digest(after.sets) == now["plan"] else "the records are not what the sentinel names"


def _unclaimed(past: Past, before: Live, was: Fields, writer: Writer) -> str:
    is_anothers = not was and bool(before.sets) and not past.is_claimed and not writer.is_person
    return f"{writer.name} took over a name that was never ours" if is_anothers else ""


def _standing(was: Fields, now: Fields, writer: Writer) -> str:
    if was.get("realm", now["realm"]) != now["realm"]:
        return f"{writer.name} overwrote a foreign realm"
    if writer.is_person:
        return ""
    if was.get("st") == "retired":
        return f"{writer.name} overwrote a retirement"
    if was.get("st") == "live" and now["st"] != "live":
        return f"{writer.name} put a person's hand on it: {now['st']}"
    held = was.get("st") == "held" and any(was[key] != now[key] for key in ("st", "plan", "gen"))
    return f"{writer.name} overwrote a hold" if held else ""


def _order(past: Past, was: Fields, now: Fields, writer: Writer, registry_losses: int) -> tuple[Past, bool, str]:
    gen = int(now["gen"])
    stale = not was and (writer.losses < past.losses or past.unrecorded)
    both_lost = not was and past.reached < registry_losses
    fell = gen < past.highest
    new = past._replace(unrecorded=False, overtaken=past.overtaken or stale, lost_hold="")
    if fell or gen > past.highest:
        new = new._replace(highest=gen, reached=writer.registry_losses)
    fault = ""
    if was.get("gen") == now["gen"] and was["plan"] != now["plan"]:
        fault = f"two contents under one generation ({gen})"
    elif int(now["n"]) <= int(was.get("n", 0)):
        fault = f"n does not rise: {was['n']} -> {now['n']}"
    elif fell and not stale and not both_lost:
        fault = f"the generation fell from {past.highest} to {gen}"
    return new, fell or stale, fault


def _hold(past: Past, was: Fields, now: Fields, writer: Writer, *, is_excused: bool) -> str:
    if was or writer.is_person or not past.lost_hold or is_excused:
        return ""
    standing, _, named = past.lost_hold.partition(" ")
    kept = standing == "held" and (now["st"], now["plan"]) == (standing, named)
    return "" if kept else f"{writer.name} lost a recorded {NOUNS[standing]}"


def damaged(past: Past, before: Live, after: Live, record: Record | None, *, registry_losses: int) -> Past:
    """Somebody else has changed a primary."""
    if before.sentinel == after.sentinel:
        return past
    was, now = fields(before), fields(after)
    new = past._replace(losses=past.losses + 1, overtaken=False)
    if now:
        # An older state of the zone was put back: what stands there now is the new floor.
        new = new._replace(highest=int(now["gen"]), reached=registry_losses)
    if past.overtaken and not (record is not None and record.sentinel.text in before.sentinel):
        # The third loss: what an overtaken creation left behind goes before any pass could record it.
        new = new._replace(unrecorded=True)
    standing, named = was.get("st", ""), was.get("plan", "")
    recorded = record is not None and (record.sentinel.standing, record.sentinel.digest) == (standing, named)
    return new._replace(lost_hold=f"{standing} {named}") if standing in NOUNS and recorded and not now else new


def claimed(past: Past) -> Past:
    """The registry has a record of this name."""
    return past if past.is_claimed else past._replace(is_claimed=True)


def person_acted(past: Past) -> Past:
    """A person's command reached the registry: what was lost before is theirs now."""
    return past._replace(lost_hold="")
