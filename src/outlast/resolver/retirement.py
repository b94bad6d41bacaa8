"""Reads one thing from the sentinel beside an endpoint: whether the endpoint was given up on purpose.

A small reader of its own, because the data plane must not need the control plane's code to go on answering.
"""

import re

LABEL = "_outlast"

_RETIRED = re.compile(r"v=1 (?:[!-~]+ )*st=retired(?: [!-~]+)*")


def sentinel_name(name: str) -> str:
    """The owner name of a name's sentinel."""
    return f"{LABEL}.{name}"


def is_retired(texts: tuple[str, ...]) -> bool:
    """Whether these TXT strings are one readable sentinel that says `st=retired`.

    Anything else, two sentinels or an unknown version for example, says nothing: last-known-good addresses are not
    given up on evidence that cannot be read.
    """
    return len(texts) == 1 and _RETIRED.fullmatch(texts[0]) is not None
