"""Watches one world of the tests by the explorer's own rules: every write that lands is judged."""

from outlast.simulator.plan_rules import Past, Writer, claimed, damaged, landed, person_acted
from outlast.traffic.ports import Live, Record, Transaction

Place = tuple[str, str]

__all__ = ["Checker", "Violation", "Writer"]


class Violation(AssertionError):
    """A rule of the protocol was broken by our own doing."""


class Checker:
    """What each primary of one world has been through."""

    def __init__(self) -> None:
        self.pasts: dict[Place, Past] = {}
        self.registry_losses = 0
        self.excused = 0

    def past(self, place: Place) -> Past:
        return self.pasts.get(place, Past())

    def landed(self, before: Live, after: Live, transaction: Transaction, writer: Writer) -> None:
        """One transaction has changed a primary."""
        place = (transaction.provider, transaction.endpoint)
        judged = landed(self.past(place), before, after, writer, registry_losses=self.registry_losses)
        self.pasts[place] = judged.past
        self.excused += judged.is_excused
        if judged.broken:
            raise Violation(f"{judged.broken}: {before} -> {after}")

    def damaged(self, place: Place, before: Live, after: Live, record: Record | None) -> None:
        """Somebody else has changed a primary."""
        self.pasts[place] = damaged(self.past(place), before, after, record, registry_losses=self.registry_losses)

    def recorded(self, place: Place, *, is_person: bool) -> None:
        """Somebody has written a record; a person's is theirs."""
        past = claimed(self.past(place))
        self.pasts[place] = person_acted(past) if is_person else past

    def registry_lost(self) -> None:
        """The registry was restored from an older copy, or is new."""
        self.registry_losses += 1
        self.pasts = {place: person_acted(past) for place, past in self.pasts.items()}
