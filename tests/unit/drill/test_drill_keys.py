"""The drill's TSIG keys stay secret."""

import base64
import stat
from pathlib import Path

import pytest

from outlast.config.key import read_key_file
from outlast.drill.keys import KeyRing


def test_key_files_are_private_and_hold_what_the_ring_holds(tmp_path: Path) -> None:
    """Mode 0600 whatever the umask; the file reads back as the same key."""
    ring = KeyRing(tmp_path, ("enactor-a", "operator"))
    keys = {role: read_key_file(ring.file(role)) for role in ring.roles}

    assert {0o600} == {stat.S_IMODE(ring.file(role).stat().st_mode) for role in ring.roles}
    assert {role: ring.secret(role) for role in ring.roles} == {role: key.secret for role, key in keys.items()}
    assert {"enactor-a.", "operator."} == {key.name for key in keys.values()}


def test_each_role_has_its_own_256_bits(tmp_path: Path) -> None:
    """No two roles share a secret, so that the journal tells who sent what."""
    ring = KeyRing(tmp_path, ("a", "b", "c"))
    secrets = {base64.b64decode(ring.secret(role)) for role in ring.roles}

    assert (3, {32}) == (len(secrets), {len(secret) for secret in secrets})


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    """Neither the ring's nor that of a key that was read."""
    ring = KeyRing(tmp_path, ("a",))
    shown = f"{ring!r} {ring} {read_key_file(ring.file('a'))!r}"

    assert ring.secret("a") not in shown


def test_file_that_is_there_already_is_not_taken(tmp_path: Path) -> None:
    """A file of somebody else's could be readable by others."""
    (tmp_path / "a.key").touch()

    with pytest.raises(FileExistsError):
        KeyRing(tmp_path, ("a",))
