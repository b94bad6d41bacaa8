"""What one host wrote where, so that it can read back and know what a correct answer is.

A read without a key reads back the host's last write. Data need not be everywhere: regions copy their writes to each
other later, or never. So each place is asked for what it has acknowledged itself, and there it must be. A read that was
answered by another place than it was meant for is correct, too, if that place does not have the key yet: it would be
wrong only with another value, or without a key that it acknowledged.
"""

from outlast.errors import OutlastError

SEEDED = ("k0", "v-k0")
MAX_KEYS = 10_000
"""Acknowledged keys that are remembered for each place; an act writes some hundreds."""


class WrongValue(OutlastError):
    """The service answered with something else than what was written."""


class Memory:
    """One host's writes, by the place that acknowledged them."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[str, str]] = {}
        self._keys: dict[str, dict[str, None]] = {}

    def last(self, place: str) -> tuple[str, str]:
        """Key and value of the last write there, or of a seeded key before the first."""
        return self._last.get(place, SEEDED)

    def note(self, place: str, key: str, value: str) -> None:
        """Remember a write that was acknowledged there."""
        self._last[place] = key, value
        keys = self._keys.setdefault(place, {})
        keys[key] = None
        if len(keys) > MAX_KEYS:
            del keys[next(iter(keys))]

    def check(self, place: str, key: str, *, expected: str, found: object) -> None:
        """See that an answer is correct; `found` is `None` if the place said that there is no such key.

        Raises:
            WrongValue: It is not.

        """
        if found is None and not is_seeded(key) and key not in self._keys.get(place, ()):
            return
        if found != expected:
            raise WrongValue(f"{key} at {place}: expected {expected!r}, got {str(found)[:200]!r}")


def is_seeded(key: str) -> bool:
    """Whether a key, like `k0`, was there from the start."""
    return key[:1] == "k" and key[1:].isdecimal()
