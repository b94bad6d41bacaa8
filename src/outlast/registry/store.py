"""What a registry of documents asks of a place that can compare and swap one key and nothing more.

Object stores with conditional writes, etcd, NATS KV and most key-value stores can. Adapters stand beside this module.
"""

from typing import NamedTuple, Protocol


class Versioned(NamedTuple):
    """A document and the word that changes whenever it does; both empty if there is none."""

    version: str
    data: bytes


class Store(Protocol):
    """Where documents live. Names are paths of `[a-z0-9/-]`.

    Every method raises `outlast.errors.Unavailable` if the store cannot be used; a `swap` or `put` that does may have
    landed all the same. `str(store)` names it for messages, without secrets.
    """

    async def read(self, name: str, *, known: str = "") -> Versioned:
        """The document as it is now, never an older state. If its version is `known`, its data may be left out."""
        ...

    async def swap(self, name: str, data: bytes, *, seen: str) -> bool:
        """Replace the document if its version is still `seen` (empty: there is none); say whether that was so.

        Versions never come back: not after a change to and fro, and not after the store was restored from a backup.
        """
        ...

    async def put(self, name: str, data: bytes) -> None:
        """Store a text that is never replaced, under a name of its own."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Such a text, or `None`."""
        ...

    async def delete(self, name: str) -> None:
        """Delete such a text, if it is there."""
        ...

    async def names(self, folder: str) -> tuple[str, ...]:
        """The names of such texts that begin with `folder`."""
        ...

    def close(self) -> None:
        """Let go of what is open; the next call opens it again."""
        ...
