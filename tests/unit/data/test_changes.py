"""Batches as text."""

import json

import pytest

from outlast.data.changes import BATCH_LIMIT, Batch, Change, Origin

BATCH = Batch(origin=Origin("east", "m1"), changes=(Change(sequence=1, key="k", value="ü", at=5),))


def test_a_batch_reads_back() -> None:
    """`from_json` undoes `to_json`, with and without changes."""
    empty = Batch(origin=BATCH.origin, changes=())

    assert (BATCH, empty) == (Batch.from_json(BATCH.to_json()), Batch.from_json(empty.to_json()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"origin": ["e"], "changes": []}',
        '{"origin": [1, 2], "changes": []}',
        '{"origin": ["e", "m"], "changes": [{"sequence": "1", "key": "k", "value": "v", "at": 1}]}',
        '{"origin": ["e", "m"], "changes": [{"sequence": 1, "key": "k", "value": null, "at": 1}]}',
        '{"origin": ["e", "m"], "changes": [{"sequence": true, "key": "k", "value": "v", "at": 1}]}',
        '{"origin": ["e", "m"], "changes": [{"sequence": 1, "key": "k", "at": 1}]}',
    ],
)
def test_what_is_no_batch_is_refused(text: str) -> None:
    """Anything else is a `ValueError`."""
    with pytest.raises(ValueError, match="not a batch"):
        Batch.from_json(text)


def test_a_batch_over_the_limit_is_refused() -> None:
    """As many changes as the limit are read, one more is not."""
    change = json.loads(BATCH.to_json())["changes"][0]
    texts = [json.dumps({"origin": ["e", "m"], "changes": [change] * n}) for n in (BATCH_LIMIT, BATCH_LIMIT + 1)]

    assert BATCH_LIMIT == len(Batch.from_json(texts[0]).changes)
    with pytest.raises(ValueError, match="more than"):
        Batch.from_json(texts[1])
