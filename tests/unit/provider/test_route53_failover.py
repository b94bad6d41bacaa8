"""A region is left while Route 53 takes no changes: prepared names, our own signal, and nobody who writes."""

import dataclasses

import pytest
from route53_world import SECOND, Account, plain, run, weighted
from zone_world import COMMITTED, NOTHING, OPEN, create, fresh, write

from outlast.errors import InvalidConfig
from outlast.provider.memory import API, CHANGES
from outlast.provider.memory_answers import place_of
from outlast.provider.route53_failover import (
    FAILURE_THRESHOLD,
    REQUEST_INTERVAL,
    NeedsWrite,
    Watch,
    checks_of,
    needing_write,
    regional,
    routed_sets,
    uppers,
    watch_of,
)
from outlast.provider.route53_prepare import prepare
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Outcome, Reply
from outlast.traffic.sentinel import Sentinel, Standing
from outlast.traffic.topology import Endpoint, Target

WATCHES = (Watch("west.watch.example"), Watch("north.watch.example"), Watch("south.watch.example"))
SETTLED = REQUEST_INTERVAL * FAILURE_THRESHOLD * SECOND
EAST = (("192.0.2.1", "192.0.2.2"), ("2001:db8::1",))
WEST = (("198.51.100.1",), ("2001:db8::2",))


class Shop:
    """One name over two regions, prepared at Route 53 in memory, and the watches that answer its health checkers."""

    def __init__(self, *, primary: str = "", watches: tuple[Watch, ...] = WATCHES) -> None:
        self.account = Account()
        self.provider = self.account.provider()
        self.watches = watches
        self.primary = primary
        targets = [Target(address=address, region="east") for family in EAST for address in family]
        targets += [Target(address=address, region="west") for family in WEST for address in family]
        self.endpoint = Endpoint(name=fresh(label="shop"), targets=tuple(targets))
        for below in regional(self.endpoint):
            run(create(self.provider, below.name, Content.of_addresses(below.addresses, ttl=5)))

    def prepare(self, *, realm: str = "test") -> Reply:
        return run(prepare(self.provider, self.endpoint, self.watches, realm=realm, primary=self.primary))

    def say(self, region: str, *, evacuated: bool, watches: tuple[Watch, ...] = WATCHES) -> None:
        """Our signal flips at some watches; the health checkers need their time to believe it."""
        for watch in watches:
            (check, *_) = checks_of(self.endpoint.name, region, [watch])
            self.account.aws.signal(place_of(check.config), is_up=evacuated)
        self.account.clock.nanoseconds += SETTLED

    def answers(self, family: str = "A") -> set[tuple[str, ...]]:
        return set(self.account.aws.answers(self.endpoint.name, family))

    def live(self) -> Live:
        return run(self.account.provider().read(self.endpoint.name))


def prepared(*, primary: str = "", watches: tuple[Watch, ...] = WATCHES) -> Shop:
    shop = Shop(primary=primary, watches=watches)
    assert COMMITTED == shop.prepare()
    shop.account.clock.nanoseconds += SETTLED
    return shop


@pytest.mark.parametrize("down", [CHANGES, API], ids=["changes fail", "the whole API fails"])
def test_a_region_is_left_and_taken_again_without_a_write(down: frozenset[str]) -> None:
    """While Route 53 takes no changes, our signal alone moves the answers of both families, there and back."""
    shop = prepared()
    before = shop.answers()
    shop.account.aws.down = down
    asked = len(shop.account.aws.asked)
    shop.say("east", evacuated=True)
    left = shop.answers(), shop.answers("AAAA")
    shop.say("east", evacuated=False)

    assert ({EAST[0], WEST[0]}, ({WEST[0]}, {WEST[1]}), {EAST[0], WEST[0]}) == (before, left, shop.answers())
    assert asked == len(shop.account.aws.asked)


def test_a_standby_takes_over_without_a_write() -> None:
    """With a primary the other region answers only while the primary is evacuated."""
    shop = prepared(primary="east")
    before = shop.answers()
    shop.account.aws.down = API
    shop.say("east", evacuated=True)

    assert ({EAST[0]}, {WEST[0]}) == (before, shop.answers())


def test_the_same_shift_by_plan_needs_a_write() -> None:
    """The ordinary endpoint cannot be shifted while changes fail: that is what preparing is for."""
    shop = Shop()
    seen = run(create(shop.provider, shop.endpoint.name, Content.of_addresses(shop.endpoint.addresses, ttl=5)))
    shop.account.aws.down = CHANGES
    west = Content.of_addresses(WEST[0] + WEST[1], ttl=5)
    reply = run(shop.provider.commit(write(shop.endpoint.name, seen, west, n=2)))

    assert (Outcome.LOST, {EAST[0] + WEST[0]}) == (reply.outcome, shop.answers())


def test_targets_of_a_prepared_name_still_follow_the_plan() -> None:
    """The lower names are ordinary endpoints: what an enactor writes there is what the upper name answers."""
    shop = prepared()
    below = f"west.{shop.endpoint.name}"
    seen = run(shop.provider.read(below))
    assert COMMITTED == run(
        shop.provider.commit(write(below, seen, Content.of_addresses(("198.51.100.9",), ttl=5), n=2))
    )

    assert {EAST[0], ("198.51.100.9",)} == shop.answers()


# ---------------------------------------------------------------------------------------------------- the signal


def test_when_our_signal_is_silent_nothing_moves() -> None:
    """Checks that are never answered leave every region in: silence evacuates nobody."""
    shop = prepared()
    shop.account.clock.nanoseconds += 3600 * SECOND

    assert {EAST[0], WEST[0]} == shop.answers()


def test_one_watch_alone_evacuates_nothing() -> None:
    """Of three watches one may be wrong, or cut off; two that agree are believed, and a third may fall silent."""
    shop = prepared()
    shop.say("east", evacuated=True, watches=WATCHES[:1])
    one = shop.answers()
    shop.say("east", evacuated=True, watches=WATCHES[1:])
    shop.say("east", evacuated=False, watches=WATCHES[2:])

    assert ({EAST[0], WEST[0]}, {WEST[0]}) == (one, shop.answers())


def test_a_single_watch_is_believed() -> None:
    """Who has only one has chosen so."""
    shop = prepared(watches=WATCHES[:1])
    shop.say("east", evacuated=True, watches=WATCHES[:1])

    assert {WEST[0]} == shop.answers()


def test_a_flicker_is_not_believed() -> None:
    """A signal shorter than the checks' threshold moves nothing, then or later."""
    shop = prepared()
    for evacuated in (True, False):
        shop.say("east", evacuated=evacuated)
        shop.account.clock.nanoseconds -= SETTLED - 5 * SECOND
    early = shop.answers()
    shop.account.clock.nanoseconds += 10 * SETTLED

    assert ({EAST[0], WEST[0]}, {EAST[0], WEST[0]}) == (early, shop.answers())


def test_with_every_region_evacuated_the_name_is_not_empty() -> None:
    """Route 53 takes all for healthy when none is."""
    shop = prepared()
    shop.say("east", evacuated=True)
    shop.say("west", evacuated=True)

    assert {EAST[0], WEST[0]} == shop.answers()


# ----------------------------------------------------------------------------------------------------- preparing


def test_preparing_again_changes_nothing() -> None:
    """The same health checks are found, the same sets stand there, and no batch is sent."""
    shop = prepared()
    batches = shop.account.aws.asked.count("change_resource_record_sets")

    assert Reply(Outcome.COMMITTED, "already prepared") == shop.prepare()
    assert batches == shop.account.aws.asked.count("change_resource_record_sets")


def test_a_name_that_was_let_go_is_prepared_without_a_gap() -> None:
    """Sets and sentinel of a retired endpoint are replaced in one batch: each answer before and after has addresses."""
    shop = Shop()
    content = Content.of_addresses(shop.endpoint.addresses, ttl=5)
    seen = run(create(shop.provider, shop.endpoint.name, content))
    kept = shop.prepare()
    sentinel = Sentinel("test", 2, 1, content.digest, Standing.RETIRED, "person")
    retired = write(shop.endpoint.name, seen, content, n=2)._replace(sentinel=sentinel)
    assert COMMITTED == run(shop.provider.commit(retired))
    before = shop.answers()

    assert (Outcome.FAILED, True) == (kept.outcome, "let go of it first: outlast retire" in kept.detail)
    assert ({EAST[0] + WEST[0]}, COMMITTED, {EAST[0], WEST[0]}) == (before, shop.prepare(), shop.answers())
    assert () == shop.live().sentinel


def test_what_is_not_ours_is_not_replaced() -> None:
    """Sets without a sentinel, under another realm, or with somebody else's policy stay, and it is said which."""
    shop, name = Shop(), ""
    name = shop.endpoint.name
    shop.account.change(("CREATE", name, "A", 60, ["192.0.2.66"]))
    unclaimed = shop.prepare()
    shop.account.change_sets(
        ("DELETE", plain(name, "A", 60, ["192.0.2.66"])), ("CREATE", weighted(name, "x", "192.0.2.66"))
    )
    routed = shop.prepare()
    shop.account.change_sets(("DELETE", weighted(name, "x", "192.0.2.66")))
    run(create(shop.provider, name))
    foreign = shop.prepare(realm="other")

    assert [Outcome.FAILED] * 3 == [reply.outcome for reply in (unclaimed, routed, foreign)]
    assert [True] * 3 == [
        "is not ours" in unclaimed.detail,
        "other sets with a routing policy" in routed.detail,
        "is not ours" in foreign.detail,
    ]


def test_a_name_is_not_prepared_over_nothing() -> None:
    """Without the regional endpoints Route 53 refuses the aliases, and the name stays as it was."""
    shop = Shop()
    shop.endpoint = dataclasses.replace(shop.endpoint, name=f"other.{OPEN}")
    reply = shop.prepare()

    assert (True, NOTHING) == ("the alias target name was not found" in reply.detail, shop.live())


def test_a_prepared_name_is_safe_from_enactors() -> None:
    """An enactor that still has the name in an old plan is refused, before anything is sent."""
    shop = prepared()
    content = Content.of_addresses(shop.endpoint.addresses, ttl=5)
    reply = run(shop.provider.commit(write(shop.endpoint.name, shop.live(), content)))

    assert (Outcome.FAILED, {EAST[0], WEST[0]}) == (reply.outcome, shop.answers())


@pytest.mark.parametrize(
    ("targets", "primary", "fault"),
    [
        (EAST[0], "", "all its targets are in one region: there is nothing to shift to"),
        (EAST[0] + WEST[0], "north", "primary = 'north' needs exactly two regions, of which it is one"),
    ],
)
def test_what_cannot_be_prepared_is_said(targets: tuple[str, ...], primary: str, fault: str) -> None:
    """There must be another region, and a primary must be one of two."""
    placed = tuple(Target(address=address, region="west" if address in WEST[0] else "east") for address in targets)
    endpoint = Endpoint(name="shop.example", targets=placed)
    with pytest.raises(InvalidConfig, match=fault):
        routed_sets(endpoint, "Z1", {"east": "1", "west": "2"}, primary=primary)


@pytest.mark.parametrize(
    ("watches", "fault"),
    [
        ((), "name at least one watch, at most 255, and none twice"),
        ((WATCHES[0], WATCHES[0]), "none twice"),
        (tuple(Watch(f"w{number}.example") for number in range(256)), "at most 255"),
        ((Watch("w.example", path="/" + "x" * 250),), "has over 255 characters"),
    ],
)
def test_watches_that_route53_would_not_take_are_refused(watches: tuple[Watch, ...], fault: str) -> None:
    """None, one twice, more than a calculated check counts, a path too long to be asked for."""
    with pytest.raises(InvalidConfig, match=fault):
        checks_of("shop.example", "east", watches)


@pytest.mark.parametrize(
    ("url", "watch"),
    [
        ("https://w.example", Watch("w.example")),
        ("https://w.example/evacuated/", Watch("w.example")),
        ("https://w.example:8443/left", Watch("w.example", 8443, "/left")),
        ("http://w.example", None),
        ("https://me@w.example", None),
        ("https://w.example:port", None),
    ],
)
def test_a_watch_has_a_url(url: str, watch: Watch | None) -> None:
    """HTTPS, host, perhaps port and path; without a path it is the default one. It is printed as it is read."""
    assert watch == watch_of(url)
    assert watch is None or watch == watch_of(str(watch))


def test_upper_names_are_known_by_their_regional_endpoints() -> None:
    """Regions of a name with targets of that region alone, at least two; others are names like any other."""
    targets = tuple(
        Target(address=address, region="west" if address in WEST[0] else "east") for address in EAST[0] + WEST[0]
    )
    whole = Endpoint(name="shop.example", targets=targets)
    east, west = regional(whole)
    lone = dataclasses.replace(east, name="east.lone.example")
    mixed = dataclasses.replace(whole, name="east.mixed.example")

    assert [(whole.name, whole.addresses)] == [(it.name, it.addresses) for it in uppers((east, west, lone, mixed))]


# -------------------------------------------------------------------------------------------------------- doctor


def test_doctor_lists_what_would_need_a_write() -> None:
    """Endpoints over several regions in plain sets, unread ones and half-prepared ones; not those of one region."""
    shop = prepared()
    ready, one = shop.endpoint, regional(shop.endpoint)[0]
    bare, unread, half = (dataclasses.replace(ready, name=fresh()) for _ in range(3))
    run(create(shop.provider, bare.name, Content.of_addresses(bare.addresses, ttl=5)))
    free = [("CREATE", weighted(half.name, region, "192.0.2.8")) for region in ("east", "west")]
    shop.account.change_sets(*free)
    seen = {it.name: run(shop.provider.read(it.name)) for it in (ready, one, bare, half)}

    assert (
        NeedsWrite(bare.name, "its regions (east, west) stand in one set, which a shift replaces"),
        NeedsWrite(unread.name, "it could not be read"),
        NeedsWrite(half.name, "no health check takes east, west out of its A answers"),
    ) == needing_write((ready, one, bare, unread, half), seen)
