"""Fault loop: statement N of the spool fails, for N = 1, 2, … until nothing fails any more; what was promised holds."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from outlast.data.records import Kept, Message, New, Put
from outlast.data.spool import Spool
from outlast.data.spool_format import Limits
from outlast.data.store import SpoolStore
from outlast.errors import OutlastError, Unavailable

Result = TypeVar("Result")

NOW = 1_000


class FaultyConnection(sqlite3.Connection):
    """Fails at one statement, and if told so at every later one."""

    countdown: ClassVar[int] = 0
    is_for_ever: ClassVar[bool] = False
    code: ClassVar[int] = sqlite3.SQLITE_ERROR

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        cls = type(self)
        if sql.startswith("ROLLBACK"):
            return super().execute(sql, parameters)
        cls.countdown -= 1
        if cls.countdown == 0 or (cls.countdown < 0 and cls.is_for_ever):
            error = sqlite3.OperationalError("told to fail")
            error.sqlite_errorcode = cls.code
            raise error
        return super().execute(sql, parameters)


class Ledger:
    """What was promised in one run."""

    def __init__(self) -> None:
        self.kept: set[str] = set()
        self.tried_to_ack: set[str] = set()
        self.acked: set[str] = set()


def attempt(store: SpoolStore, work: Callable[[Spool], Result], *, growth: int = 0) -> Result | None:
    try:
        return store.run(work, growth=growth)
    except Unavailable:
        return None


def putting(new: New) -> Callable[[Spool], Kept]:
    return lambda spool: spool.put(new, now=NOW, wall=NOW)


def putting_both(*news: New) -> Callable[[Spool], list[Kept | OutlastError]]:
    return lambda spool: spool.put_all([Put(new, NOW, NOW) for new in news])


def leasing(count: int) -> Callable[[Spool], tuple[Message, ...]]:
    return lambda spool: spool.lease(count, now=NOW, until=2 * NOW, wall=NOW)


def acking(message: Message) -> Callable[[Spool], None]:
    return lambda spool: spool.ack(message.receipt, wall=NOW)


def nacking(message: Message) -> Callable[[Spool], None]:
    return lambda spool: spool.nack(message.receipt, due=0)


def live(store: SpoolStore, ledger: Ledger) -> None:
    """Put, lease, settle: a little of everything."""
    for name, key, dedup in (("1", None, None), ("2", "k", "d"), ("3", "k", None), ("4", None, "e")):
        new = New(body=name.encode(), key=key, dedup=dedup, expires_at=NOW * 100)
        kept = attempt(store, putting(new), growth=1)
        ledger.kept |= {kept.id} if kept else set()
    both = attempt(store, putting_both(New(body=b"5"), New(body=b"6", key="k")), growth=1)
    ledger.kept |= {one.id for one in both or () if isinstance(one, Kept)}
    held = attempt(store, leasing(3)) or ()
    for message in held[:2]:
        ledger.tried_to_ack.add(message.id)
        try:
            store.run(acking(message))
        except Unavailable:
            continue
        ledger.acked.add(message.id)
    for message in held[2:]:
        attempt(store, nacking(message))


def check(path: Path, ledger: Ledger) -> None:
    """What another process finds: nothing promised is lost, nothing settled comes back, the books balance."""
    store = SpoolStore(path, Limits(), reserve_bytes=0, sync="os")
    found: list[str] = []
    try:
        while messages := store.run(leasing(10)):
            for message in messages:
                store.run(acking(message))
            found += [message.id for message in messages]
        stats = store.run(lambda spool: spool.stats(now=NOW, wall=NOW))
    finally:
        store.close()

    assert sorted(set(found)) == sorted(found)
    assert ledger.kept - ledger.tried_to_ack <= set(found)
    assert set() == ledger.acked & set(found)
    assert (0, 0) == (stats.depth, stats.bytes)


@pytest.mark.slow
@pytest.mark.parametrize("is_for_ever", [False, True], ids=["once", "for ever"])
@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_WRITE],
    ids=["error", "full", "fsync", "write"],
)
def test_no_failing_statement_breaks_a_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, is_for_ever: bool
) -> None:
    """Whichever statement fails, once or for ever: acknowledged puts survive and acknowledged deliveries do not return."""
    monkeypatch.setattr(FaultyConnection, "code", code)
    monkeypatch.setattr(FaultyConnection, "is_for_ever", is_for_ever)
    n = 0
    ledger = Ledger()
    while FaultyConnection.countdown <= 0:
        n += 1
        assert n < 300
        monkeypatch.setattr(FaultyConnection, "countdown", n)
        path = tmp_path / f"spool{n}"
        ledger = Ledger()
        try:
            store = SpoolStore(path, Limits(), reserve_bytes=0, sync="os", factory=FaultyConnection)
        except OutlastError:
            check(path, ledger)
            continue
        try:
            live(store, ledger)
        finally:
            store.close()
        check(path, ledger)

    assert (6, 2) == (len(ledger.kept), len(ledger.acked))
