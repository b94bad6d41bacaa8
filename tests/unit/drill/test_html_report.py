"""The report's page as text: complete, escaped, honest about what is missing."""

import html.parser
import re
from typing import Any

import pytest

from outlast.drill.html import page, words
from outlast.drill.html.axis import Axis, axis_of, phases_of
from outlast.drill.html.markup import tag

VILE = "</style><script>alert('1')</script>&\"<img src=x onerror=alert(2)>"


def group(name: str, **more: Any) -> dict[str, Any]:
    """A group's figures: ten calls a second, of which the middle second is lost."""
    seconds = [{"second": second, "calls": 10, "ok": 0 if second == 1 else 10} for second in range(3)]
    figures = {"calls": 30, "availability": 0.6667, "longest_outage_s": 1.0, "attempts_per_call": 2.5, "p99_ms": None}
    return {"group": name, **figures, "seconds": seconds, **more}


def result(text: str = "words", **act: Any) -> dict[str, Any]:
    """A result of one act, with `text` wherever somebody's words stand."""
    made = {
        "name": text,
        "proves": text,
        "seconds": 3.0,
        "groups": [group(text)],
        "empty_seconds": 1.0,
        "expectations": [{"claim": text, "measured": text, "held": False}],
        "story": [{"at_s": 0.0, "phase": text, "text": text}, {"at_s": 1.0, "phase": "later", "text": text}],
        "endpoint": text,
        "phases": [{"at_s": 0.0, "name": text}, {"at_s": 1.0, "name": "later"}],
        "dns": [
            {"at_s": 0.0, "addresses": [text], "generation": 1},
            {"at_s": 1.0, "addresses": [], "generation": 2},
        ],
    }
    factors = {text: text}
    acts = [made | act]
    return {"scenario": text, "seed": 1, "factors": factors, "seconds": 3.0, "version": text, "acts": acts}


class Reader(html.parser.HTMLParser):
    """Notes elements, ids and whatever would be fetched, and that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.ids: list[str] = []
        self.places: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)
        for key, value in attrs:
            self.ids += [value or ""] if key == "id" else []
            self.places += [value or ""] if key in {"src", "href", "action", "data"} else []
            self.handlers += [key] if key.startswith("on") else []

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop()


def read(text: str) -> Reader:
    """The page as a browser's parser would see it."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


def test_whatever_stands_in_a_result_stays_text() -> None:
    """Words with markup in every field make no element and no handler."""
    plain, vile = read(page(result())), read(page(result(VILE)))

    assert plain.elements == vile.elements
    assert ([], []) == (vile.handlers, vile.open)
    assert "script" not in vile.elements


def test_nothing_is_fetched() -> None:
    """All places are on the page itself or empty data, no style fetches, and the policy forbids the rest."""
    text = page(result())

    assert [] == [place for place in read(text).places if not place.startswith(("#", "data:,"))]
    assert None is re.search(r"url\(|@import|https?:", text)
    assert "default-src &#x27;none&#x27;" in text


def test_ids_are_unique_and_every_label_leads_somewhere() -> None:
    """Each plot is named by its own title and description."""
    text = page(result(groups=[group("a", queue=[{"second": 1, "parked": 4}]), group("b")]))
    ids = read(text).ids
    named = " ".join(re.findall(r'aria-labelledby="([^"]+)"', text)).split()

    assert sorted(set(ids)) == sorted(ids)
    assert set() == set(named) - set(ids)
    assert text.count("<svg") == text.count("<desc") == text.count('role="img"')


def test_an_old_result_has_a_report_too() -> None:
    """Without phases and DNS states the phases come from the story, and the rest is left out."""
    act = result()["acts"][0]
    old = {key: value for key, value in act.items() if key not in {"dns", "phases", "endpoint"}}
    text = page(result() | {"acts": [old]})

    assert "DNS answers" not in text
    assert [("words", 0.0, 1.0), ("later", 1.0, 3.0)] == [tuple(phase) for phase in phases_of(old, 3.0)]


def test_an_act_that_was_not_played_has_a_report() -> None:
    """No group, no second, no story: the failed expectation is still told."""
    text = page(result("nothing", groups=[], story=[], phases=[], dns=[], seconds=0.0))

    assert "✗ FAILED" in text
    assert "1 of 1 expectations failed" in text


def test_what_new_groups_carry_is_shown() -> None:
    """A figure that the report does not know stands under its own name; one that nobody has does not stand at all."""
    text = page(result(groups=[group("a", parked=7, brand_new_figure=3, failover_s=None)]))

    assert "brand new figure" in text
    assert ">parked<" in text
    assert "failover" not in text


def test_what_a_piece_bought_is_told_in_points() -> None:
    """A group is compared with the one that has a piece less, if both were counted."""
    groups = [group("plain", availability=0.4), group("plain-two-regions", availability=0.95), group("resolver")]
    text = page(result(groups=[*groups[:2], groups[2] | {"availability": None}]))

    assert "<li><b>+55.0 points</b> a second region: plain-two-regions over plain</li>" in text
    assert "our resolver" not in text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "\N{EN DASH}"), (1.0, "100 %"), (0.9999, "99.9 %"), (0.0, "0 %"), (0.0001, "0.1 %")]
)
def test_shares_are_never_flattered(value: float | None, text: str) -> None:
    """Not quite all is not all, hardly any is not none, and nothing measured is neither."""
    assert text == words.share(value)


def test_seconds_stand_where_they_belong() -> None:
    """The axis is as long as the longest series, and what is outside stands at its edge."""
    axis = axis_of(result()["acts"][0])

    assert Axis(3.0) == axis
    assert (0.0, 500.0, 1000.0) == (axis.x(-1), axis.x(1.5), axis.x(9))
    assert [0, 1, 2, 3] == axis.ticks()


def test_attributes_are_escaped_and_absent_ones_left_out() -> None:
    """A value cannot leave its quotes; `None` is no attribute; names are written as HTML wants them."""
    assert '<p class="a" stroke-width="1" title="&quot;&lt;">x&amp;</p>' == tag(
        "p", "x&", class_="a", stroke_width=1, title='"<', id=None
    )
