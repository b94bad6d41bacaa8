"""The file that survives a restart: what it keeps, who may read it, and what damage does to it."""

import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outlast.resolver.known import Known, learn
from outlast.resolver.store import MAX_NETWORKS, Store

NAME = "db.example.com"


def known(address: str = "192.0.2.1", *, wall: float = 100.0, name: str = NAME) -> dict[str, Known]:
    return {name: learn(None, name, (address,), wall=wall, gap=60.0)}


def store(path: Path, identity: str = "home") -> Store:
    return Store(path, identity, max_names=100)


def read(path: Path, identity: str = "home") -> dict[str, Known]:
    found: dict[str, Known] = {}
    store(path, identity).refresh(found)
    return found


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """A new store on the same file knows what the old one knew; only its owner may read it, and nothing else is left."""
    path = tmp_path / "known"
    store(path).save(known(), wall=100.0)

    assert known() == read(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(tmp_path.iterdir())


def test_networks_are_kept_apart(tmp_path: Path) -> None:
    """What was learnt from other upstreams is not answered here, is not lost either, and does not grow for ever."""
    path = tmp_path / "known"
    store(path).save(known(), wall=100.0)
    store(path, "hotel").save(known("10.0.0.1"), wall=100.0)

    assert known() == read(path)
    assert known("10.0.0.1") == read(path, "hotel")
    for number in range(MAX_NETWORKS):
        store(path, f"hotel {number}").save(known("10.0.0.1"), wall=100.0)
    assert {} == read(path)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other", "writable"])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with the file, nothing of it is used, it stays for inspection, it is told, and writing goes on."""
    path = tmp_path / "known"
    store(path).save(known(), wall=100.0)
    data = path.read_bytes()
    changed = {"cut": data[:-5], "flipped": data.replace(b"192.0.2.1", b"192.0.2.6"), "empty": b"", "other": b"{}\n"}
    path.write_bytes(changed.get(damage, data))
    path.chmod(0o622 if damage == "writable" else 0o600)
    mine = store(path)
    found: dict[str, Known] = {}
    mine.refresh(found)

    assert {} == found
    assert "is set aside" in mine.fault
    assert "is set aside" in caplog.text
    assert 1 == len(list(tmp_path.glob("known.damaged-*")))
    mine.save(known("192.0.2.2"), wall=101.0)
    assert known("192.0.2.2") == read(path)
    assert "" == mine.fault


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Without its folder nothing is kept; that is a fault to read, not an error to handle."""
    mine = store(tmp_path / "missing" / "known")
    mine.save(known(), wall=100.0)

    assert "cannot be written" in mine.fault


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Each takes over what the other learnt, before it writes and when it looks again."""
    path = tmp_path / "known"
    mine, theirs = store(path), store(path)
    ours = known("192.0.2.1", name="a.example")
    mine.save(ours, wall=100.0)
    others = known("192.0.2.2", name="b.example")
    theirs.save(others, wall=101.0)
    mine.refresh(ours)

    assert {"a.example", "b.example"} == set(read(path)) == set(ours) == set(others)


def test_forgetting_reaches_every_process(tmp_path: Path) -> None:
    """A name that one process forgets is forgotten by the others when they look, and they do not write it again."""
    path = tmp_path / "known"
    mine, theirs, ours = store(path), store(path), known()
    mine.save(ours, wall=100.0)
    theirs.save({}, wall=200.0, forget=frozenset({NAME}))
    gone = mine.refresh(ours)
    mine.save(ours, wall=201.0)

    assert {NAME} == gone
    assert {} == ours == read(path)


def test_the_file_is_bounded(tmp_path: Path) -> None:
    """Only the names learnt last are written."""
    path = tmp_path / "known"
    many = {f"n{n}.example": learn(None, f"n{n}.example", ("192.0.2.1",), wall=1.0, gap=1.0) for n in range(150)}
    store(path).save(many, wall=2.0)

    assert [f"n{n}.example" for n in range(50, 150)] == list(read(path))


def test_what_is_too_large_to_be_read_is_not_written(tmp_path: Path) -> None:
    """Other networks go first, then the names learnt longest ago, until the next reader takes the file."""
    path = tmp_path / "known"
    many = {f"n{n}.example": learn(None, f"n{n}.example", ("192.0.2.1",), wall=1.0, gap=1.0) for n in range(100)}
    for identity in ("hotel", "home"):
        Store(path, identity, max_names=100, max_bytes=5_000).save(dict(many), wall=2.0)
    reader, found = Store(path, "home", max_names=100, max_bytes=5_000), dict[str, Known]()
    reader.refresh(found)

    assert "" == reader.fault
    assert [f"n{n}.example" for n in range(50, 100)] == list(found)
    assert {} == read(path, "hotel")


def test_resolvers_of_one_process_share_a_file(tmp_path: Path) -> None:
    """Threads that write at the same time neither disturb one another nor leave half a document."""
    path = tmp_path / "known"

    def write(number: int) -> str:
        mine, names = store(path), known(name=f"n{number}.example")
        for _ in range(30):
            mine.save(names, wall=100.0)
        return mine.fault

    with ThreadPoolExecutor(4) as pool:
        faults = list(pool.map(write, range(4)))

    assert [""] * 4 == faults
    assert [path] == list(tmp_path.iterdir())
    assert read(path)


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    """Temporary files of long ago go with the first writing; a fresh one may be in use and stays."""
    path = tmp_path / "known"
    old, fresh = tmp_path / "known.1-00.tmp", tmp_path / "known.2-00.tmp"
    for left in (old, fresh):
        left.touch()
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    store(path).save(known(), wall=100.0)

    assert [path, fresh] == sorted(tmp_path.iterdir())


WRITER = """
import sys
from pathlib import Path
from outlast.resolver.known import learn
from outlast.resolver.store import Store

names = {f"n{n}.example": learn(None, f"n{n}.example", ("192.0.2.1",), wall=1.0, gap=1.0) for n in range(3000)}
store = Store(Path(sys.argv[1]), "home", max_names=100_000)
store.save(names, wall=2.0)
print("ready", flush=True)
while True:
    store.save(names, wall=2.0)
"""


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    """However often a process is killed while it writes, the file that is found holds one of its documents, and all of it."""
    path = tmp_path / "known"
    found = []
    for turn in range(5):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.013 * turn)
            writer.send_signal(signal.SIGKILL)
        reader, names = store(path), dict[str, Known]()
        reader.refresh(names)
        found.append((reader.fault, len(names)))

    assert [("", 3000)] * 5 == found
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
