"""Whether the files that hold secrets are open to more than who needs them. It looks at their modes, never into them."""

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from outlast.audit.findings import Finding, Level

CHECK = "key file"
ROOT = 0
OTHERS = stat.S_IROTH | stat.S_IWOTH
GROUP = stat.S_IRGRP | stat.S_IWGRP


def examine_files(paths: Iterable[Path]) -> list[Finding]:
    """Judge each file as who runs this; nothing where modes mean nothing, or of a file that is not there."""
    if os.name != "posix":
        return []
    return [finding for path in dict.fromkeys(paths) for finding in judge_file(path, user=os.geteuid())]


def judge_file(path: Path, *, user: int) -> list[Finding]:
    """What is wrong with the mode of one file, for this user."""
    try:
        found = path.stat()
    except OSError:
        return []  # who needs what is in it says that
    mode, name = stat.S_IMODE(found.st_mode), shlex.quote(str(path))
    # A file of root's with a group is how a role that is not root reads its key: taking that away would stop the role.
    is_own = found.st_uid == user != ROOT
    if not mode & OTHERS and not (mode & GROUP and is_own):
        return []
    who = "everybody on this machine" if mode & OTHERS else "its whole group"
    fix = f"chmod 600 {name}" if is_own else f"chmod o= {name}, and let it belong to the user or the group of the roles"
    return [Finding(Level.WARN, CHECK, str(path), f"its mode is {mode:04o}: it is open to {who}", fix)]
