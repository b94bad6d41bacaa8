"""The exporter while its file is edited."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patience import await_for

from outlast.config.exporter import Listening, run_exporter
from outlast.config.notices import Notice
from outlast.config.parse import load
from outlast.telemetry.watch import Watch


def configure(file: Path, port: int, *endpoints: str) -> None:
    """Write a configuration whose only provider is on that port."""
    targets = "".join(f'[endpoint."{it}".targets]\neast = ["192.0.2.1"]\n' for it in endpoints)
    fresh = file.with_suffix(".new")
    fresh.write_text(f"""
        realm = "shop"
        [registry]
        kind = "sqlite"
        path = "outlast.db"
        [provider.primary]
        kind = "rfc2136"
        address = "127.0.0.1"
        port = {port}
        zones = ["example.com"]
        key_secret_file = "tsig.key"
        key_name = "outlast."
        timeout = "100ms"
        {targets}
    """)
    fresh.rename(file)


def test_an_endpoint_that_is_added_is_watched(tmp_path: Path) -> None:
    """The watch that is served comes to know what the file has come to name; a file that cannot be followed is an alarm."""
    file, watches, stop = tmp_path / "outlast.toml", list[Watch](), asyncio.Event()
    told: list[Notice] = []
    (tmp_path / "tsig.key").write_text("b3V0bGFzdCBjb250cmFjdCB0ZXN0cyBvbmx5ISEhISE=")

    @contextmanager
    def serve(watch: Watch, *, address: str, port: int) -> Iterator[int]:
        assert ("127.0.0.1", 0) == (address, port)
        watches.append(watch)
        yield 0

    def seen() -> tuple[str, ...]:
        last = watches[0].last if watches else None
        return tuple(reading.place.endpoint for reading in last.readings) if last is not None else ()

    async def watched(port: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        configure(file, port, "db.example.com")
        listening = Listening(serve, "127.0.0.1", 0, 0.01)
        running = asyncio.create_task(
            run_exporter(load(file), listening, stop=stop, started=lambda _: None, tell=told.append)
        )
        try:
            await await_for(lambda: bool(seen()))
            before = seen()
            configure(file, port, "db.example.com", "api.example.com")
            await await_for(lambda: seen() != before)
            file.write_text("realm = 3")
            await await_for(lambda: bool(told))
            return before, seen()
        finally:
            stop.set()
            await running

    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        before, after = asyncio.run(watched(silent.getsockname()[1]))

    assert (("db.example.com",), {"db.example.com", "api.example.com"}) == (before, set(after))
    assert ["exporter"] == [notice.role for notice in told if notice.note.alarm]
