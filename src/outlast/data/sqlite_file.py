"""Opening an SQLite file of ours: whose it is, whether it is sound, and what SQLite's errors mean.

WAL with synchronous=FULL: what was acknowledged survives a power cut. A damaged file is refused, never repaired or
removed here: what can still be read from it is a person's to save.
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from outlast.data.log_check import is_damaged
from outlast.errors import Unavailable

SIDE_FILES = ("-wal", "-shm")
"""Files that SQLite keeps beside the database; they belong to it and move with it."""
CHECKPOINT_PAGES = 256
"""Pages (of 4 KiB) in the write-ahead log before it is folded into the database: bounds what a full disk must hold."""
JOURNAL_BYTES = 1 << 20
"""What the write-ahead log is cut back to after a large transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What a file of one kind looks like.

    Args:
        noun: What the kind is called in messages.
        application: In the file's header: a file of somebody else's is not ours to fill.
        version: Of the schema.
        schema: Statements, separated by semicolons.

    """

    noun: str
    application: int
    version: int
    schema: str


def open_file(
    path: Path,
    form: Format,
    *,
    is_exclusive: bool,
    is_synced: bool = True,
    busy_timeout: float = 5.0,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Open the file, and make it with mode 0600 if there is none.

    Args:
        path: The file; its folder must exist.
        form: What it must look like.
        is_exclusive: No other process uses it: SQLite then needs no shared memory beside it.
        is_synced: Whether each commit waits for the disk.
        busy_timeout: Seconds to wait for another process's transaction.
        factory: The class of the connection.

    Raises:
        Unavailable: It cannot be used; the hint says what to do.

    """
    refuse_lost_database(path, form)
    if is_exclusive and is_synced:  # others may be writing the log; and without syncs a cut may leave anything
        refuse_damaged_log(path, form)
    try:
        # SQLite gives its side files the mode of the database, so the mode is right before SQLite comes.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise Unavailable(f"{form.noun} {path}: {error.strerror}", hint=f"look at {path.parent}") from error
    db = None
    try:
        db = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, factory=factory)
        _prepare(db, path, form, is_exclusive=is_exclusive, is_synced=is_synced)
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise explain(error, path, form) from error
    except BaseException:
        if db is not None:
            db.close()
        raise
    return db


def refuse_lost_database(path: Path, form: Format) -> None:
    """Refuse an empty database beside a full log: SQLite would take it for new and remove the log."""
    log = Path(f"{path}-wal")
    is_lost = not path.exists() or path.stat().st_size == 0
    if is_lost and log.exists() and log.stat().st_size:
        raise Unavailable(f"{form.noun} {path}: the file is gone, but its log {log} is not", hint=quarantine(path))


def refuse_damaged_log(path: Path, form: Format) -> None:
    """Refuse a log that lost what had been synced: SQLite would pass over it in silence."""
    log = Path(f"{path}-wal")
    if is_damaged(log):
        raise Unavailable(
            f"{form.noun} {path}: its log {log} is damaged, what it acknowledged last would be lost",
            hint=quarantine(path),
        )


def explain(error: sqlite3.Error, path: Path, form: Format) -> Unavailable:
    """Return the error of ours that says what `error` means for the file and what to do."""
    return Unavailable(f"{form.noun} {path}: {error}", hint=_hint(primary_code(error), path))


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, or 0 for an error of the module itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def quarantine(path: Path) -> str:
    """Return how to put a damaged file aside without losing what can still be saved."""
    moves = " ".join(f"{path}{suffix}" for suffix in ("", *SIDE_FILES))
    return (
        f"nothing was removed. Put it aside: mkdir {path}.damaged && mv {moves} {path}.damaged/ (those that exist);"
        f" save what can be read: sqlite3 {path}.damaged/{path.name} .recover"
    )


def _prepare(db: sqlite3.Connection, path: Path, form: Format, *, is_exclusive: bool, is_synced: bool) -> None:
    if is_exclusive:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA temp_store = MEMORY")  # no temporary files on a disk that may be full
    if not _is_ours(db, path, form):
        _fill(db, path, form)
    else:
        (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise Unavailable(f"{form.noun} {path} is damaged: {verdict}", hint=quarantine(path))
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    db.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
    db.execute("PRAGMA fullfsync = ON")  # macOS only: there a plain sync stops at the disk's own cache
    db.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")


def _fill(db: sqlite3.Connection, path: Path, form: Format) -> None:
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # so that a drained backlog can be given back to the disk
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise Unavailable(f"{form.noun} {path}: its file system cannot lock", hint="put it on a local disk")
    db.execute("BEGIN IMMEDIATE")
    if not _is_ours(db, path, form):  # another process may have been quicker
        for statement in form.schema.split(";"):  # executescript would commit before it begins
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {form.application}")
        db.execute(f"PRAGMA user_version = {form.version}")
    db.execute("COMMIT")


def _is_ours(db: sqlite3.Connection, path: Path, form: Format) -> bool:
    application, version, tables = db.execute(
        "SELECT (SELECT application_id FROM pragma_application_id),"
        " (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)"
    ).fetchone()
    if application == form.application and version != form.version:
        raise Unavailable(
            f"{form.noun} {path}: its schema is version {version}, not {form.version}",
            hint="use the version of outlast that made it",
        )
    if application != form.application and tables:
        raise Unavailable(f"{form.noun} {path}: it is the database of another program", hint="name another file")
    return bool(application == form.application)


def _hint(code: int, path: Path) -> str:
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another process holds it; see who: fuser {path}"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return f"this user must be able to write {path} and its folder {path.parent}"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return quarantine(path)
        case sqlite3.SQLITE_FULL:
            return f"no room: make some in {path.parent}, or raise the bound"
        case sqlite3.SQLITE_IOERR:
            return f"the disk under {path.parent} is failing; open the file again when it is well"
    return "this is a bug of outlast or a file changed by hand"
