"""What the hazard roles accept as settings."""

import json
from pathlib import Path
from typing import Any

import pytest

from outlast.errors import InvalidConfig
from outlast.incidents.options import EnactorOptions, PlannerOptions, read
from outlast.incidents.plan import Endpoint

ENACTOR: dict[str, Any] = {
    "nameserver": "127.0.0.1",
    "port": 5300,
    "zone": "example.test.",
    "key_name": "drill.",
    "key_secret": "c2VjcmV0c2VjcmV0c2VjcmV0",
    "plans": "plans",
}
PLANNER: dict[str, Any] = {"endpoints": {"db.example.test.": ["127.0.1.1"]}, "plans": "plans"}


def write(folder: Path, document: object) -> Path:
    """Write an options file."""
    path = folder / "options.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_an_enactors_file_becomes_typed_options(tmp_path: Path) -> None:
    """Texts become paths and numbers stay numbers; the rest has its default."""
    options = read(EnactorOptions, write(tmp_path, ENACTOR | {"every": 1}))

    assert (Path("plans"), 5300, 1.0, 20) == (options.plans, options.port, options.every, options.keep)


def test_the_secret_is_not_shown(tmp_path: Path) -> None:
    """Options can be printed without giving the key away."""
    assert ENACTOR["key_secret"] not in repr(read(EnactorOptions, write(tmp_path, ENACTOR)))


def test_a_planners_file_becomes_typed_options(tmp_path: Path) -> None:
    """The object of endpoints becomes values."""
    options = read(PlannerOptions, write(tmp_path, PLANNER))

    assert (Endpoint("db.example.test.", ("127.0.1.1",)),) == options.endpoints


@pytest.mark.parametrize("address", ["192.0.2.53", "0.0.0.0", "10.0.0.1", "::", "2001:db8::1", "localhost", ""])
def test_a_nameserver_that_is_not_on_loopback_is_refused(tmp_path: Path, address: str) -> None:
    """Hazard mode never leaves loopback, and takes no name that could lead anywhere."""
    with pytest.raises(InvalidConfig, match="hazard mode never leaves loopback"):
        read(EnactorOptions, write(tmp_path, ENACTOR | {"nameserver": address}))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_nameserver_on_loopback_is_accepted(tmp_path: Path, address: str) -> None:
    """All of loopback is allowed."""
    assert read(EnactorOptions, write(tmp_path, ENACTOR | {"nameserver": address})).nameserver == address


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"port": 0}, "port = 0"),
        ({"port": 65536}, "port = 65536"),
        ({"port": True}, "a whole number is expected"),
        ({"zone": "a..b"}, "zone = 'a..b'"),
        ({"key_secret": "?"}, "no TSIG key"),
        ({"key_secret": ""}, "no TSIG key"),
        ({"key_algorithm": "rot13"}, "no TSIG key"),
        ({"role": "../a"}, "role = '../a'"),
        ({"every": 0}, "every = 0"),
        ({"every": "1"}, "every = '1': a number is expected"),
        ({"lock_lifetime": 0}, "lock_lifetime = 0"),
        ({"ttl": -1}, "ttl = -1"),
        ({"timeout": 0}, "timeout = 0"),
        ({"zome": "x"}, "zome: unknown; did you mean zone?"),
        ({"plans": 7}, "plans = 7: a path is expected"),
    ],
    ids=str,
)
def test_an_enactors_fault_is_named(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    """The message names the file, the key, the value and what is expected."""
    path = write(tmp_path, ENACTOR | changes)
    with pytest.raises(InvalidConfig) as caught:
        read(EnactorOptions, path)

    assert str(path) in str(caught.value)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"endpoints": {}}, "no endpoint"),
        ({"endpoints": {"db.example.test.": []}}, "has no address"),
        ({"endpoints": {"db.example.test.": ["8.8.8.8"]}}, "neither a loopback"),
        ({"endpoints": {"a..b": ["127.0.0.1"]}}, "no domain name"),
        ({"endpoints": ["db"]}, "an object of lists of addresses is expected"),
        ({"first": 0}, "not between"),
        ({"every": 0}, "every = 0"),
    ],
    ids=str,
)
def test_a_planners_fault_is_named(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    """A planner that could publish something harmful does not start."""
    with pytest.raises(InvalidConfig) as caught:
        read(PlannerOptions, write(tmp_path, PLANNER | changes))

    assert fault in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Whoever wrote the file sees every fault in one go."""
    with pytest.raises(InvalidConfig) as caught:
        read(EnactorOptions, write(tmp_path, {"port": "x", "zome": 1}))

    assert len(caught.value.faults) == 7


@pytest.mark.parametrize("document", ["", "[]", "{"], ids=["empty", "list", "torn"])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, document: str) -> None:
    """What is no JSON object gives a message, not a traceback."""
    with pytest.raises(InvalidConfig):
        read(EnactorOptions, write(tmp_path, document))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A wrong path gives a message, not a traceback."""
    with pytest.raises(InvalidConfig, match=r"none\.json"):
        read(EnactorOptions, tmp_path / "none.json")
