"""A process that forks while it has a queue or a region store open. What a child does must not reach its parent's file."""

import subprocess
import sys
from pathlib import Path

import pytest

from outlast.data.queue import Queue
from outlast.data.region import RegionStore

PARENT = """
import os, signal, sys, time
from outlast.data.queue import Queue
from outlast.errors import Unavailable
def child(queue):
    try:
        queue.put(b"x")
    except Unavailable as error:
        print(error, flush=True)
    if sys.argv[2] == "lives":
        sys.stdout.close()
        os.close(1)
        time.sleep(30)
    sys.exit(0)
with Queue(sys.argv[1]) as queue:
    queue.drain(lambda message: None, gate=lambda: False)
    for _ in range(20):
        queue.put(b"before")
    pid = os.fork()
    if pid == 0:
        child(queue)
    if sys.argv[2] == "leaves":
        os.waitpid(pid, 0)
    for _ in range(20):
        queue.put(b"after")
    print(pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


STORE = """
import os, sys
from outlast.data.region import RegionStore
from outlast.errors import Unavailable
with RegionStore(sys.argv[1], "east") as store:
    store.put("before", "x")
    pid = os.fork()
    if pid == 0:
        try:
            store.put("child", "x")
        except Unavailable as error:
            print(error, flush=True)
        sys.exit(0)
    os.waitpid(pid, 0)
    store.put("after", "x")
    print(store.count(), flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_a_forked_child_of_a_region_store_harms_nothing(tmp_path: Path) -> None:
    """A child is told to open its own store, and what it closes costs its parent nothing."""
    path = tmp_path / "east"
    done = subprocess.run([sys.executable, "-c", STORE, path], capture_output=True, text=True, check=False, timeout=60)
    with RegionStore(path, "east") as store:
        count = store.count()

    assert "open a store after the fork" in done.stdout
    assert 2 == count


@pytest.mark.slow
@pytest.mark.parametrize("fate", ["leaves", "lives"])
def test_a_forked_child_harms_nothing(tmp_path: Path, fate: str) -> None:
    """A child is refused; neither leaving the `with` nor outliving its parent costs the parent a message or the lock."""
    path = tmp_path / "spool"
    done = subprocess.run(
        [sys.executable, "-c", PARENT, path, fate], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    with Queue(path) as queue:
        depth = queue.stats().depth
    if fate == "lives":
        subprocess.run(["kill", "-9", done.stdout.split()[-1]], check=True)

    assert "open a queue after the fork" in done.stdout
    assert 40 == depth
