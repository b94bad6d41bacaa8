"""The observer's two ways to the name server. Neither ever blocks it or raises: what is lost is a sample's timeout."""

import contextlib
import selectors
import socket
from collections import OrderedDict

MAX_WIRE = 65_535
CONNECT_TIMEOUT = 0.05  # seconds; on loopback a connection is accepted or refused at once
MAX_UNANSWERED = 256  # questions remembered for asking again


class UdpChannel:
    """One connected datagram socket."""

    transport = "udp"

    def __init__(self, server: tuple[str, int], selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._socket.connect(server)
        selector.register(self._socket, selectors.EVENT_READ, self)

    def ask(self, number: int, wire: bytes) -> None:
        """Send a question with the ID `number`."""
        # A refusal that an earlier datagram met is reported here; the question itself is not sent then.
        for _ in range(2):
            with contextlib.suppress(OSError):
                self._socket.send(number.to_bytes(2, "big") + wire)
                return

    def receive(self) -> list[bytes]:
        """The answers that have arrived."""
        wires = []
        with contextlib.suppress(OSError):
            while True:
                wires.append(self._socket.recv(MAX_WIRE))
        return wires

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()


class TcpChannel:
    """A connection that is kept; when it is lost, what was not answered is asked once more on a new one."""

    transport = "tcp"

    def __init__(self, server: tuple[str, int], selector: selectors.BaseSelector) -> None:
        self._server = server
        self._selector = selector
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._unanswered: OrderedDict[int, bytes] = OrderedDict()

    def ask(self, number: int, wire: bytes) -> None:
        """Send a question with the ID `number`, on a new connection if there is none."""
        message = number.to_bytes(2, "big") + wire
        self._unanswered[number] = message
        if len(self._unanswered) > MAX_UNANSWERED:
            self._unanswered.popitem(last=False)
        if self._socket is not None or self._connect():
            self._send(message)

    def receive(self) -> list[bytes]:
        """The answers that have arrived; notices a lost connection and replaces it."""
        assert self._socket is not None
        try:
            data = self._socket.recv(MAX_WIRE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._replace()
            return []
        self._buffer += data
        return self._split()

    def _split(self) -> list[bytes]:
        wires = []
        while len(self._buffer) >= 2 and len(self._buffer) >= (end := 2 + int.from_bytes(self._buffer[:2], "big")):
            wires.append(self._buffer[2:end])
            self._unanswered.pop(int.from_bytes(self._buffer[2:4], "big"), None)
            self._buffer = self._buffer[end:]
        return [wire for wire in wires if len(wire) >= 12]

    def _replace(self) -> None:
        self._drop()
        again, self._unanswered = self._unanswered, OrderedDict()
        if again and self._connect():
            for message in again.values():
                self._send(message)

    def _connect(self) -> bool:
        try:
            self._socket = socket.create_connection(self._server, timeout=CONNECT_TIMEOUT)
        except OSError:
            return False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(0.0)
        self._selector.register(self._socket, selectors.EVENT_READ, self)
        return True

    def _send(self, message: bytes) -> None:
        if self._socket is None:
            return
        frame = len(message).to_bytes(2, "big") + message
        try:
            is_whole = self._socket.send(frame) == len(frame)
        except OSError:
            is_whole = False
        if not is_whole:  # the server reads nothing any more; half a frame would spoil the stream
            self._drop()

    def _drop(self) -> None:
        self._buffer = b""
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self._drop()
