"""A disk that loses its power: everything SQLite writes is recorded, and a cut leaves what such a disk may leave.

SQLite reaches files through a table of functions. A copy of that table, in which open, write, truncate, sync and delete
also write into a log, is made the default; the library and the code under test are the ones that ship. A cut at any
place of the log leaves each file as it was last synced, and of what came after it an arbitrary part: each write whole,
not at all, or some of its sectors, in spite of their order. What a disk does that lies about its syncs is not modelled.
"""

import _sqlite3
import contextlib
import ctypes
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

SECTOR = 512
LOGS = ("-wal", "-journal")
OK = 0

_Pointer = ctypes.c_void_p
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, _Pointer, ctypes.c_int, _Pointer)
_DELETE = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_char_p, ctypes.c_int)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, _Pointer, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, _Pointer, ctypes.c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("path_length", ctypes.c_int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Pointer),
        ("delete", _Pointer),
        ("others", _Pointer * 14),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("close", _Pointer),
        ("read", _Pointer),
        ("write", _Pointer),
        ("truncate", _Pointer),
        ("sync", _Pointer),
        ("others", _Pointer * 13),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", ctypes.POINTER(_Methods)),)


class Write(NamedTuple):
    """Bytes at a place."""

    name: str
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """A new end."""

    name: str
    size: int


class Sync(NamedTuple):
    """What was written before is on the disk."""

    name: str


class Delete(NamedTuple):
    """The file is gone; unless the folder was synced too, a cut may bring it back."""

    name: str
    is_synced: bool


class Told(NamedTuple):
    """Something that the program had told somebody by then."""

    what: str
    message: str


Step: TypeAlias = Write | Truncate | Sync | Delete | Told


def library() -> Any:
    """Return the SQLite that Python uses, or raise `AttributeError` if it hides its functions."""
    found = ctypes.CDLL(_sqlite3.__file__)
    found.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    found.sqlite3_vfs_register.argtypes = (ctypes.POINTER(_Vfs), ctypes.c_int)
    return found


class Recorder:
    """Records what SQLite does to the files that are opened meanwhile. Only one at a time may record.

    Args:
        sync_seconds: By which each sync takes longer.

    """

    def __init__(self, *, sync_seconds: float = 0.0) -> None:
        self._sync_seconds = sync_seconds
        self.log: list[Step] = []
        self._names: dict[int, str] = {}
        self._copies: dict[int, _Methods] = {}

    def tell(self, what: str, message: str) -> None:
        """Log that the program told somebody something."""
        self.log.append(Told(what, message))

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record files that are opened within."""
        sqlite = library()
        original = sqlite.sqlite3_vfs_find(None)
        copy = _Vfs.from_buffer_copy(original.contents)
        copy.name = b"recorder"
        real_open, real_delete = _OPEN(copy.open), _DELETE(copy.delete)

        def on_open(vfs: int, name: int, file: int, flags: int, out: int) -> int:
            code = real_open(vfs, name, file, flags, out)
            if code == OK and name:
                self._tap(file, ctypes.string_at(name).decode())
            return int(code)

        def on_delete(vfs: int, name: bytes, is_synced: int) -> int:
            code = real_delete(vfs, name, is_synced)
            self.log.append(Delete(Path(name.decode()).name, bool(is_synced)))
            return int(code)

        self._callbacks: list[Any] = [_OPEN(on_open), _DELETE(on_delete)]
        copy.open, copy.delete = (ctypes.cast(one, _Pointer) for one in self._callbacks)
        sqlite.sqlite3_vfs_register(ctypes.byref(copy), 1)
        try:
            yield
        finally:
            sqlite.sqlite3_vfs_unregister(ctypes.byref(copy))
            sqlite.sqlite3_vfs_register(original, 1)

    def _tap(self, address: int, path: str) -> None:
        file = _File.from_address(address)
        self._names[address] = Path(path).name
        where = ctypes.addressof(file.methods.contents)
        if where not in self._copies:
            self._copies[where] = self._copy(file.methods.contents)
        file.methods = ctypes.pointer(self._copies[where])

    def _copy(self, methods: _Methods) -> _Methods:
        copy = _Methods.from_buffer_copy(methods)
        write, truncate, sync = _WRITE(copy.write), _TRUNCATE(copy.truncate), _SYNC(copy.sync)

        def on_write(file: int, data: int, length: int, offset: int) -> int:
            self.log.append(Write(self._names[file], offset, ctypes.string_at(data, length)))
            return int(write(file, data, length, offset))

        def on_truncate(file: int, size: int) -> int:
            self.log.append(Truncate(self._names[file], size))
            return int(truncate(file, size))

        def on_sync(file: int, flags: int) -> int:
            code = int(sync(file, flags))
            time.sleep(self._sync_seconds)
            self.log.append(Sync(self._names[file]))
            return code

        mine = [_WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync)]
        self._callbacks += mine
        copy.write, copy.truncate, copy.sync = (ctypes.cast(one, _Pointer) for one in mine)
        return copy


@dataclass
class _Platter:
    """One file: what is synced, and what may or may not be there."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)
    was_synced: bool = False

    def sync(self) -> None:
        self.was_synced = True
        for step in self.pending:
            _apply(self.synced, step)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random) -> bytearray:
        left = bytearray(self.synced)
        kept = chance.choice([0.0, 0.5, 0.9, 1.0])  # from a disk that wrote nothing to one that wrote all
        for step in self.pending:
            if isinstance(step, Write) and chance.random() < 0.2:
                for sector in _sectors(step):
                    if chance.random() < kept:
                        _apply(left, sector)
            elif chance.random() < kept:
                _apply(left, step)
        return left


def _sectors(write: Write) -> list[Write]:
    begins = range(0, len(write.data), SECTOR)
    return [Write(write.name, write.offset + begin, write.data[begin : begin + SECTOR]) for begin in begins]


def _apply(content: bytearray, step: Write | Truncate) -> None:
    if isinstance(step, Truncate):
        del content[step.size :]
        return
    if len(content) < step.offset:
        content.extend(bytes(step.offset - len(content)))
    content[step.offset : step.offset + len(step.data)] = step.data


class Cut(NamedTuple):
    """What a cut left, and what had been told before it."""

    at: int
    files: dict[str, bytes]
    told: list[Told]


def cuts(log: list[Step], places: list[int], chance: random.Random) -> Iterator[Cut]:
    """Yield what is left by a cut before each of the steps at `places`, which ascend."""
    platters: dict[str, _Platter] = {}
    ghosts: dict[str, _Platter] = {}
    told: list[Told] = []
    wanted = iter(places)
    place = next(wanted, None)
    for at, step in enumerate(log):
        while place == at:
            back = {name: ghost for name, ghost in ghosts.items() if chance.random() < 0.5}
            left = {name: bytes(p.after_a_cut(chance)) for name, p in (platters | back).items()}
            yield Cut(at, left, list(told))
            place = next(wanted, None)
        match step:
            case Told():
                told.append(step)
            case Delete():
                gone = platters.pop(step.name, None)
                if gone is not None and not step.is_synced:
                    ghosts[step.name] = gone
            case Sync():
                platter = platters.setdefault(step.name, _Platter())
                if not platter.was_synced and step.name.endswith(LOGS):
                    ghosts.clear()  # with the first sync of a log SQLite syncs the folder
                platter.sync()
            case Write() | Truncate():
                platters.setdefault(step.name, _Platter()).pending.append(step)
