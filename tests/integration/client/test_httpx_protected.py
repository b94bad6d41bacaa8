"""httpx with a policy, regions and a resolver, against real servers on loopback, with both clients."""

import asyncio
import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from outlast.client import Regions, explain, protect
from outlast.errors import DeadlineExceeded, InvalidConfig, Unavailable
from outlast.policy import Breaker, Budget, CircuitState, Policy, Retry, transient

DARK_SECONDS = 3.0
"""Far enough above the attempt timeouts here for a busy machine."""


class Service(http.server.ThreadingHTTPServer):
    """A service that does as it is told: answers with a status, hangs, or drips."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.is_dark = False
        self.is_cut = False
        self.seen: list[tuple[str, str, str, bytes]] = []
        self.lit = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, host: str = "127.0.0.1", path: str = "") -> str:
        return f"http://{host}:{self.port}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        self.server.seen.append((self.command, self.path, self.headers["host"], body))
        if self.server.is_dark:
            self.server.lit.wait(DARK_SECONDS)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.server.is_cut:
            self.server.lit.wait(DARK_SECONDS)
            self.close_connection = True
            return
        self.wfile.write(b"ok")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output free of requests."""


class Answer(NamedTuple):
    """What a resolver found."""

    addresses: tuple[str, ...]
    source: str = "fresh"
    age: float = 0.0
    reason: str = ""


class Names:
    """A resolver that knows a few names and remembers what it was asked."""

    def __init__(self, known: dict[str, tuple[str, ...]]) -> None:
        self.known = known
        self.asked: list[str] = []

    def resolve(self, name: str, *, deadline: float | None = None) -> Answer:
        assert deadline is not None
        self.asked.append(name)
        if name not in self.known:
            raise Unavailable(f"{name}: no address")
        return Answer(self.known[name])

    async def aresolve(self, name: str, *, deadline: float | None = None) -> Answer:
        return self.resolve(name, deadline=deadline)


@contextlib.contextmanager
def serving() -> Iterator[Service]:
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield service
        finally:
            service.lit.set()
            service.shutdown()
            thread.join()


@pytest.fixture
def east() -> Iterator[Service]:
    with serving() as service:
        yield service


@pytest.fixture
def west() -> Iterator[Service]:
    with serving() as service:
        yield service


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def retrying(**options: Any) -> Policy:
    return Policy("p", **{"retry": Retry(on=transient, base=0.001, cap=0.002), **options})


def ask(
    method: str, url: str, *, policy: Policy, request: dict[str, Any] | None = None, **protection: Any
) -> httpx.Response:
    with protect(httpx.Client(trust_env=False), policy, **protection) as client:
        return client.request(method, url, **(request or {}))


def ask_async(
    method: str, url: str, *, policy: Policy, request: dict[str, Any] | None = None, **protection: Any
) -> httpx.Response:
    async def run() -> httpx.Response:
        async with protect(httpx.AsyncClient(trust_env=False), policy, **protection) as client:
            return await client.request(method, url, **(request or {}))

    return asyncio.run(run())


BOTH = pytest.mark.parametrize("ask", [ask, ask_async])
Ask = Callable[..., httpx.Response]


@BOTH
def test_overload_is_tried_again(ask: Ask, east: Service) -> None:
    """A 503 is followed by another attempt, and the caller sees the good answer."""
    east.statuses = [503, 502]
    policy = retrying()
    response = ask("GET", east.url(path="/x"), policy=policy)

    assert (200, "ok", 3) == (response.status_code, response.text, policy.stats().attempts)


@BOTH
def test_the_last_response_comes_out_unchanged(ask: Ask, east: Service) -> None:
    """When attempts run out the response is returned as it is, not an exception; a 404 is returned at once."""
    east.statuses = [404, 503, 503, 503]
    policy = retrying()
    codes = [ask("GET", east.url(), policy=policy).status_code for _ in range(2)]

    assert ([404, 503], 4) == (codes, len(east.seen))


@BOTH
def test_retry_after_beyond_the_deadline_is_not_waited_for(ask: Ask, east: Service) -> None:
    """A server that asks for more time than there is gets no second request now."""
    east.statuses, east.headers = [503], {"Retry-After": "20"}
    response = ask("GET", east.url(), policy=retrying(deadline=2.0))

    assert (503, 1) == (response.status_code, len(east.seen))


@BOTH
@pytest.mark.parametrize(
    ("request_", "attempts"),
    [
        ({}, 1),
        ({"headers": {"Idempotency-Key": "7"}}, 2),
        ({"extensions": {"outlast": {"idempotent": True}}}, 2),
    ],
)
def test_writes_are_repeated_only_if_marked(ask: Ask, east: Service, request_: dict[str, Any], attempts: int) -> None:
    """A POST that was answered with 503 goes out again only with a key or the caller's word, its body whole."""
    east.statuses = [503]
    ask("POST", east.url(), policy=retrying(), request={"json": {"id": 1}, **request_})

    assert [b'{"id":1}'] * attempts == [body for *_, body in east.seen]


@BOTH
def test_unsent_writes_fail_over(ask: Ask, west: Service) -> None:
    """A POST whose connection was refused has not been sent, and goes to the other region."""
    regions = Regions({"east": f"http://127.0.0.1:{unused_port()}", "west": west.url()})
    response = ask("POST", "/orders", policy=retrying(), regions=regions, request={"content": b"x"})

    assert (200, [("POST", "/orders", f"127.0.0.1:{west.port}", b"x")]) == (response.status_code, west.seen)


@BOTH
def test_a_dark_region_costs_one_attempt(ask: Ask, east: Service, west: Service) -> None:
    """A region that accepts and never answers is left after one attempt timeout, without a pause, and then ejected."""
    east.is_dark = True
    regions = Regions({"east": east.url(path="/api"), "west": west.url(path="/v2")}, fall=1)
    policy = retrying(attempt_timeout=1.0, deadline=20.0, breaker=Breaker(min_calls=1))
    began = time.monotonic()
    first = ask("GET", "/orders?x=1", policy=policy, regions=regions)
    took = time.monotonic() - began
    second = ask("GET", east.url(path="/api/orders"), policy=policy, regions=regions)
    circuit = policy.stats().circuit

    assert (200, 200, 1, 2) == (first.status_code, second.status_code, len(east.seen), len(west.seen))
    assert ["/v2/orders?x=1", "/v2/orders"] == [path for _, path, *_ in west.seen]
    assert took < DARK_SECONDS
    assert circuit is not None
    assert CircuitState.CLOSED is circuit.state


@BOTH
def test_a_dark_write_is_not_failed_over(ask: Ask, east: Service, west: Service) -> None:
    """A POST that may have been carried out is not made again elsewhere."""
    east.is_dark = True
    regions = Regions({"east": east.url(), "west": west.url()})
    with pytest.raises((httpx.ReadTimeout, DeadlineExceeded)):
        ask("POST", "/orders", policy=retrying(attempt_timeout=1.0), regions=regions)

    assert (1, 0) == (len(east.seen), len(west.seen))


@BOTH
def test_a_body_that_never_comes_is_a_failure(ask: Ask, east: Service, west: Service) -> None:
    """Headers without a body are within the attempt's time, and the call goes to the other region."""
    east.is_cut = True
    regions = Regions({"east": east.url(), "west": west.url()})
    response = ask("GET", "/", policy=retrying(attempt_timeout=1.0), regions=regions)

    assert ("ok", 1) == (response.text, len(west.seen))


@BOTH
def test_names_are_resolved_by_the_resolver(ask: Ask, east: Service) -> None:
    """The connection goes to the resolver's addresses, the first dead one is passed over, and Host stays the name."""
    names = Names({"east.shop.invalid": ("127.0.0.99", "127.0.0.1")})
    response = ask("GET", east.url("east.shop.invalid"), policy=Policy("p"), resolver=names)

    assert (200, ["east.shop.invalid"]) == (response.status_code, names.asked)
    assert f"east.shop.invalid:{east.port}" == east.seen[0][2]


@BOTH
def test_a_name_without_address_fails_over(ask: Ask, west: Service) -> None:
    """What cannot be resolved was not sent: even a write goes to the other region."""
    names = Names({"west.shop.invalid": ("127.0.0.1",)})
    regions = Regions({"east": "http://east.shop.invalid", "west": west.url("west.shop.invalid")})
    response = ask("POST", "/", policy=retrying(), regions=regions, resolver=names)

    assert (200, ["east.shop.invalid", "west.shop.invalid"]) == (response.status_code, names.asked)


@BOTH
def test_failovers_take_from_the_budget(ask: Ask, west: Service) -> None:
    """With an empty budget there is no failover either, and httpx's own error comes out."""
    budget = Budget(ratio=0.0, floor=0.0, burst=1)
    budget.withdraw(0)
    regions = Regions({"east": f"http://127.0.0.1:{unused_port()}", "west": west.url()})
    with pytest.raises(httpx.ConnectError):
        ask("GET", "/", policy=retrying(budget=budget), regions=regions)

    assert [] == west.seen


def test_streamed_bodies_are_not_replayed(east: Service) -> None:
    """A request whose body is a stream is sent once, key or not."""
    east.statuses = [503]
    request = {"content": iter([b"ab"]), "headers": {"Idempotency-Key": "1", "Content-Length": "2"}}
    response = ask("POST", east.url(), policy=retrying(), request=request)

    assert (503, 1) == (response.status_code, len(east.seen))


def test_streamed_responses_are_the_callers(east: Service) -> None:
    """A response read with `stream` is tried again up to its headers, on the one connection there is; its body is unread."""
    east.statuses = [503]
    one = httpx.Limits(max_connections=1)
    with (
        protect(httpx.Client(trust_env=False, limits=one), retrying()) as client,
        client.stream("GET", east.url()) as response,
    ):
        is_read = response.is_stream_consumed
        body = response.read()

    assert (False, b"ok", 2) == (is_read, body, len(east.seen))


@pytest.mark.parametrize("timeout", [0.2, 5.0])
def test_a_request_can_be_sent_again(timeout: float, east: Service) -> None:
    """The caller's own request keeps its timeouts: what one call had left does not bind the next."""
    with protect(httpx.Client(trust_env=False), retrying(deadline=1.0)) as client:
        request = client.build_request("GET", east.url(), timeout=timeout)
        before = dict(request.extensions)
        codes = [client.send(request).status_code for _ in range(2)]

    assert ([200, 200], before) == (codes, request.extensions)


def test_a_rerouted_request_is_as_it_was(east: Service, west: Service) -> None:
    """At another region, hooks and callers still see the body, and credentials from the URL go with the request."""
    bodies: list[bytes] = []
    regions = Regions({"east": f"http://127.0.0.1:{unused_port()}", "west": west.url()})
    hooks = {"request": [lambda request: bodies.append(request.content)]}
    with protect(httpx.Client(trust_env=False, event_hooks=hooks), retrying(), regions=regions) as client:
        sent = client.put("/x", content=b"body").request
        home = regions.urls["east"].replace("//", "//ann:secret@")
        named = client.get(f"{home}/y").request

    assert (b"body", [b"body", b"body"]) == (sent.content, bodies[:2])
    assert "Basic YW5uOnNlY3JldA==" == named.headers["authorization"]


def test_an_interrupted_pause_gives_the_connection_back(east: Service) -> None:
    """A streamed 503 whose retry is cancelled in the pause before it leaves no connection behind."""
    east.statuses = [503]
    one = httpx.Limits(max_connections=1)
    pausing = asyncio.Event()

    class Noted(Budget):
        def withdraw(self, now: int) -> bool:
            pausing.set()
            return super().withdraw(now)

    policy = Policy("p", retry=Retry(on=transient, base=60.0, cap=60.0), budget=Noted())

    async def scene() -> int:
        async with protect(httpx.AsyncClient(trust_env=False, limits=one, timeout=5.0), policy) as client:
            call = asyncio.create_task(client.send(client.build_request("GET", east.url()), stream=True))
            await pausing.wait()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            return (await client.get(east.url())).status_code

    assert 200 == asyncio.run(scene())


def test_explain_tells_what_is_applied_and_what_is_not() -> None:
    """What could not be done is named with its reason, and printing it gives one line for each."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    client = protect(httpx.Client(transport=transport, trust_env=False), retrying(deadline=1.0), resolver=Names({}))
    told = explain(client)
    native = explain(protect(httpx.Client(transport=httpx.HTTPTransport(retries=2), trust_env=False), Policy("p")))

    assert ["time limits", "retry"] == [item.what for item in told.applied]
    assert ["streamed bodies", "hard time limits", "resolver on its transport"] == [item.what for item in told.missing]
    assert 6 == len(str(told).splitlines())
    assert ["retries of its transport"] == [item.what for item in native.applied]
    client.close()


def test_explain_warns_of_what_a_policy_cannot_see() -> None:
    """Statuses that no retry judges, and a hang that no attempt timeout ends, are named."""
    regions = Regions({"a": "http://a", "b": "http://b"})
    hanging = explain(protect(httpx.Client(trust_env=False), retrying(deadline=1.0), regions=regions))
    blind = explain(protect(httpx.Client(trust_env=False), Policy("p", breaker=Breaker())))

    assert "failover from a region that hangs" in [item.what for item in hanging.missing]
    assert "429, 502, 503, 504 in the breaker" in [item.what for item in blind.missing]


@pytest.mark.parametrize(
    ("client", "policy", "regions"),
    [
        ({}, Policy("p"), Regions({"a": "http://a", "b": "http://b"})),
        ({"base_url": "http://elsewhere"}, retrying(), Regions({"a": "http://a"})),
    ],
)
def test_contradictions_are_refused(client: dict[str, Any], policy: Policy, regions: Regions) -> None:
    """Regions without a retry, and a client that is bound elsewhere, are refused when they are put together."""
    with httpx.Client(trust_env=False, **client) as plain, pytest.raises(InvalidConfig):
        protect(plain, policy, regions=regions)


def test_only_known_clients_and_only_once() -> None:
    """A second policy around a client, and a client of no known library, are refused; the type is kept."""

    class Own(httpx.Client):
        pass

    with Own(trust_env=False) as client:
        same = protect(client, Policy("p"))
        with pytest.raises(InvalidConfig):
            protect(client, Policy("p"))
        with pytest.raises(InvalidConfig):
            protect(object(), Policy("p"))
        with pytest.raises(InvalidConfig):
            explain(object())

        assert same is client
