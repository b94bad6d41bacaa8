"""A tiny scripted DNS server on a free loopback port, UDP and TCP, and child processes that always end."""

import json
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

Script = Callable[[dns.message.Message, str], dns.message.Message | None]

SOA = "ns.example.test. admin.example.test. 1 60 60 60 {minimum}"


class ScriptedDns:
    """Answers each name by its script; `questions` is what it was asked, as (transport, name, type)."""

    def __init__(self) -> None:
        self.scripts: dict[str, Script] = {}
        self.questions: list[tuple[str, str, str]] = []
        self._udp, self._tcp = self._bind()
        self.address: tuple[str, int] = ("127.0.0.1", int(self._udp.server_address[1]))
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _bind(self) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
        answer = self._answer

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                wire, socket = self.request
                reply = answer(wire, "udp")
                if reply is not None:
                    socket.sendto(reply, self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while len(prefix := self.rfile.read(2)) == 2:
                    reply = answer(self.rfile.read(int.from_bytes(prefix, "big")), "tcp")
                    if reply is not None:
                        self.wfile.write(len(reply).to_bytes(2, "big") + reply)

        for _ in range(20):  # a port that is free for UDP may be taken for TCP
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Datagram)
            try:
                tcp = socketserver.ThreadingTCPServer(udp.server_address, Stream)
            except OSError:
                udp.server_close()
                continue
            udp.daemon_threads = tcp.daemon_threads = True
            udp.block_on_close = tcp.block_on_close = False
            return udp, tcp
        raise RuntimeError("no port is free for both UDP and TCP")

    def _answer(self, wire: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text()
        self.questions.append((transport, name, dns.rdatatype.to_text(question.rdtype)))
        response = self.scripts.get(name, refused)(query, transport)
        return None if response is None else response.to_wire()

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()


def refused(query: dns.message.Message, _transport: str) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.REFUSED)
    return response


def positive(*addresses: str, ttl: int = 1, text: str | None = None) -> Script:
    """A script that answers A with addresses, and TXT with `text`."""

    def script(query: dns.message.Message, _transport: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        question = query.question[0]
        if question.rdtype == dns.rdatatype.A and addresses:
            response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", "A", *addresses))
        if question.rdtype == dns.rdatatype.TXT and text is not None:
            response.answer.append(dns.rrset.from_text(question.name, ttl, "IN", "TXT", f'"{text}"'))
        return response

    return script


def negative(rcode: str = "NOERROR", *, ttl: int = 60, minimum: int = 60, with_soa: bool = True) -> Script:
    """A script that answers with nothing, as a zone with this SOA would."""

    def script(query: dns.message.Message, _transport: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(rcode))
        if with_soa:
            soa = dns.rrset.from_text("example.test.", ttl, "IN", "SOA", SOA.format(minimum=minimum))
            response.authority.append(soa)
        return response

    return script


def truncated_over_udp(script: Script) -> Script:
    """A script that gives its answer over TCP only."""

    def either(query: dns.message.Message, transport: str) -> dns.message.Message | None:
        if transport == "tcp":
            return script(query, transport)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    return either


class Child:
    """A child of the drill under test, started as the drill starts it."""

    def __init__(self, module: str, options: dict[str, Any], folder: Path, *, pass_fds: tuple[int, ...] = ()) -> None:
        self.output = Path(options.setdefault("output", str(folder / f"{module}.jsonl")))
        path = folder / f"{module}.json"
        path.write_text(json.dumps(options))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "outlast.drill.orphan", f"outlast.drill.{module}", str(path)],
            stdin=subprocess.PIPE,
            pass_fds=pass_fds,
        )

    def lines(self) -> list[dict[str, Any]]:
        """What it has written; a line that it is just writing is none yet."""
        text = self.output.read_text() if self.output.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def events(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The lines of an event, those with these fields if any are given."""
        return [line for line in self.lines() if {"event": event, **fields}.items() <= line.items()]

    def wait_for(self, event: str, *, count: int = 1, seconds: float = 10, **fields: Any) -> list[dict[str, Any]]:
        end = time.monotonic() + seconds
        while len(found := self.events(event, **fields)) < count:
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            assert time.monotonic() < end, f"no {event} within {seconds} s: {self.lines()[-3:]}"
            time.sleep(0.02)
        return found

    def terminate(self) -> float:
        """End it with SIGTERM; return the seconds it took."""
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(10)
        return time.monotonic() - start

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        assert self.process.stdin is not None
        self.process.stdin.close()


@contextmanager
def _serving() -> Iterator[ScriptedDns]:
    server = ScriptedDns()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _starting(folder: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(module: str, options: dict[str, Any], **more: Any) -> Child:
        own = folder / str(len(children))
        own.mkdir()
        children.append(Child(module, options, own, **more))
        return children[-1]

    try:
        yield start
    finally:
        for child in children:
            child.clean_up()


@pytest.fixture
def scripted_dns() -> Iterator[ScriptedDns]:
    with _serving() as server:
        yield server


@pytest.fixture(scope="module")
def module_dns() -> Iterator[ScriptedDns]:
    """A scripted server for all tests of a module."""
    with _serving() as server:
        yield server


@pytest.fixture
def start_child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    with _starting(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def start_module_child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Child]]:
    """Starts children that all tests of a module look at."""
    with _starting(tmp_path_factory.mktemp("children")) as start:
        yield start


@pytest.fixture(scope="session")
def scripts() -> Any:
    """The scripts, for tests that cannot import this file."""

    class Scripts:
        positive = staticmethod(positive)
        negative = staticmethod(negative)
        refused = staticmethod(refused)
        truncated_over_udp = staticmethod(truncated_over_udp)

    return Scripts
