"""A client that delivers or parks is killed under load, again and again: nothing that it acknowledged is lost."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CLIENT = """
import sys, threading, time
import httpx, outlast

path, base, run = sys.argv[1:4]
retry = outlast.Retry(on=outlast.transient, attempts=2, base=0.005)
policy = outlast.Policy("orders", deadline=1.0, attempt_timeout=0.5, retry=retry)
client = outlast.protect(httpx.Client(base_url=base, trust_env=False), policy)
lock = threading.Lock()

with outlast.Queue(path, reserve_bytes=0) as outbox:
    @outbox.deliver(park_on=outlast.transient, dedup=lambda order: order)
    def place(order):
        client.put(f"/orders/{order}").raise_for_status()

    def work(name):
        for n in range(1_000_000):
            order = f"{run}.{name}.{n}"
            became = type(place(order)).__name__
            with lock:
                print(became, order, flush=True)

    if run != "drain":
        for name in "abcd":
            threading.Thread(target=work, args=(name,), daemon=True).start()
    while run != "drain" or outbox.stats().depth:
        time.sleep(0.01)
"""


class Shop:
    """A service that keeps orders in a set, and answers 503 while it is dark."""

    def __init__(self) -> None:
        self.orders: set[str] = set()
        self.is_dark = False
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                if not shop.is_dark:
                    shop.orders.add(self.path.removeprefix("/orders/"))
                self.send_response(503 if shop.is_dark else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator["Shop"]:
        """Serve until the end of the block."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def start(path: Path, shop: Shop, run: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", CLIENT, path, shop.base, run], stdout=subprocess.PIPE, text=True)


def killed_under_load(process: "subprocess.Popen[str]", shop: Shop, round_: int) -> list[str]:
    """Let it work while the shop is light and dark, kill it, and return the whole lines that it printed."""
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(15)]
    shop.is_dark = not shop.is_dark
    time.sleep(0.01 * (round_ % 5))
    lines += [process.stdout.readline().strip() for _ in range(15)]
    process.send_signal(signal.SIGKILL)
    # Not `communicate`: it would lose what `readline` has already taken from the pipe.
    with process.stdout:
        rest = process.stdout.read()
    process.wait(timeout=30)
    return lines + rest.split("\n")[:-1]


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [4, pytest.param(20, marks=pytest.mark.long)])
def test_no_order_that_was_acknowledged_is_lost_by_killing(tmp_path: Path, rounds: int) -> None:
    """Kills while orders go through and are parked; at the end every acknowledged one has reached the shop."""
    with Shop().serving() as shop:
        acknowledged: dict[str, str] = {}
        for round_ in range(rounds):
            lines = killed_under_load(start(tmp_path / "outbox", shop, str(round_)), shop, round_)
            acknowledged |= {order: became for became, order in (line.split(" ") for line in lines)}
        shop.is_dark = False
        last = start(tmp_path / "outbox", shop, "drain")
        assert last.stdout is not None
        assert ("", 0) == (last.stdout.read(), last.wait(timeout=60))
        last.stdout.close()

        assert set() == set(acknowledged) - shop.orders
    kinds = list(acknowledged.values())
    assert {"Delivered", "Parked"} == set(kinds)
    assert min(kinds.count("Delivered"), kinds.count("Parked")) >= rounds
