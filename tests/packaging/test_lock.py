"""requirements.lock: every package pinned by hash, from nowhere in particular, and what pyproject.toml asks for."""

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<marker> ; .*?)? \\\n(?P<rest>(?: .*\n)+)", re.MULTILINE)


class Pin(NamedTuple):
    """One package of the lock: its version, how many hashes it has, and whether the project asks for it itself."""

    version: str
    hashes: int
    is_direct: bool
    is_everywhere: bool


PINS = {
    match["name"]: Pin(
        match["version"],
        match["rest"].count("--hash=sha256:"),
        "outlast (pyproject.toml)" in match["rest"],
        match["marker"] is None,
    )
    for match in ENTRY.finditer(TEXT)
}


def requirements() -> list[Requirement]:
    """Return what the project asks for, with every extra, without itself."""
    texts = [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
    return [asked for asked in map(Requirement, texts) if asked.name != "outlast"]


def test_every_package_is_pinned_and_hashed() -> None:
    """No line of the lock is anything but a pin, one of its hashes, or a comment."""
    assert TEXT == "".join(match[0] for match in ENTRY.finditer(TEXT))
    assert [] == [name for name, pin in PINS.items() if not pin.hashes]


def test_the_lock_names_no_place() -> None:
    """The lock says what, never from where: no URL, no path, no index."""
    assert [] == re.findall(r".*(?:://|\bfile:|--index|--find-links| @ ).*", TEXT)


def test_the_lock_answers_the_project() -> None:
    """Every requirement is pinned at a version it accepts."""
    wrong = [
        str(asked)
        for asked in requirements()
        if asked.name not in PINS or PINS[asked.name].version not in asked.specifier
    ]

    assert [] == wrong


def test_the_lock_holds_nothing_that_was_dropped() -> None:
    """What the lock says the project asks for is what it asks for: otherwise `make lock`."""
    assert {asked.name for asked in requirements()} == {name for name, pin in PINS.items() if pin.is_direct}


def test_this_environment_is_the_lock() -> None:
    """What the tests run with is what the lock says."""
    pinned = {name: pin.version for name, pin in PINS.items() if pin.is_everywhere}

    assert pinned == {name: metadata.version(name) for name in pinned}
