"""A real BIND 9 on loopback, in a folder of its own, stopped by its pid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from servers.process import Running, find_program, serving

_CONFIGURATION = """
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; notify no; dnssec-validation no; minimal-responses yes; empty-zones-enable no;
    max-records-per-type 1000; tcp-idle-timeout 50; allow-transfer {{ 127.0.0.1; }};
}};
controls {{ }};
{statements}
"""
_KEY = 'key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
_ZONE = 'zone "{zone}" {{ type primary; file "{folder}/{zone}.zone"; {more} }};\n'
_SECONDARY = (
    'zone "{zone}" {{ type secondary; file "{folder}/{zone}.zone"; primaries port {port} {{ 127.0.0.1; }}; '
    "masterfile-format text; min-refresh-time {refresh}; max-refresh-time {refresh}; }};\n"
)


def is_installed() -> bool:
    return find_program("named") is not None


@contextmanager
def bind(
    folder: Path,
    *,
    zones: dict[str, str],
    closed: tuple[str, ...],
    key: str,
    secret: str,
    signed: tuple[str, ...] = (),
    names: tuple[str, ...] = (),
) -> Iterator[Running]:
    """Run named until the block ends.

    Args:
        folder: An empty folder for all its files.
        zones: Zone files by zone name.
        closed: The zones among them that the key may not change.
        key: The TSIG key's name.
        secret: Its secret in base64, for HMAC-SHA256.
        signed: The zones among them that it signs by itself (inline signing, the built-in policy, new keys).
        names: The only names that the key may change; all, if there is none.

    """
    statements = [_KEY.format(key=key, secret=secret)]
    grants = " ".join(f'grant "{key}" name {name}. ANY;' for name in names)
    allowed = f"update-policy {{ {grants} }};" if names else f'allow-update {{ key "{key}"; }};'
    for zone, text in zones.items():
        (folder / f"{zone}.zone").write_text(text)
        more = "" if zone in closed else allowed
        if zone in signed:
            more += f' dnssec-policy default; inline-signing yes; key-directory "{folder}";'
        statements.append(_ZONE.format(zone=zone, folder=folder, more=more))
    with _named(folder, "".join(statements)) as server:
        yield server


@contextmanager
def bind_secondary(folder: Path, *, zone: str, primary_port: int, refresh: int) -> Iterator[Running]:
    """Run a named that transfers `zone` and asks for changes every `refresh` seconds; nobody notifies it."""
    with _named(folder, _SECONDARY.format(zone=zone, folder=folder, port=primary_port, refresh=refresh)) as server:
        yield server


@contextmanager
def _named(folder: Path, statements: str) -> Iterator[Running]:
    configuration = folder / "named.conf"

    def launch(port: int) -> list[str]:
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, statements=statements))
        return [find_program("named") or "named", "-g", "-n", "1", "-c", str(configuration)]

    with serving("named", folder, launch) as server:
        yield server
