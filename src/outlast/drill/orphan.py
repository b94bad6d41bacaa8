"""A child of the drill never outlives the drill, however the drill ends.

Two nets, because each has a hole. The parent holds the write end of the pipe that is our standard input, so its death
closes the pipe on every system; but a sibling that inherited the same end would keep it open. Linux can also kill us
by itself when the parent dies; but only Linux can.

Run as `python -m outlast.drill.orphan MODULE ARGUMENTS…`: the nets are out before MODULE is loaded, which can take
seconds, and then it runs as `python -m MODULE ARGUMENTS…` would.
"""

import ctypes
import os
import runpy
import sys
import threading

# Linux, include/uapi/linux/prctl.h.
PR_SET_PDEATHSIG = 1
SIGKILL = 9

STDIN = 0
ORPHANED = 3  # our exit status when the parent is gone


def die_with_parent() -> None:
    """End this process when its parent is gone; call it first thing in a child.

    The child must be started with a pipe as standard input and nothing may be written to it. On Linux the parent is
    strictly the *thread* that started us: start children from a thread that lives as long as they should.
    Output that is still buffered in Python is lost, so files that matter are line-buffered.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    threading.Thread(target=_wait_for_end_of_input, name="die-with-parent", daemon=True).start()


def _wait_for_end_of_input() -> None:
    try:
        while os.read(STDIN, 4096):
            pass
    except OSError:
        pass  # no standard input at all: nobody holds the other end
    os._exit(ORPHANED)


if __name__ == "__main__":
    die_with_parent()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
