"""One SQLite file, shared by processes: opening it, its schema, its transactions, and what its errors mean.

WAL with synchronous=FULL: readers never wait for the writer, and what was acknowledged survives a power cut. Every
write begins IMMEDIATE, so that what it reads is still true when it writes.

The file may be moved, deleted or restored from a backup under a running process. SQLite would go on with a file that
nobody else can see; therefore each transaction first compares the file under the path with the one that is open, and
opens anew if it is another. A lost registry heals itself from the sentinels, so a missing file is made again.

Nothing here waits for another process: a transaction that finds the file taken ends at once with `Busy`. Whoever has time
tries again, and meanwhile keeps neither the connection nor a thread from those who only read.
"""

import contextlib
import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from outlast.errors import OutlastError, Unavailable

Result = TypeVar("Result")

APPLICATION_ID = 0x6F75746C
"""`outl`, in the file's header: a file of somebody else's is not ours to fill."""
SCHEMA_VERSION = 3
"""Version 1 had neither orders nor the audit log, version 2 no leases; it is brought forward when it is opened."""
_SCHEMA = """
CREATE TABLE floor (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL);
INSERT INTO floor VALUES (1, 0);
CREATE TABLE plan (generation INTEGER PRIMARY KEY, stamp TEXT NOT NULL, at INTEGER NOT NULL,
    tombstoned INTEGER NOT NULL DEFAULT 0, text TEXT NOT NULL);
CREATE TABLE record (provider TEXT, endpoint TEXT, n INTEGER NOT NULL, gen INTEGER NOT NULL,
    sentinel TEXT NOT NULL, sets TEXT NOT NULL, PRIMARY KEY (provider, endpoint)) WITHOUT ROWID;
CREATE INDEX record_gen ON record (gen);
CREATE TABLE report (provider TEXT, endpoint TEXT, gen INTEGER NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (provider, endpoint)) WITHOUT ROWID;
CREATE TABLE signal (target TEXT, observer TEXT, verdict TEXT NOT NULL, since INTEGER NOT NULL, at INTEGER NOT NULL,
    ever_healthy INTEGER NOT NULL, evidence TEXT NOT NULL, PRIMARY KEY (target, observer)) WITHOUT ROWID;
"""
_SINCE_2 = """
CREATE TABLE order_ (kind TEXT, subject TEXT, endpoint TEXT, addresses TEXT NOT NULL, by TEXT NOT NULL,
    at INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (kind, subject, endpoint)) WITHOUT ROWID;
CREATE TABLE deed (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, what TEXT NOT NULL,
    subject TEXT NOT NULL, why TEXT NOT NULL, outcome TEXT NOT NULL);
"""
_SINCE_3 = """
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,
    beat INTEGER NOT NULL) WITHOUT ROWID;
"""
# A plan's `stamp` is random: after a restore, a generation number alone could name another plan.


Work = Callable[[sqlite3.Connection], Result]
"""What is done within a transaction. It leaves no cursor half read: whoever keeps its exception would keep that open, and with
it the snapshot of a transaction that is long over."""


class Transact(Protocol):
    """`Database.read` or `Database.write`."""

    def __call__(self, works: Sequence[Work[Result]], *, until: float) -> list[Result | Exception]: ...


class _Identity(NamedTuple):
    """Which file a path names; equal only for one and the same."""

    device: int
    inode: int


class Busy(Unavailable):
    """Another process, or another thread of this one, has the file. Nothing was done; a moment later it may be free."""


class Database:
    """One connection to the file, opened when first needed, used by one thread at a time.

    Args:
        path: The file; its folder must exist. It is made with mode 0600.
        is_reader: Nothing is written, and no file is made: where there is none, an empty one is read, in memory.

    """

    def __init__(self, path: Path, *, is_reader: bool = False) -> None:
        self._path = path
        self._is_reader = is_reader
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._identity: _Identity | None = None
        self.openings = 0
        """How often the file was opened. Whoever caches what it read compares this inside the transaction."""

    def __repr__(self) -> str:
        return f"<Database {self._path} {'open' if self._db else 'closed'}>"

    def __del__(self) -> None:
        # A command that looked something up ends without a word. Python 3.13 complains of a connection that nobody closed.
        self._drop()

    def read(self, works: Sequence[Work[Result]], *, until: float = 0.0) -> list[Result | Exception]:
        """Do all of `works` on one snapshot of the file; return what each returns or raises.

        Args:
            works: What to do; it may be begun again if the file turns out to be taken.
            until: When to stop waiting for other threads, as `time.monotonic` counts.

        Raises:
            Busy: The file is taken.
            Unavailable: The file cannot be used; the message names it and the hint the fix.

        """
        return self._transact("BEGIN", works, until)

    def write(self, works: Sequence[Work[Result]], *, until: float = 0.0) -> list[Result | Exception]:
        """Do all of `works` alone, one after another, and make their changes last together.

        The changes of one that raises are undone, and no other's. Waits, returns and raises as `read` does; if it raises,
        nothing was changed.
        """
        assert not self._is_reader, "who only reads writes nothing"
        return self._transact("BEGIN IMMEDIATE", works, until)

    def close(self) -> None:
        """Close the file. The next transaction opens it again."""
        with self._lock:
            self._drop()

    def _transact(self, begin: str, works: Sequence[Work[Result]], until: float) -> list[Result | Exception]:
        with self._turn(until), self._explained():
            db = self._connection()
            db.execute(begin)
            try:
                ends = [_end_of(work, db) for work in works]
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return ends

    @contextmanager
    def _turn(self, until: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=max(0.0, until - time.monotonic())):
            # Mostly one of our threads is just hearing that another process has the file.
            fix = f"another process holds it, or this one for long; see who: fuser {self._path}"
            raise Busy(f"registry {self._path}: database is locked", hint=fix)
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            is_busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not is_busy:
                self._drop()
            family = Busy if is_busy else Unavailable
            raise family(f"registry {self._path}: {error}", hint=_hint(code, self._path)) from error
        except OSError as error:
            raise Unavailable(f"registry {self._path}: {error.strerror}", hint=_os_hint(error, self._path)) from error

    def _connection(self) -> sqlite3.Connection:
        if self._db is None or _identify(self._path) != self._identity:
            self._drop()
            try:
                self._open()
            except BaseException:
                self._drop()
                raise
        assert self._db is not None
        return self._db

    def _open(self) -> None:
        # SQLite gives its side files the mode of the database, so the mode is right before SQLite comes. Only a missing
        # file is opened by hand: closing any descriptor of a file drops this process's POSIX locks on it, those of its
        # other connections too, and the next process to leave would take the WAL with acknowledged writes along.
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._is_reader and _identify(self._path) is None and self._path.parent.is_dir():
            self._read_nothing()
            return
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._identity = _identify(self._path)
        self._db = sqlite3.connect(self._path, timeout=0.0, isolation_level=None, check_same_thread=False)
        self.openings += 1
        version = self._version(self._db)
        if version < SCHEMA_VERSION and self._is_reader:
            self._drop()
            if version:
                fix = "any role of this outlast, as outlast planner run, brings it forward"
                self._refuse(f"its schema is version {version}, older than {SCHEMA_VERSION}", fix)
            self._read_nothing()
            return
        if version < SCHEMA_VERSION:
            self._prepare(self._db)
        self._db.execute("PRAGMA synchronous = FULL")

    def _read_nothing(self) -> None:
        # Its identity is that of no file: as soon as there is one, that is opened instead.
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.openings += 1
        self._fill(self._db)

    def _version(self, db: sqlite3.Connection) -> int:
        # 0 for a new file.
        application, version, tables = db.execute(
            "SELECT (SELECT application_id FROM pragma_application_id),"
            " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)"
        ).fetchone()
        if application == APPLICATION_ID and version > SCHEMA_VERSION:
            self._refuse(f"its schema is version {version}, newer than {SCHEMA_VERSION}", "upgrade outlast here")
        if application != APPLICATION_ID and tables:
            self._refuse("it is the database of another program", "name another file")
        return int(version) if application == APPLICATION_ID else 0

    def _refuse(self, why: str, fix: str) -> None:
        raise Unavailable(f"registry {self._path}: {why}", hint=fix)

    def _prepare(self, db: sqlite3.Connection) -> None:
        self._switch_to_wal(db)
        self._fill(db)

    def _fill(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")
        version = self._version(db)  # another process may have been quicker
        for since, schema in enumerate((_SCHEMA, _SINCE_2, _SINCE_3), 1):
            for statement in (
                schema.split(";") if version < since else ()
            ):  # executescript would commit before it begins
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")

    def _switch_to_wal(self, db: sqlite3.Connection) -> None:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            self._refuse("its file system cannot share memory between processes", "put it on a local disk")

    def _drop(self) -> None:
        # A file that was moved away keeps its journal: SQLite itself checks that before it tidies up.
        if self._db is not None:
            self._db.close()
        self._db = self._identity = None


def _end_of(work: Work[Result], db: sqlite3.Connection) -> Result | Exception:
    """What `work` returns or raises. What SQLite itself raises is everybody's, and is raised."""
    db.execute("SAVEPOINT work")
    end: Result | Exception
    try:
        end = work(db)
    except (OutlastError, ValueError, TypeError, LookupError, ArithmeticError) as error:  # a refusal, a damaged row
        db.execute("ROLLBACK TO work")
        end = error
    db.execute("RELEASE work")
    return end


def _identify(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return _Identity(found.st_dev, found.st_ino)


def _hint(code: int, path: Path) -> str:
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "another process holds it; see who: fuser " + str(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return f"this user must be able to write {path} and its folder {path.parent}"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "restore a backup, or move it away: a new one fills itself from the sentinels, but for orders, pins and the audit log"
        case sqlite3.SQLITE_FULL:
            return f"the disk is full: make room in {path.parent}"
        case sqlite3.SQLITE_IOERR:
            return f"the disk under {path.parent} is failing or full"
    return "this is a bug of outlast or a file changed by hand"


def _os_hint(error: OSError, path: Path) -> str:
    match error:
        case FileNotFoundError():
            return f"make its folder: mkdir -p {path.parent}"
        case PermissionError():
            return f"this user must be able to write {path} and its folder {path.parent}"
        case IsADirectoryError() | NotADirectoryError():
            return "name a file in a folder that exists"
    return f"look at the disk under {path.parent}"
