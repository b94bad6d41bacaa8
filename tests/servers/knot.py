"""A real Knot DNS on loopback, in a folder of its own, stopped by its pid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.process import Running, find_program, serving

_CONFIGURATION = """
server:
    rundir: "{folder}"
    pidfile: "{folder}/knot.pid"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-idle-timeout: 5
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
    # As durable as the others here: BIND and PowerDNS do not wait for the disk in these tests either.
    journal-db-mode: asynchronous
{more}
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
zone:
{zones}
"""
_KEY = """
key:
  - id: "{key}"
    algorithm: hmac-sha256
    secret: "{secret}"
acl:
  - id: changes
    key: "{key}"
    action: update
"""
_OWNERS = """\
    update-owner: name
    update-owner-match: equal
    update-owner-name: [ {names} ]
"""
_REMOTE = """
remote:
  - id: primary
    address: 127.0.0.1@{port}
"""
_ZONE = '  - domain: "{zone}"\n{more}'


def is_installed() -> bool:
    return find_program("knotd") is not None


@contextmanager
def knot(
    folder: Path,
    *,
    zones: dict[str, str],
    closed: tuple[str, ...],
    key: str,
    secret: str,
    names: tuple[str, ...] = (),
) -> Iterator[Running]:
    """Run knotd until the block ends; the arguments are those of `servers.bind.bind`."""
    for zone, text in zones.items():
        (folder / f"{zone}.zone").write_text(text)
    statements = (_ZONE.format(zone=zone, more="" if zone in closed else "    acl: changes\n") for zone in zones)
    owners = _OWNERS.format(names=", ".join(f"{name}." for name in names)) if names else ""
    with _knotd(folder, _KEY.format(key=key, secret=secret) + owners, "".join(statements)) as server:
        yield server


@contextmanager
def knot_secondary(folder: Path, *, zone: str, primary_port: int, refresh: int) -> Iterator[Running]:
    """Run a knotd that transfers `zone` and asks for changes every `refresh` seconds, at least 2; nobody notifies it."""
    more = f"    master: primary\n    refresh-min-interval: {refresh}\n    refresh-max-interval: {refresh}\n"
    with _knotd(folder, _REMOTE.format(port=primary_port), _ZONE.format(zone=zone, more=more)) as server:
        yield server


@contextmanager
def _knotd(folder: Path, more: str, zones: str) -> Iterator[Running]:
    configuration = folder / "knot.conf"

    def launch(port: int) -> list[str]:
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, more=more, zones=zones))
        return [find_program("knotd") or "knotd", "-c", str(configuration)]

    with serving("knotd", folder, launch) as server:
        yield server
