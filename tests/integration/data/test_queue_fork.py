"""A process that forks while it has a queue open. What a child does must not reach its parent's file."""

import subprocess
import sys
from pathlib import Path

import pytest

from outlast.data.queue import Queue

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
