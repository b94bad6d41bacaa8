"""What doctor says of keys: who may open their files, and whether they are the server's."""

import json
from pathlib import Path
from typing import Any

import pytest
from command_world import World

pytestmark = pytest.mark.slow


def found(world: World, check: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status of doctor, and what it found of one kind."""
    done = world.run("doctor", "--json")
    assert done.stdout, done.stderr
    return done.returncode, [it for it in json.loads(done.stdout)["findings"] if it["check"] == check]


def test_a_key_file_that_everybody_may_read_is_a_warning(settled_world: World) -> None:
    """With the chmod that mends it; then doctor is content."""
    path: Path = settled_world.folder / "tsig.key"
    path.chmod(0o644)
    status, (open_to_all,) = found(settled_world, "key file")
    path.chmod(0o600)

    assert (1, "warn", "tsig.key") == (status, open_to_all["level"], open_to_all["subject"])
    assert "its mode is 0644: it is open to everybody on this machine" == open_to_all["there"]
    assert open_to_all["fix"].startswith("chmod ")
    assert (0, []) == found(settled_world, "key file")


def test_a_wrong_key_is_found_without_a_write(settled_world: World) -> None:
    """A secret that is not the server's is found by a look, and the finding says whose key it is and where it stands."""
    path: Path = settled_world.folder / "tsig.key"
    text = path.read_text()
    path.write_text(text.replace("c2VjcmV0", "d3Jvbmch", 1))
    status, (wrong,) = found(settled_world, "key")
    path.write_text(text)
    well, (right,) = found(settled_world, "key")

    assert (1, "FAIL", "example.com at primary") == (status, wrong["level"], wrong["subject"])
    assert "BADSIG: the server refuses key outlast" in wrong["there"]
    assert "make the key of [provider.primary] the server's" in wrong["fix"]
    assert (0, "ok", ["127.0.0.1", "127.0.0.2"]) == (well, right["level"], settled_world.addresses())
