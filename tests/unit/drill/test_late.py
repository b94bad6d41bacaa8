"""Requests that come too late, by their own word."""

import asyncio
from typing import Any

import pytest

from outlast.drill.late import DropLate, seconds_late

NOW = 1_000.0


@pytest.mark.parametrize(
    ("header", "late"),
    [(None, 0.0), (b"1000.0", 0.0), (b"1000.001", 0.0), (b"999.5", 0.5), (b"soon", 0.0), (b"nan", 0.0), (b"", 0.0)],
)
def test_lateness(header: bytes | None, late: float) -> None:
    """Late is what comes after its deadline; without a readable one nothing is late."""
    assert late == seconds_late(header, NOW)


def served(*headers: tuple[bytes, bytes]) -> tuple[int, list[tuple[str, str, float]], int]:
    """What becomes of one PUT: its status, what was told, and how often the application was reached."""
    told: list[tuple[str, str, float]] = []
    sent: list[Any] = []
    reached = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        reached.append(1)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "PUT", "path": "/kv/a", "headers": list(headers)}
    dropping = DropLate(app, told=lambda *what: told.append(what), clock=lambda: NOW)
    asyncio.run(dropping(scope, receive, send))
    return sent[0]["status"], told, len(reached)


def test_a_late_request_never_reaches_the_application() -> None:
    """It is answered 503 and told of, with how late it was."""
    assert (503, [("PUT", "/kv/a", 1.0)], 0) == served((b"x-outlast-deadline", b"999.0"))


def test_a_request_in_time_goes_through() -> None:
    """Nothing is told."""
    assert (200, [], 1) == served((b"x-outlast-deadline", b"1000.5"))
