"""What status makes of an endpoint: one row for each way in which plan, record and primary can disagree."""

import io

import pytest
from rich.console import Console

from outlast.cli.status import exit_status, show, weaknesses
from outlast.config.reading import Line
from outlast.health.signal import Signal, Verdict
from outlast.traffic.assessment import Agreement, assess, heard
from outlast.traffic.content import Content
from outlast.traffic.evidence import freshest
from outlast.traffic.plan import Entry
from outlast.traffic.ports import Known, Live, Place, Record, Tier
from outlast.traffic.sentinel import Sentinel, Standing

DB = "db.example.com"
OLD, NEW = (Content.of_addresses((address,), ttl=5) for address in ("192.0.2.1", "192.0.2.2"))


def seen(
    *, n: int = 4, gen: int = 2, of: Content = NEW, standing: Standing = Standing.LIVE, realm: str = "shop"
) -> Sentinel:
    return Sentinel(realm, n, gen, of.digest, standing, "enactor-a")


def live(sentinel: Sentinel, content: Content = NEW) -> Live:
    return Live((sentinel.text,), content.sets)


def known(
    *,
    planned: Content | None = NEW,
    gen: int = 2,
    recorded: int | None = 4,
    standing: Standing = Standing.LIVE,
) -> Known:
    entry = None if planned is None else Entry(endpoint=DB, generation=gen, content=planned)
    record = None if recorded is None else Record("primary", DB, seen(n=recorded, standing=standing), NEW)
    return Known(gen, entry, record)


ROWS: list[tuple[Known | str, Live | str, Agreement]] = [
    (known(), live(seen()), Agreement.IN_STEP),
    (known(recorded=3), live(seen()), Agreement.UNRECORDED),
    (known(recorded=None), live(seen()), Agreement.UNRECORDED),
    (known(gen=3), live(seen()), Agreement.BEHIND),
    (known(gen=1), live(seen()), Agreement.AHEAD),
    (known(planned=OLD), live(seen()), Agreement.AHEAD),
    (known(), live(seen(), OLD), Agreement.DAMAGED),
    (known(), Live((seen().text,), ()), Agreement.DAMAGED),
    (known(), live(seen(standing=Standing.HELD)), Agreement.HELD),
    ("down", live(seen(standing=Standing.HELD)), Agreement.HELD),
    (known(), live(seen(standing=Standing.RETIRED)), Agreement.RETIRED),
    (known(), live(seen(realm="other")), Agreement.FOREIGN),
    (known(), Live(("v=2 anything",), NEW.sets), Agreement.FOREIGN),
    (known(), Live(("v=spf1",), NEW.sets), Agreement.CORRUPT),
    (known(), Live((), ()), Agreement.ABSENT),
    (known(recorded=None), Live((), ()), Agreement.ABSENT),
    (known(recorded=None), Live((), OLD.sets), Agreement.UNCLAIMED),
    (known(planned=None, recorded=None), Live((), ()), Agreement.UNPLANNED),
    (known(planned=None), live(seen()), Agreement.UNPLANNED),
    ("down", live(seen()), Agreement.UNKNOWN),
    ("down", Live((), ()), Agreement.UNKNOWN),
    (known(), "silent", Agreement.UNKNOWN),
    (known(standing=Standing.RETIRED), Live((), ()), Agreement.RETIRED),
    (known(standing=Standing.RETIRED), Live((), OLD.sets), Agreement.RETIRED),
]


@pytest.mark.parametrize(("of_registry", "of_provider", "agreement"), ROWS)
def test_agreement(of_registry: Known | str, of_provider: Live | str, agreement: Agreement) -> None:
    """Each row's disagreement has its name, and words unless all is well."""
    assessment = assess("shop", of_registry, of_provider)

    assert (agreement, agreement is not Agreement.IN_STEP) == (assessment.agreement, bool(assessment.words))


def test_every_agreement_has_a_row() -> None:
    """No name is unreachable; what probers and the file say is added to a row afterwards."""
    assert set(Agreement) - {Agreement.DANGLING, Agreement.UNLISTED} == {agreement for _, _, agreement in ROWS}


@pytest.mark.parametrize(
    ("standing", "evidence", "agreement", "words"),
    [
        (
            Standing.LIVE,
            "resolves to nothing: NODATA",
            Agreement.DANGLING,
            "lb.example.net. resolves to nothing, says o1; it",
        ),
        (Standing.LIVE, "192.0.2.1: connection refused", Agreement.IN_STEP, ""),
        (
            Standing.HELD,
            "resolves to nothing: NODATA",
            Agreement.HELD,
            "held by enactor-a; lift it with: outlast thaw; lb.ex",
        ),
    ],
)
def test_a_name_that_leads_nowhere_is_told(standing: Standing, evidence: str, agreement: Agreement, words: str) -> None:
    """Being in step with a plan that serves nobody is worth an alarm; being held stays what it is, with more words."""
    name = Content.of_targets(("lb.example.net.",), ttl=5)
    sentinel = seen(of=name, standing=standing)
    of = Known(2, Entry(endpoint=DB, generation=2, content=name), Record("primary", DB, sentinel, name))
    signal = Signal("lb.example.net.", "o1", Verdict.UNHEALTHY, 1, 1, evidence=evidence)
    found = heard(assess("shop", of, live(sentinel, name)), live(sentinel, name), freshest([signal], wall=1, max_age=1))

    assert (agreement, True) == (found.agreement, found.words.startswith(words))
    assert bool(words) is bool(found.words)


def test_a_provider_that_is_silent_says_nothing_of_names() -> None:
    """Without a reading there is no name to hear of."""
    unread = assess("shop", known(), "silent")

    assert unread == heard(unread, "silent", {})


@pytest.mark.parametrize(
    ("rows", "status"),
    [((0,), 0), ((0, 19), 3), ((0, 3), 1), ((19, 3), 1), ((0, 8), 1), ((), 3)],
)
def test_exit_status(rows: tuple[int, ...], status: int) -> None:
    """What needs attention comes before what could not be told; nothing at all could not be told either."""
    lines = tuple(
        Line(Place("primary", DB), of_registry, of_provider, assess("shop", of_registry, of_provider))
        for of_registry, of_provider, _ in (ROWS[row] for row in rows)
    )

    assert status == exit_status(lines)


def test_a_weaker_provider_is_told_once() -> None:
    """Of each provider that promises less than compare and swap, one line says what that means; of others none."""
    first = Line(Place("primary", DB), known(), live(seen()), assess("shop", known(), live(seen())))
    weaker = first._replace(place=Place("weaker", DB), tier=Tier.T3)
    words = (
        "weaker is T3, transactions without compare and swap: a write or a hold may be undone by one decided before it, "
        "until the next pass"
    )

    assert (words,) == weaknesses((first, weaker, weaker._replace(place=Place("weaker", "x.example.com"))))
    assert () == weaknesses((first,))


def test_the_weakest_provider_may_show_half_a_write() -> None:
    """At T4 there is not even a transaction, and the line says so."""
    place = Place("weakest", DB)
    line = Line(place, known(), live(seen()), assess("shop", known(), live(seen())), Tier.T4)

    words = (
        "weakest is T4, neither transactions nor compare and swap: a write may be seen half done, and a write or a hold may "
        "be undone by one decided before it, until the next pass"
    )

    assert (words,) == weaknesses((line,))


def shown(name: str, width: int) -> list[str]:
    """The lines of the table of one endpoint on a terminal of this width."""
    line = Line(Place("primary", name), known(), live(seen()), assess("shop", known(), live(seen())))
    out = io.StringIO()
    show(Console(file=out, width=width), "shop", (line,))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "row"),
    [
        (60, "db.example.com  primary   in step "),
        (80, "db.example.com  primary   in step "),
        (119, "db.example.com  primary   in step "),
        (200, "db.example.com  primary   in step "),
        (80, "db-primary.internal.eu-west-1.shop.example.com "),
    ],
)
def test_a_terminal_breaks_no_endpoint(width: int, row: str) -> None:
    """The name stands on one line, and so do provider and agreement where there is room; the rest is folded."""
    lines = shown(row.split(maxsplit=1)[0], width)

    assert 1 == sum(line.startswith(row) for line in lines), "\n".join(lines)
    assert width >= max(map(len, lines))


def test_a_terminal_folds_an_endpoint_for_which_it_is_too_narrow() -> None:
    """Nothing is cut off, however narrow it is."""
    column = "".join(line.partition(" ")[0] for line in shown(DB, 30)[1:])

    assert column.endswith(DB)
