"""Processes that die, rival processes, and damaged files."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outlast.data.queue import Queue
from outlast.errors import OutlastError, Unavailable

PRODUCER = """
import sys, threading
from outlast.data.queue import Queue
lock = threading.Lock()
queue = Queue(sys.argv[1], reserve_bytes=0).__enter__()
def produce(name):
    for n in range(1_000_000):
        body = f"{name}-{n}"
        queue.put(body.encode(), dedup=body)
        with lock:
            print(body, flush=True)
def consume():
    while True:
        for message in queue.lease(2):
            with lock:
                print("got", message.body.decode(), flush=True)
            queue.ack(message.receipt)
            with lock:
                print("done", message.body.decode(), flush=True)
for name in sys.argv[2:]:
    threading.Thread(target=produce, args=(name,)).start()
consume()
"""


def start(path: Path, *names: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", PRODUCER, path, *names], stdout=subprocess.PIPE, text=True)


def kill(process: "subprocess.Popen[str]") -> list[str]:
    """Kill the process and return its whole lines, those after what has been read."""
    assert process.stdout is not None
    process.send_signal(signal.SIGKILL)
    # Not `communicate`: it reads past the stream's buffer, and would lose what an earlier `readline` left there.
    with process.stdout:
        text = process.stdout.read()
    process.wait(timeout=30)
    return text.split("\n")[:-1]


@pytest.mark.slow
def test_no_acknowledged_message_is_lost_by_killing(tmp_path: Path) -> None:
    """Twenty times a process is killed under load; every message whose put had returned was delivered or is kept."""
    path = tmp_path / "spool"
    acknowledged: set[str] = set()
    settled: set[str] = set()
    again: set[str] = set()
    in_hand: set[str] = set()
    for round_ in range(20):
        process = start(path, *(f"{round_}.{n}" for n in range(4)))
        assert process.stdout is not None
        lines: list[str] = []
        while sum(" " not in line for line in lines) < 10:
            lines.append(process.stdout.readline().strip())
        time.sleep(0.05 * (round_ % 3))
        lines += kill(process)
        got = {line[4:] for line in lines if line.startswith("got ")}
        again |= got & settled
        acknowledged |= {line for line in lines if " " not in line}
        settled |= {line[5:] for line in lines if line.startswith("done ")}
        acknowledged |= settled
        in_hand |= got - settled
    begun = {line for line in acknowledged if line not in settled}
    with Queue(path, reserve_bytes=0) as queue:
        left = set()
        while messages := queue.lease(500):
            for message in messages:
                left.add(message.body.decode())
                queue.ack(message.receipt)
        drained = queue.stats().drained

    assert set() == again
    assert len(settled) <= drained
    # A message without "done" was kept, or it was in hand, its removal was committed and the word did not come out.
    missing = begun - left
    assert missing <= in_hand
    assert len(missing) <= drained - len(settled) - len(left)
    assert 200 <= len(acknowledged)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """Whoever comes second learns the process that has the spool, and harms nothing."""
    path = tmp_path / "spool"
    process = start(path, "a")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(Unavailable, match=f"spool .*spool is in use by process {process.pid}"), Queue(path):
            pass
    finally:
        kill(process)
    with Queue(path) as queue:
        queue.put(b"now")


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """Two queues on one file in one process are as bad as in two."""
    with (
        Queue(tmp_path / "spool"),
        pytest.raises(Unavailable, match=f"in use by process {os.getpid()}"),
        Queue(tmp_path / "spool"),
    ):
        pass


def filled(path: Path) -> None:
    with Queue(path, reserve_bytes=0) as queue:
        for _ in range(200):
            queue.put(b"x" * 1000)


def refusal(path: Path) -> str:
    with pytest.raises(OutlastError) as caught, Queue(path, reserve_bytes=0):
        pass
    return str(caught.value)


@pytest.mark.parametrize("at", [0, 4096 * 20], ids=["header", "middle"])
def test_a_damaged_file_is_refused_and_kept(tmp_path: Path, at: int) -> None:
    """A damaged spool is refused with what to do, and not one byte of it changes."""
    path = tmp_path / "spool"
    filled(path)
    damaged = bytearray(path.read_bytes())
    damaged[at : at + 4096] = b"\xff" * 4096
    path.write_bytes(damaged)
    words = refusal(path)

    assert "nothing was removed. Put it aside: mkdir" in words
    assert damaged == path.read_bytes()


CRASHED = """
import os, sys
from outlast.data.queue import Queue
queue = Queue(sys.argv[1], reserve_bytes=0).__enter__()
for _ in range(30):
    queue.put(b"x" * 100)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("at", [0, 20, 0.5], ids=["header", "salt", "middle"])
def test_a_log_damaged_after_a_crash_is_refused_and_kept(tmp_path: Path, at: float) -> None:
    """One bit of the log costs everything behind it, which SQLite would forget without a word."""
    path, log = tmp_path / "spool", tmp_path / "spool-wal"
    subprocess.run([sys.executable, "-c", CRASHED, path], check=False, timeout=60)
    damaged = bytearray(log.read_bytes())
    damaged[int(at * len(damaged)) if at < 1 else int(at)] ^= 1
    log.write_bytes(damaged)
    words = refusal(path)

    assert "what it acknowledged last would be lost (nothing was removed" in words
    assert damaged == log.read_bytes()


def test_a_log_torn_by_a_crash_is_no_damage(tmp_path: Path) -> None:
    """What was not finished is at the end, and cut off."""
    path, log = tmp_path / "spool", tmp_path / "spool-wal"
    subprocess.run([sys.executable, "-c", CRASHED, path], check=False, timeout=60)
    content = bytearray(log.read_bytes())
    content[-100] ^= 1  # in the last commit's last page
    log.write_bytes(content)
    with Queue(path, reserve_bytes=0) as queue:
        depth = queue.stats().depth

    assert 29 == depth


LIMITED = """
import resource, sys
from outlast.data.queue import Queue
from outlast.errors import InvalidConfig
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
with Queue(sys.argv[1], max_bytes=32 << 20) as queue:
    print(queue.put(b"x").durable)
try:
    with Queue(sys.argv[1], max_bytes=(32 << 20) + 1):
        pass
except InvalidConfig as error:
    print(error)
"""


def test_a_limit_on_file_sizes_is_told_at_once(tmp_path: Path) -> None:
    """A process that may not write the files its bound asks for hears of it before anything is kept."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "spool"], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.startswith("fsync\nmax_bytes = 33,554,433 may need a file of 2 times as much")


def test_a_log_without_its_database_is_kept(tmp_path: Path) -> None:
    """If the database is emptied and its log is not, SQLite would remove the log; it is refused instead."""
    path = tmp_path / "spool"
    path.touch()
    log = tmp_path / "spool-wal"
    log.write_bytes(b"frames")

    assert "is not" in refusal(path)
    assert b"frames" == log.read_bytes()


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """A database that is not a spool is left alone."""
    path = tmp_path / "spool"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()

    assert "another program" in refusal(path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """A path in a folder that is not there says so."""
    assert "No such file" in refusal(tmp_path / "absent" / "spool")
