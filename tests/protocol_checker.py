"""What must hold at every primary, whatever the code inside thinks: judged by the writes that land, and by nothing else.

The checker reads sentinels in its own way and knows no machine, phase or effect. Losses that the protocol claims as
exceptions (a creation decided while the sentinel was absent and still in flight when it is lost again; sentinel and
registry both lost) excuse a lower generation, and only then.
"""

from typing import NamedTuple

from outlast.traffic.ports import Live, Record, Transaction


class Violation(AssertionError):
    """A rule of the protocol was broken by our own doing."""


class Writer(NamedTuple):
    """Who sent a transaction, what it last read at that primary, and how many losses there had been when it read.

    What it knew of the registry, or wrote there before its transaction, is gone if the registry was lost since.
    """

    name: str
    is_person: bool
    read: Live | None
    losses: int
    registry_losses: int


Place = tuple[str, str]
Fields = dict[str, str]


def fields(live: Live) -> Fields:
    """The sentinel's fields, empty if there is none that a person would call one."""
    if len(live.sentinel) != 1 or not live.sentinel[0].startswith("v=1 realm="):
        return {}
    return dict(part.split("=", 1) for part in live.sentinel[0].split(" "))


class Checker:
    """Watches one world."""

    def __init__(self) -> None:
        self.named: dict[str, frozenset[tuple[object, ...]]] = {}
        self.highest: dict[Place, int] = {}
        self.reached: dict[Place, int] = {}
        self.losses: dict[Place, int] = {}
        self.lost_holds: dict[Place, str] = {}
        self.overtaken: set[Place] = set()
        self.unrecorded: set[Place] = set()
        self.registry_losses = 0
        self.excused = 0

    def landed(self, before: Live, after: Live, transaction: Transaction, writer: Writer) -> None:
        """One transaction has changed a primary."""
        place = (transaction.provider, transaction.endpoint)
        self._was_read(before, writer)
        self._is_named(after)
        self._keeps_standing(before, after, writer)
        fell = self._keeps_order(place, before, after, writer)
        self._keeps_lost_hold(place, before, after, writer, excused=fell)

    def _was_read(self, before: Live, writer: Writer) -> None:
        _hold(writer.read == before, f"{writer.name} overwrote a value that it has not read: {before}")

    def _is_named(self, after: Live) -> None:
        digest = fields(after).get("plan", "")
        sets = frozenset(tuple(item) for item in after.sets)
        _hold(any(item.values for item in after.sets), f"emptied by our own doing: {after}")
        _hold(self.named.setdefault(digest, sets) == sets, f"the records are not what the sentinel names: {after}")

    def _keeps_standing(self, before: Live, after: Live, writer: Writer) -> None:
        was, now = fields(before), fields(after)
        _hold(was.get("realm", now["realm"]) == now["realm"], f"{writer.name} overwrote a foreign realm: {was}")
        if writer.is_person:
            return
        _hold(was.get("st") != "retired", f"{writer.name} overwrote a retirement: {now}")
        if was.get("st") == "held":
            same = ("st", "plan", "gen")
            _hold(
                [was[key] for key in same] == [now[key] for key in same],
                f"{writer.name} overwrote a hold: {was} -> {now}",
            )

    def _keeps_order(self, place: Place, before: Live, after: Live, writer: Writer) -> bool:
        was, now = fields(before), fields(after)
        _hold(int(now["n"]) > int(was.get("n", 0)), f"n does not rise: {was} -> {now}")
        gen = int(now["gen"])
        stale = not was and (writer.losses < self.losses.get(place, 0) or place in self.unrecorded)
        self.unrecorded.discard(place)
        both_lost = not was and self.reached.get(place, 0) < self.registry_losses
        fell = gen < self.highest.get(place, 0)
        _hold(not fell or stale or both_lost, f"gen fell from {self.highest.get(place)}: {was} -> {now}")
        if fell or gen > self.highest.get(place, 0):
            self.highest[place], self.reached[place] = gen, writer.registry_losses
        if stale:
            self.overtaken.add(place)
        self.excused += fell or stale
        return fell or stale

    def _keeps_lost_hold(self, place: Place, before: Live, after: Live, writer: Writer, *, excused: bool) -> None:
        digest = self.lost_holds.pop(place, "")
        if fields(before) or writer.is_person or not digest or excused:
            return
        now = fields(after)
        _hold((now["st"], now["plan"]) == ("held", digest), f"{writer.name} lost a recorded hold: {now}")

    def damaged(self, place: Place, before: Live, after: Live, record: Record | None) -> None:
        """Somebody else has changed a primary."""
        if before.sentinel == after.sentinel:
            return
        self.losses[place] = self.losses.get(place, 0) + 1
        was, now = fields(before), fields(after)
        if now:
            # An older state of the zone was put back: what stands there now is the new floor.
            self.highest[place], self.reached[place] = int(now["gen"]), self.registry_losses
        if place in self.overtaken and not (record is not None and record.sentinel.text in before.sentinel):
            # The third loss: what an overtaken creation left behind goes before any pass could record it.
            self.unrecorded.add(place)
        self.overtaken.discard(place)
        recorded = record is not None and (record.sentinel.standing, record.sentinel.digest) == (
            "held",
            was.get("plan"),
        )
        if was.get("st") == "held" and recorded and not now:
            self.lost_holds[place] = was["plan"]

    def person_acted(self, place: Place) -> None:
        """A person's command reached the registry: what was lost before is theirs now."""
        self.lost_holds.pop(place, None)

    def registry_lost(self) -> None:
        """The registry was restored from an older copy, or is new."""
        self.registry_losses += 1
        self.lost_holds.clear()


def _hold(claim: bool, message: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not claim:
        raise Violation(message)
