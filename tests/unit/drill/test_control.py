"""The control file: what redirects a child and what does not."""

import json
import os
from pathlib import Path

import pytest

from outlast.drill.control import Control, Direction, redirect

START = Direction(0, ("a.test",), ("127.0.0.1", 53))


def test_what_is_left_out_stays() -> None:
    """Orders that name only an epoch keep names and server."""
    assert START._replace(epoch=1) == redirect(START, {"epoch": 1})


@pytest.mark.parametrize("orders", [[], {"names": []}, {"nameserver": ["127.0.0.1"]}, {"epoch": "two"}])
def test_orders_of_the_wrong_shape_raise(orders: object) -> None:
    """Nothing is half applied."""
    with pytest.raises((TypeError, ValueError)):
        redirect(START, orders)


def test_change_is_reported_once(tmp_path: Path) -> None:
    """A new file is reported at the next poll and not again."""
    path = tmp_path / "control.json"
    control = Control(str(path), START)
    before = control.poll()
    path.write_text(json.dumps({"epoch": 2, "names": ["b.test"], "nameserver": ["127.0.0.1", 54]}))

    assert (None, Direction(2, ("b.test",), ("127.0.0.1", 54)), None) == (before, control.poll(), control.poll())


def test_half_written_file_is_read_again(tmp_path: Path) -> None:
    """A file that cannot be parsed changes nothing until it can."""
    path = tmp_path / "control.json"
    control = Control(str(path), START)
    path.write_text('{"epoch": ')
    first = control.poll()
    path.write_text('{"epoch": 3}')
    os.utime(path, (1, 1))

    assert (None, START._replace(epoch=3)) == (first, control.poll())


def test_without_a_file_nothing_ever_changes() -> None:
    """No path, no change."""
    assert Control(None, START).poll() is None
