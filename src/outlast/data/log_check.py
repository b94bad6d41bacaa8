"""Whether SQLite's write-ahead log was damaged, or only torn by a cut.

SQLite reads the log up to the first frame whose checksum is wrong and forgets the rest without a word. After a power cut
that is right: the rest was never synced, so nobody was told that it is kept. But each commit is synced before the next
begins, so a cut leaves the end of one commit at most behind a bad frame. Two or more mean that what had been synced has
changed since, and that messages which were acknowledged would go with it.

https://www.sqlite.org/fileformat2.html#walformat
"""

import struct
from pathlib import Path

HEADER = struct.Struct(">IIIIIIII")
FRAME = struct.Struct(">IIIIII")
MAGIC = 0x377F0682
"""The last bit tells the order of bytes in checksums."""
PAGE = 4096
"""Bytes of a page, where the header cannot tell."""
SIZE_LIMIT = 16 << 20
"""Bytes. The log is cut back to 1 MiB after each checkpoint; a longer one is left to SQLite, for this takes a second."""


def is_damaged(log: Path) -> bool:
    """Return whether commits that had been synced cannot be read any more."""
    try:
        if log.stat().st_size > SIZE_LIMIT:
            return False
        content = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(content) < HEADER.size:
        return False
    magic, _, page, _, *salts, first, second = HEADER.unpack_from(content)
    order = ">" if magic & 1 else "<"
    sums = _checksum(content[: HEADER.size - 8], order, (0, 0))
    if magic & ~1 != MAGIC or sums != (first, second):
        return _count_commits(content, HEADER.size, PAGE, None) > 1
    at, step = HEADER.size, FRAME.size + page
    while at + step <= len(content):
        _, _, *frame_salts, first, second = FRAME.unpack_from(content, at)
        sums = _checksum(content[at : at + 8], order, sums)
        sums = _checksum(content[at + FRAME.size : at + step], order, sums)
        if frame_salts != salts or sums != (first, second):
            return _count_commits(content, at, page, salts) > 1
        at += step
    return False


def _count_commits(content: bytes, at: int, page: int, salts: list[int] | None) -> int:
    """Return how many frames from `at` on end a commit of this log."""
    count, step = 0, FRAME.size + page
    while at + step <= len(content):
        number, pages, *frame_salts, _, _ = FRAME.unpack_from(content, at)
        salts = salts or frame_salts  # the header is lost: those of the first frame
        count += number > 0 and pages > 0 and frame_salts == salts
        at += step
    return count


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = iter(struct.unpack(f"{order}{len(data) // 4}I", data))
    for even, odd in zip(words, words, strict=True):
        one = (one + even + two) & 0xFFFFFFFF
        two = (two + odd + one) & 0xFFFFFFFF
    return one, two
