"""What the Route 53 provider does when the API is slow, busy, silent or refuses; on a clock that only waiting moves."""

from typing import Any

import pytest
from route53_world import SECOND, ZONE_ID, Account, run
from zone_world import COMMITTED, NOTHING, ONE, OPEN, TWO, addresses, create, done, fresh, write

from outlast.errors import InvalidConfig, Unavailable
from outlast.provider import route53
from outlast.provider.memory import API, CHANGES
from outlast.provider.route53 import Route53Provider
from outlast.provider.route53_batch import changes
from outlast.provider.route53_calls import Pace
from outlast.provider.route53_client import ApiError, Doom, judge
from outlast.traffic.ports import Outcome, Reply


class Between:
    """Route 53's client with something that happens to each change batch, before it lands or after."""

    def __init__(self, account: Account, *, before: Exception | None = None, after: Exception | None = None) -> None:
        self._aws, self._before, self._after = account.aws, before, after
        self.list_resource_record_sets = account.aws.list_resource_record_sets
        self.get_change = account.aws.get_change
        self.create_health_check = account.aws.create_health_check
        self.times = 0

    def change_resource_record_sets(self, **request: Any) -> Any:
        self.times += 1
        if self._before is not None:
            raise self._before
        answer = self._aws.change_resource_record_sets(**request)
        if self._after is not None:
            raise self._after
        return answer


def test_a_lost_reply_is_lost_and_never_sent_again() -> None:
    """The connection breaks after the batch has landed: one request, `LOST`, and reading tells that it landed."""
    account, endpoint = Account(), fresh()
    between = Between(account, after=ConnectionResetError("gone"))
    transaction = write(endpoint, NOTHING, ONE)
    reply = run(account.provider(between).commit(transaction))

    assert (Outcome.LOST, 1, done(transaction)) == (
        reply.outcome,
        between.times,
        run(account.provider().read(endpoint)),
    )


def test_a_race_between_both_batches_is_a_conflict() -> None:
    """While a refused batch is sent once more, another writer is quicker: the loser is told so, and changes nothing."""
    account, endpoint = Account(pairs_equals=False), fresh()
    other = account.provider()
    seen = run(create(other, endpoint))
    quicker = write(endpoint, seen, TWO, n=2, by="other")

    class Overtaken(Between):
        def change_resource_record_sets(self, **request: Any) -> Any:
            if self.times == 1:
                batch = [dict(change) for change in changes(quicker)]
                account.aws.change_resource_record_sets(HostedZoneId=ZONE_ID, ChangeBatch={"Changes": batch})
            return super().change_resource_record_sets(**request)

    overtaken = Overtaken(account)
    reply = run(account.provider(overtaken).commit(write(endpoint, seen, ONE, n=2)))

    assert (Outcome.CONFLICT, 2, done(quicker)) == (reply.outcome, overtaken.times, run(other.read(endpoint)))


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("AccessDenied", 403, Outcome.FAILED),
        ("NoSuchHostedZone", 404, Outcome.FAILED),
        ("InternalFailure", 500, Outcome.LOST),
        ("ServiceUnavailable", 503, Outcome.LOST),
    ],
)
def test_what_an_error_says_of_the_batch(code: str, status: int, outcome: Outcome) -> None:
    """A refusal has changed nothing; an error of the service itself may have, and nothing is sent again after it."""
    account = Account()
    between = Between(account, before=ApiError(code, "words", status=status))
    reply = run(account.provider(between).commit(write(fresh(), NOTHING, ONE)))

    assert (Reply(outcome, f"{code}: words"), 1) == (reply, between.times)


@pytest.mark.parametrize(
    ("name", "doom"),
    [
        ("EndpointConnectionError", Doom.UNSENT),
        ("NoCredentialsError", Doom.UNSENT),
        ("ConnectTimeoutError", Doom.UNSENT),
        ("ReadTimeoutError", Doom.SILENT),
        ("ConnectionClosedError", Doom.SILENT),
    ],
)
def test_botocores_errors_are_told_apart(name: str, doom: Doom) -> None:
    """What could not be sent has changed nothing; what was sent without an answer may have."""
    errors = pytest.importorskip("botocore.exceptions")
    error = getattr(errors, name)(endpoint_url="https://route53.test", error="x")

    assert (doom, True) == (judge(error).doom, judge(error).message.startswith(f"{name}: "))


def test_a_zone_that_is_busy_is_asked_again() -> None:
    """PriorRequestNotComplete changed nothing: the batch is sent again after growing pauses, within the timeout."""
    account = Account(busy=2.0)
    one, other = account.provider(), account.provider()

    assert COMMITTED == run(one.commit(write(fresh(), NOTHING, ONE)))
    assert COMMITTED == run(other.commit(write(fresh(), NOTHING, ONE)))
    assert 6 == account.aws.asked.count("change_resource_record_sets")


def test_a_zone_that_stays_busy_is_a_failure() -> None:
    """When the timeout is over the transaction has failed, and nothing has changed."""
    account, endpoint = Account(busy=60.0), fresh()
    run(account.provider().commit(write(fresh(), NOTHING, ONE)))
    begun = account.clock.now()
    reply = run(account.provider(timeout=5.0).commit(write(endpoint, NOTHING, ONE)))
    took = (account.clock.now() - begun) / SECOND

    assert (Outcome.FAILED, "PriorRequestNotComplete") == (reply.outcome, reply.detail.split(":")[0])
    assert (True, NOTHING) == (1.0 < took <= 5.0, run(account.provider().read(endpoint)))


def test_one_provider_is_never_throttled() -> None:
    """It keeps to five requests in any second by itself: 40 of them take 7 seconds and none is refused."""
    account = Account()
    provider, names = account.provider(), [fresh() for _ in range(20)]
    begun = account.clock.now()
    for endpoint in names:
        run(create(provider, endpoint))
        run(provider.read(endpoint))

    assert (40, 7.0) == (len(account.aws.asked), (account.clock.now() - begun) / SECOND)


def test_two_providers_in_one_account_get_through() -> None:
    """Both want the whole five: what is throttled is asked again, and in the end all of it is done."""
    account = Account()
    one, other, names = account.provider(), account.provider(), [fresh() for _ in range(10)]
    for endpoint in names:
        seen = run(create(one, endpoint))
        assert COMMITTED == run(other.commit(write(endpoint, seen, TWO, n=2)))

    assert 20 < len(account.aws.asked)


def test_the_pace_lets_a_burst_pass_and_then_waits() -> None:
    """Five at once are free; the sixth waits until a second after the first, and a pause makes room again."""
    pace = Pace(5)
    waits = [pace.take(0) for _ in range(7)]

    assert ([0] * 5 + [SECOND] * 2, 0) == (waits, pace.take(5 * SECOND))


def test_when_changes_fail_reading_goes_on() -> None:
    """The API lists and does not change: a write is lost, which reading then sees."""
    account, endpoint = Account(), fresh()
    provider = account.provider()
    seen = run(create(provider, endpoint))
    account.aws.down = CHANGES
    reply = run(provider.commit(write(endpoint, seen, TWO, n=2)))

    assert (Outcome.LOST, seen) == (reply.outcome, run(provider.read(endpoint)))
    assert (("192.0.2.1",),) == account.aws.answers(endpoint, "A")


def test_when_the_api_is_down_reading_is_unavailable() -> None:
    """It is said with Route 53's words and with what still works."""
    account, endpoint = Account(), fresh()
    account.aws.down = API

    with pytest.raises(Unavailable, match=r"p: ServiceUnavailable: .* \(Route 53's API does not answer; what it has"):
        run(account.provider().read(endpoint))


@pytest.mark.parametrize(("insync", "detail"), [(30.0, "INSYNC within 30 s"), (90.0, "PENDING after 60 s")])
def test_propagation_is_told_and_gates_nothing(insync: float, detail: str) -> None:
    """A commit that waits for the name servers says how long it took, or that they still have the old sets."""
    account, endpoint = Account(insync=insync), fresh()
    reply = run(account.provider(wait_insync=60.0).commit(write(endpoint, NOTHING, ONE)))

    assert Reply(Outcome.COMMITTED, detail) == reply


def test_the_name_servers_follow_later() -> None:
    """What is read is the newest; what is answered is older until the change is in sync."""
    account, endpoint = Account(insync=60.0), fresh()
    seen = run(create(account.provider(), endpoint))
    early = account.aws.answers(endpoint, "A")
    account.clock.nanoseconds += 60 * SECOND

    assert ((), (("192.0.2.1",),), seen) == (
        early,
        account.aws.answers(endpoint, "A"),
        run(account.provider().read(endpoint)),
    )


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [(499, 499, Outcome.COMMITTED), (500, 500, Outcome.FAILED)],
)
def test_a_batch_has_its_limit(first: int, second: int, outcome: Outcome) -> None:
    """1,000 records go, sentinels included; more are refused before they are sent, with the limit and the way out."""
    account, endpoint = Account(), fresh()
    provider = account.provider()
    many = addresses(*(f"10.0.{n // 100}.{n % 100}" for n in range(first)))
    others = addresses(*(f"10.1.{n // 100}.{n % 100}" for n in range(second)))
    seen = run(create(provider, endpoint, many))
    reply = run(provider.commit(write(endpoint, seen, others, n=2)))

    assert outcome == reply.outcome
    assert (outcome is Outcome.FAILED) == ("Route 53 takes 1000 and 32000; lifted by giving" in reply.detail)


def test_an_endpoint_in_none_of_the_zones_is_said() -> None:
    """What no zone of the provider holds is not asked for and not sent."""
    account = Account()
    provider = account.provider()
    with pytest.raises(Unavailable, match="is in none of its zones"):
        run(provider.read("db.example.org"))
    reply = run(provider.commit(write("db.example.org", NOTHING, ONE)))

    assert (Outcome.FAILED, []) == (reply.outcome, account.aws.asked)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"zones": {}}, 'zones: name at least one, with its id: zones = {"example.com" = "Z123"}'),
        ({"zones": {OPEN: ""}}, f"zones: '{OPEN}' has no id"),
        ({"zones": {"a..b": "Z1"}}, "zones: 'a..b' is not a domain name"),
        ({"timeout": 0.0}, "timeout: 0 is not within 0 and 60 seconds"),
        ({"wait_insync": -1.0}, "wait_insync: -1 is not within 0 and 300 seconds"),
        ({"requests_per_second": 0}, "requests_per_second: 0 is not 1 or more"),
    ],
)
def test_wrong_options_are_named(wrong: dict[str, Any], fault: str) -> None:
    """Each fault names the option and what it takes."""
    right: dict[str, Any] = {"name": "p", "zones": {OPEN: ZONE_ID}, "client": Account().aws}
    with pytest.raises(InvalidConfig) as caught:
        Route53Provider(**(right | wrong))

    assert (f"provider p: {fault}",) == caught.value.faults


def test_a_missing_boto3_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without boto3 the provider is refused when it is made, not when an endpoint has to be saved."""
    monkeypatch.setattr(route53, "is_installed", lambda: False)
    with pytest.raises(InvalidConfig, match=r"it needs boto3: pip install 'outlast\[route53\]'"):
        Route53Provider(name="p", zones={OPEN: ZONE_ID})
