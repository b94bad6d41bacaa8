"""Messages put in one statement are what they would be put one by one: the same answers, the same tables."""

import sqlite3
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outlast.data.records import Kept, New, Put
from outlast.data.spool import Spool
from outlast.data.spool_format import FORMAT, Limits
from outlast.errors import OutlastError

TABLES = ("total", "message", "head", "expiry", "dead", "seen")
MESSAGES = st.builds(
    New,
    body=st.sampled_from([b"", b"1", b"x" * 300]),
    key=st.sampled_from([None, None, "a", "b"]),
    dedup=st.sampled_from([None, None, None, "x", "y"]),
    expires_at=st.sampled_from([None, None, 3, 30]),
)


class Twin:
    """A spool in memory whose tables can be compared."""

    def __init__(self, max_bytes: int) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        for statement in FORMAT.schema.split(";"):
            self._db.execute(statement)
        self._db.execute("UPDATE total SET tag = 'same'")
        self.spool = Spool(self._db, Limits(max_bytes=max_bytes))

    def tables(self) -> dict[str, list[Any]]:
        return {name: self._db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}

    def close(self) -> None:
        self._db.close()


def one_by_one(spool: Spool, puts: list[Put]) -> list[Kept | str]:
    answers: list[Kept | str] = []
    for put in puts:
        try:
            answers.append(spool.put(put.new, now=put.now, wall=put.wall))
        except OutlastError as error:
            answers.append(str(error))
    return answers


@settings(deadline=None)
@given(
    groups=st.lists(st.lists(MESSAGES, max_size=80), max_size=4),
    max_bytes=st.sampled_from([1000, 5000, 1 << 20]),
)
def test_together_is_as_one_by_one(groups: list[list[New]], max_bytes: int) -> None:
    """Whatever comes together, and however little room there is, answers and tables are the same."""
    alone, joined = Twin(max_bytes), Twin(max_bytes)
    expected: list[Kept | str] = []
    actual: list[Kept | str] = []
    for wall, group in enumerate(groups, start=1):
        puts = [Put(new, wall, wall) for new in group]
        expected += one_by_one(alone.spool, puts)
        actual += [one if isinstance(one, Kept) else str(one) for one in joined.spool.put_all(puts)]
    tables = alone.tables(), joined.tables()
    alone.close()
    joined.close()

    assert expected == actual
    assert tables[0] == tables[1]
