"""What the queue and the region store refuse, and what lifts it."""

from pathlib import Path

from outlast.errors import Refused, Unavailable


class QueueFull(Unavailable):
    """A message was not kept, because the queue or its disk has no room. Nothing that was kept is affected."""

    @classmethod
    def over_bound(cls, *, held: int, needed: int, bound: int, dead: int) -> "QueueFull":
        """Refuse a message of `needed` bytes in a queue that holds `held`; `dead` letters may be in the way."""
        letters = f", or discard some of its {dead} dead letters" if dead else ""
        return cls(
            f"the queue holds {held:,} of max_bytes = {bound:,} bytes and this message needs {needed:,}",
            hint=f"let it drain, raise max_bytes{letters}",
        )

    @classmethod
    def of_disk(cls, path: Path) -> "QueueFull":
        """Refuse a message because the disk under `path` is full."""
        return cls(
            f"spool {path}: the disk is full; nothing was added, and what is kept still drains",
            hint=f"make room in {path.parent}",
        )


class LeaseLost(Refused):
    """A receipt that does not fit: the message was settled, or handed out again, meanwhile."""

    def __init__(self, message_id: str) -> None:
        super().__init__(
            f"message {message_id} is no longer held by this receipt",
            hint="it was settled already, or its lease ran out and somebody else has it",
        )


class DedupMismatch(Refused):
    """A dedup key was used again for another body: one of the two would be lost in silence."""

    def __init__(self, dedup: str, message_id: str) -> None:
        super().__init__(
            f"dedup key {dedup!r} belongs to message {message_id}, whose body or order key is another",
            hint="give each message a dedup key of its own",
        )


class KeyTaken(Refused):
    """An insert-only key that has another value."""

    def __init__(self, key: str, region: str) -> None:
        super().__init__(f"key {key!r} already has another value, written in {region}", hint="use a new key")


class TooLate(Refused):
    """A write whose turn came after the time until which it was of use."""

    def __init__(self, key: str, seconds: float) -> None:
        super().__init__(
            f"key {key!r} was to be written {seconds:.3f} s ago at the latest",
            hint="whoever asked has given up; ask again if the write is still wanted",
        )
        self.seconds = seconds
        """How late it was."""
