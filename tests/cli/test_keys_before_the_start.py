"""A role reads its keys before it says that it has started: what is missing is all that it says, with status 2."""

from pathlib import Path

import pytest
from command_world import Run

WRITERS = (("up",), ("enactor", "run"))
OTHERS = (("planner", "run"), ("janitor", "run"), ("prober", "run"), ("exporter", "run", "--listen", "127.0.0.1:0"))
BAD_SECRET = "the secret is not base64; make one with: tsig-keygen outlast"
NO_PASSWORD = "outlast.toml: [registry] password_file registry.password: cannot be read: No such file or directory"
POSTGRES = 'kind = "postgres"\ndsn = "postgresql://outlast@127.0.0.1:1/outlast"\npassword_file = "registry.password"'


@pytest.mark.parametrize("role", WRITERS, ids=" ".join)
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "tsig.key: the key file cannot be read: No such file or directory"),
        ('key "outlast" { algorithm hmac-sha256; secret "not base64!"; };', f"tsig.key: {BAD_SECRET}"),
        ("", f"tsig.key: {BAD_SECRET}"),
    ],
    ids=["missing", "malformed", "empty"],
)
def test_who_writes_needs_its_key(
    run: Run, tmp_path: Path, role: tuple[str, ...], text: str | None, fault: str
) -> None:
    """Without a key that can be used, a role that changes DNS does not say that it started."""
    run("init")
    if text is not None:
        (tmp_path / "tsig.key").write_text(text)
    done = run(*role)

    assert (2, "", f"outlast: {fault}\n") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("role", [*WRITERS, *OTHERS], ids=" ".join)
def test_every_role_needs_the_registrys_password(run: Run, tmp_path: Path, role: tuple[str, ...]) -> None:
    """Nor does any role whose registry has a password that is not there; with a key missing, too, both are told."""
    run("init")
    path = tmp_path / "outlast.toml"
    path.write_text(path.read_text().replace('kind = "sqlite"\npath = "outlast.db"', POSTGRES))
    done = run(*role)
    keys = ["outlast: tsig.key: the key file cannot be read: No such file or directory"] if role in WRITERS else []

    assert (2, [f"outlast: {NO_PASSWORD}", *keys]) == (done.returncode, done.stderr.splitlines())


def test_a_watch_reads_what_it_kept(run: Run, tmp_path: Path) -> None:
    """A watch whose own file is damaged says that, and not that it started."""
    run("init")
    (tmp_path / "watch.left").write_text("{")
    done = run("route53", "watch", "--listen", "127.0.0.1:0")

    assert (2, True, False) == (
        done.returncode,
        done.stderr.startswith("outlast: watch.left: damaged"),
        "started" in done.stderr,
    )
