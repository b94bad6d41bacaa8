"""Options of the drill's children: read from JSON, refused with a reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from outlast.drill.child import Lines, read_options
from outlast.drill.load.generator import Generator
from outlast.drill.load.options import LoadOptions
from outlast.drill.observer import ObserverOptions
from outlast.drill.service import ServiceOptions
from outlast.errors import InvalidConfig

LOAD: dict[str, Any] = {
    "group": "g",
    "kind": "plain",
    "output": "x",
    "names": ["a.test"],
    "nameserver": ["127.0.0.1", 53],
    "port": 80,
}
OBSERVER: dict[str, Any] = {"names": ["a.test"], "nameserver": ["127.0.0.1", 53], "output": "x"}
SERVICE: dict[str, Any] = {"region": "east", "database": "db", "output": "x", "listen": [["127.0.0.1", 0]]}


def read(tmp_path: Path, kind: type[Any], fields: object) -> Any:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(fields))
    return read_options(kind, path)


def test_lists_become_tuples(tmp_path: Path) -> None:
    """Options read from JSON equal those built in Python."""
    expected = LoadOptions(**{**LOAD, "names": ("a.test",), "nameserver": ("127.0.0.1", 53)})

    assert expected == read(tmp_path, LoadOptions, LOAD)


@pytest.mark.parametrize("rate", [0.001, 60])
def test_rate_within_its_limits(tmp_path: Path, rate: float) -> None:
    """A rate just inside the limits is taken."""
    assert rate == read(tmp_path, LoadOptions, {**LOAD, "rate": rate}).rate


@pytest.mark.parametrize(
    ("kind", "fields", "fault"),
    [
        (LoadOptions, {**LOAD, "rate": 0}, "rate = 0"),
        (LoadOptions, {**LOAD, "rate": 60.1}, "rate = 60.1"),
        (LoadOptions, {**LOAD, "caches": 3}, "caches = 3"),
        (LoadOptions, {**LOAD, "names": []}, "names"),
        (LoadOptions, {**LOAD, "deadline": 0}, "deadline = 0"),
        (LoadOptions, {**LOAD, "write_share": 1.1}, "write_share = 1.1"),
        (LoadOptions, {**LOAD, "colour": "red"}, "colour"),
        (LoadOptions, {"group": "g"}, "missing"),
        (LoadOptions, [], "not a JSON object"),
        (ObserverOptions, {**OBSERVER, "interval": 0}, "interval = 0"),
        (ObserverOptions, {**OBSERVER, "timeout": 11}, "timeout = 11"),
        (ServiceOptions, {**SERVICE, "sockets": [3]}, "either"),
        (ServiceOptions, {**SERVICE, "connection_age": 0}, "connection_age = 0"),
        (ServiceOptions, {**SERVICE, "keys": 10_001}, "keys = 10001"),
    ],
)
def test_wrong_options_are_refused_by_name(tmp_path: Path, kind: type[Any], fields: object, fault: str) -> None:
    """An option out of its limits, unknown or missing is named in the error."""
    with pytest.raises(InvalidConfig, match=fault):
        read(tmp_path, kind, fields)


@pytest.mark.parametrize(("kind", "fault"), [("fancy", "plain-two-regions"), ("plain-two-regions", "needs 2")])
def test_kind_must_be_known_and_have_its_names(tmp_path: Path, kind: str, fault: str) -> None:
    """An unknown kind is answered with the known ones; a kind with two regions wants two names."""
    options = read(tmp_path, LoadOptions, {**LOAD, "kind": kind})

    with pytest.raises(InvalidConfig, match=fault):
        Generator(options, lambda _event, _fields: None)


def test_lines_are_whole_as_soon_as_they_are_written(tmp_path: Path) -> None:
    """A reader sees each line complete while the file is open."""
    path = tmp_path / "lines.jsonl"
    lines = Lines(str(path))
    lines.write("ready", {"t": 1.5})
    seen = path.read_text()
    lines.close()

    assert seen == '{"event":"ready","t":1.5}\n'
