"""Route 53 through boto3 itself, on the wire to moto: what is sent and understood, and where moto is no Route 53."""

import contextlib
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from route53_world import alias, run, weighted
from zone_world import COMMITTED, NOTHING, ONE, OPEN, TWO, addresses, cname, create, done, fresh, write

from outlast.cli import main
from outlast.errors import Unavailable
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_failover import Watch, regional
from outlast.provider.route53_prepare import prepare
from outlast.traffic.content import Content
from outlast.traffic.ports import Outcome, Reply
from outlast.traffic.topology import Endpoint, Target

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

QUICK = 50
"""Requests in a second: moto counts none, and a test need not wait."""
EAST, WEST = Target(address="192.0.2.1", region="east"), Target(address="192.0.2.2", region="west")


class Wire(NamedTuple):
    """A hosted zone at moto: where, and another hand than the provider's."""

    url: str
    zone_id: str
    client: Any

    def provider(self, **options: Any) -> Route53Provider:
        told: dict[str, Any] = {
            "endpoint_url": self.url,
            "zones": {OPEN: self.zone_id},
            "requests_per_second": QUICK,
        } | options
        return Route53Provider(name="p", **told)

    def create(self, *sets: dict[str, Any]) -> None:
        batch = [{"Action": "CREATE", "ResourceRecordSet": item} for item in sets]
        self.client.change_resource_record_sets(HostedZoneId=self.zone_id, ChangeBatch={"Changes": batch})


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """Start moto's own server on a free loopback port, with credentials that mean nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "test")
        for key in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(key, raising=False)
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client("route53", endpoint_url=url, region_name="us-east-1")
        zone = client.create_hosted_zone(Name=OPEN, CallerReference="test")["HostedZone"]
        yield Wire(url, zone["Id"], client)
        client.close()
        server.stop()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(ONE, TWO, id="an address"),
        pytest.param(addresses("192.0.2.1", "2001:db8::1"), addresses("2001:db8::1"), id="a family goes, one stays"),
        pytest.param(ONE, cname("lb.example.net"), id="addresses to CNAME"),
        pytest.param(ONE, ONE, id="only the sentinel"),
    ],
)
def test_boto3_and_the_provider_understand_each_other(wire: Wire, first: Content, second: Content) -> None:
    """What is created is read, and what was read is replaced; moto refuses equal pairs, so the second batch is tried too."""
    provider, endpoint = wire.provider(), fresh()
    transaction = write(endpoint, run(create(provider, endpoint, first)), second, n=2)

    assert COMMITTED == run(provider.commit(transaction))
    assert done(transaction) == run(provider.read(endpoint))


def test_what_never_stood_there_is_a_conflict_or_a_refusal(wire: Wire) -> None:
    """A batch that Route 53 refuses comes back with its code, through boto3's own errors, and nothing changes."""
    provider, endpoint = wire.provider(), fresh()
    seen = run(create(provider, endpoint))
    never = seen._replace(sets=addresses("192.0.2.200").sets)
    reply = run(provider.commit(write(endpoint, never, TWO, n=2)))

    assert (False, seen) == (reply.outcome is Outcome.COMMITTED, run(provider.read(endpoint)))
    assert reply.detail.startswith("Invalid")


def test_moto_accepts_a_stale_delete(wire: Wire) -> None:
    """Moto is no Route 53: whatever was once created may be deleted by its old values. No race is tried on it."""
    provider, endpoint = wire.provider(), fresh()
    old = run(create(provider, endpoint))
    assert COMMITTED == run(provider.commit(write(endpoint, old, TWO, n=2)))
    stale = write(endpoint, old, addresses("192.0.2.3"), n=2, by="sleeper")

    assert (COMMITTED, done(stale)) == (run(provider.commit(stale)), run(provider.read(endpoint)))


def test_aliases_and_routed_sets_come_over_the_wire(wire: Wire) -> None:
    """boto3's own form of them is told apart from plain sets."""
    provider, endpoint = wire.provider(), fresh()
    run(create(provider, endpoint))
    wire.create(alias(f"alias.{OPEN}", endpoint, wire.zone_id), weighted(f"weighted.{OPEN}", "blue", "192.0.2.8"))
    found = [run(provider.read(f"{label}.{OPEN}")).sets[0].type for label in ("alias", "weighted")]

    assert ["ALIAS A", "ROUTED A blue"] == found


def test_a_prepared_name_is_taken(wire: Wire) -> None:
    """boto3 takes health checks and routed aliases as they are made, and the name then reads as routed."""
    provider = wire.provider()
    upper = Endpoint(name=fresh(label="shop"), targets=(EAST, WEST))
    for below in regional(upper):
        run(create(provider, below.name, Content.of_addresses(below.addresses, ttl=5)))
    there = {check["Id"] for check in wire.client.list_health_checks()["HealthChecks"]}
    reply = run(prepare(provider, upper, [Watch("a.example"), Watch("b.example")], realm="test"))
    listed = wire.client.list_health_checks()["HealthChecks"]
    checks = [check["HealthCheckConfig"] for check in listed if check["Id"] not in there]

    assert COMMITTED == reply
    assert ["ROUTED A east", "ROUTED A west"] == [item.type for item in run(provider.read(upper.name)).sets]
    assert [("CALCULATED", 2), ("HTTPS", 4)] == sorted(Counter(check["Type"] for check in checks).items())


def test_the_command_prepares_a_name(wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`outlast route53 prepare` over the wire: a dry run changes nothing, and what it shows is what then stands there."""
    upper = Endpoint(name=fresh(label="shop"), targets=(EAST, WEST))
    for below in regional(upper):
        run(create(wire.provider(), below.name, Content.of_addresses(below.addresses, ttl=5)))
    tables = "".join(
        f'[endpoint."{it.name}".targets]\n{it.targets[0].region} = ["{it.addresses[0]}"]\n' for it in regional(upper)
    )
    (tmp_path / "outlast.toml").write_text(
        'realm = "test"\n[registry]\nkind = "sqlite"\npath = "plans.db"\n[provider.amazon]\nkind = "route53"\n'
        f'zones = {{"{OPEN}" = "{wire.zone_id}"}}\nendpoint_url = "{wire.url}"\nrequests_per_second = {QUICK}\n'
        f'watches = ["https://a.example", "https://b.example:8443/left"]\n{tables}'
    )
    command = ["route53", "prepare", upper.name, "--json", "--config", str(tmp_path / "outlast.toml")]
    shown = []
    for words in (command, [*command, "--apply"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert 0 == ended.value.code
        shown.append((json.loads(capsys.readouterr().out), run(wire.provider().read(upper.name)).sets))
    (dry, untouched), (done, there) = shown

    assert ("dry run", (), "committed") == (dry["outcome"], untouched, done["outcome"])
    assert dry["comes"] == done["comes"]
    assert ["ROUTED A east", "ROUTED A west"] == [item.type for item in there]


def test_moto_makes_a_second_health_check_of_one_reference(wire: Wire) -> None:
    """Moto is no Route 53: a reference that it has is no reason to find the check, so preparing again exchanges them all.

    It also takes an alias to a name that is not there, and any health check's id: neither is tried on it.
    """
    provider = wire.provider()
    upper = Endpoint(name=fresh(label="shop"), targets=(EAST, WEST))
    watches = [Watch("a.example"), Watch("b.example")]
    first = run(prepare(provider, upper, watches, realm="test"))
    before = run(provider.read(upper.name))
    second = run(prepare(provider, upper, watches, realm="test"))

    assert (COMMITTED, COMMITTED) == (first, second)  # and not "already prepared"
    assert before != run(provider.read(upper.name))


def test_a_change_is_followed_until_it_is_in_sync(wire: Wire) -> None:
    """GetChange is asked by the id that the change came back with."""
    reply = run(wire.provider(wait_insync=5.0).commit(write(fresh(), NOTHING, ONE)))

    assert Reply(Outcome.COMMITTED, "INSYNC within 0 s") == reply


def test_a_zone_that_is_not_there_is_said(wire: Wire) -> None:
    """A wrong id is a failure with Route 53's word for it, and makes reading unavailable."""
    provider, endpoint = wire.provider(zones={OPEN: "ZWRONG"}), fresh()
    with pytest.raises(Unavailable, match="NoSuchHostedZone"):
        run(provider.read(endpoint))
    reply = run(provider.commit(write(endpoint, NOTHING, ONE)))

    assert (Outcome.FAILED, "NoSuchHostedZone") == (reply.outcome, reply.detail.split(":")[0])


def test_an_api_that_nobody_serves_is_said(wire: Wire) -> None:
    """Nothing was sent: a failure, not a lost reply."""
    reply = run(wire.provider(endpoint_url="http://127.0.0.1:1").commit(write(fresh(), NOTHING, ONE)))

    assert (Outcome.FAILED, "EndpointConnectionError") == (reply.outcome, reply.detail.split(":")[0])


def test_an_answer_that_never_comes_is_lost_and_not_asked_for_again() -> None:
    """boto3's own retries are off: a batch that was taken and not answered is sent once."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        swallower = threading.Thread(target=_swallow, args=(listener, taken), daemon=True)
        swallower.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            provider = Route53Provider(name="p", zones={OPEN: "Z1"}, endpoint_url=url, timeout=0.5)
            reply = run(provider.commit(write(fresh(), NOTHING, ONE)))
        listener.shutdown(socket.SHUT_RDWR)
        swallower.join()

    assert (Outcome.LOST, "ReadTimeoutError", 1) == (reply.outcome, reply.detail.split(":")[0], len(taken))
    assert b"<Action>CREATE</Action>" in taken[0]


def _swallow(listener: socket.socket, taken: list[bytes]) -> None:
    # Takes whatever is sent, and never answers; ends with the listener.
    with contextlib.ExitStack() as held, contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            held.enter_context(connection)
            request = b""
            while b"</ChangeResourceRecordSetsRequest>" not in request:
                request += connection.recv(65_536)
            taken.append(request)
