"""Following a file while it is edited."""

import os
from pathlib import Path

import pytest

from outlast.config.example import EXAMPLE
from outlast.config.parse import load
from outlast.config.source import SettingsSource


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "outlast.toml"
    path.write_text(EXAMPLE)
    return path


def test_an_edit_of_targets_is_followed(file: Path) -> None:
    """New targets are there at the next look."""
    source = SettingsSource(load(file), lambda _: None)
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2"))

    assert "198.51.100.2" in source.topology().endpoints[0].addresses


def test_what_was_read_already_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several roles of one process start from the same settings, and a file of 100,000 endpoints takes its time."""
    settings = load(file)
    monkeypatch.setattr("outlast.config.source.parse", lambda *_: pytest.fail("it was read already"))

    assert SettingsSource(settings, pytest.fail).settings is settings


def test_what_an_edit_leaves_alone_stays_the_same_object(file: Path) -> None:
    """The planner knows what it has found out about an endpoint by the endpoint itself."""
    more = '\n[endpoint."two.example.com".targets]\neast = ["203.0.113.7"]\n'
    file.write_text(EXAMPLE + more)
    source = SettingsSource(load(file), pytest.fail)
    first = source.topology()
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2") + more)
    second = source.topology()

    assert [False, True] == [one is other for one, other in zip(first.endpoints, second.endpoints, strict=True)]
    assert load(file).topology == second


def test_an_edit_of_bake_is_followed(file: Path) -> None:
    """Whoever waits for a canary can be let go without a restart."""
    source = SettingsSource(load(file), lambda _: None)
    file.write_text(EXAMPLE.replace("# bake = ", "bake = "))

    assert 300.0 == source.topology().bake


def test_an_edit_that_keeps_size_and_time_is_followed(file: Path) -> None:
    """A second edit within one tick of the file system's clock is not missed."""
    source = SettingsSource(load(file), lambda _: None)
    stamp = file.stat()
    source.topology()
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.3"))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    assert "198.51.100.3" in source.topology().endpoints[0].addresses


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("realm = ", "not TOML"),
        (EXAMPLE.replace("192.0.2.1", "192.0.2.999"), "192.0.2.999"),
        (EXAMPLE.replace('"shop"', '"store"'), "only endpoints may change"),
        (EXAMPLE.replace("192.0.2.53", "192.0.2.54"), "only endpoints may change"),
        (EXAMPLE.replace("rise = 2", "rise = 4"), "only endpoints may change"),
    ],
)
def test_a_bad_edit_keeps_what_was_valid(file: Path, text: str, word: str) -> None:
    """A wrong edit is told once and changes nothing; a later good one is told and followed."""
    told: list[str] = []
    first = load(file)
    source = SettingsSource(first, told.append)
    file.write_text(text)
    kept = (source.settings, source.settings)
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2"))
    followed = source.topology().endpoints[0].addresses[-1]

    assert ((first, first), 2, True, "", "198.51.100.2") == (kept, len(told), word in told[0], told[1], followed)


def test_a_file_that_vanishes_and_returns(file: Path) -> None:
    """A missing file keeps the last settings; its return, unchanged, ends the alarm."""
    told: list[str] = []
    first = load(file)
    source = SettingsSource(first, told.append)
    source.topology()
    file.unlink()
    kept = source.settings
    file.write_text(EXAMPLE)
    source.topology()

    assert (first, [f"{file}: cannot be read: No such file or directory", ""]) == (kept, told)


def test_edition_tells_files_apart_and_when_each_was_written(file: Path, tmp_path: Path) -> None:
    """A copy elsewhere says the same; an edit says something else, later, and so does writing the same once more."""
    source = SettingsSource(load(file), lambda _: None)
    copy = tmp_path / "copy.toml"
    copy.write_text(EXAMPLE)
    first, same = source.dated("p").edition, SettingsSource(load(copy), pytest.fail).dated("p").edition
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2"))
    edited = source.dated("p").edition
    file.write_text("realm = ")
    broken = source.dated("p").edition
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2"))
    again = source.dated("p").edition

    assert first.digest == same.digest != edited.digest
    assert edited == broken
    assert edited.digest == again.digest
    assert 0 < first.since < edited.since < again.since


def test_old_times_do_not_hide_that_a_file_was_written_now(file: Path) -> None:
    """A copy that keeps its times, as in taking an edit back, is the newer file all the same."""
    source = SettingsSource(load(file), pytest.fail)
    first = source.dated("p").edition
    file.write_text(EXAMPLE.replace("198.51.100.1", "198.51.100.2"))
    os.utime(file, (1_000_000_000, 1_000_000_000))

    assert first.since < source.dated("p").edition.since


def test_who_may_read_a_file_is_no_edit_of_it(file: Path) -> None:
    """After a restart a file counts from when it was written, however it was copied or its mode changed since."""
    os.utime(file, (1_000_000_000, 1_000_000_000))
    file.chmod(0o600)

    assert 1_000_000_000 * 10**9 == SettingsSource(load(file), pytest.fail).dated("p").edition.since


def test_edition_is_found_once(file: Path) -> None:
    """Of a hundred thousand endpoints the digest takes its time, and a planner asks every few seconds."""
    source = SettingsSource(load(file), pytest.fail)

    assert source.dated("p") is source.dated("p")
