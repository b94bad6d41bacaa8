"""The whole report: one document with its style inside, no script, and a policy that forbids it to fetch anything."""

from collections.abc import Mapping
from typing import Any

from outlast.drill.html import tables
from outlast.drill.html.act import section
from outlast.drill.html.markup import Markup, tag, verbatim
from outlast.drill.html.style import STYLE
from outlast.drill.html.words import number

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Even a mistake of ours could load nothing: neither script nor font, image or frame."""
LIMITS = (
    "Everything runs on this one machine, on loopback: no packet is lost and no link is slow unless an act says so.",
    "The interleaving is forced, because waiting for a race proves patience; transactions, refusals and answers are real.",
    "A call counts at the instant it was scheduled for, so slow answers cannot hide calls that were never made.",
    "Latencies (p50, p99) are reported for comparison between groups of one run. Nothing is expected of them.",
    "One run is one sample. The seed repeats the calls, not the timing of the machine.",
)


def page(result: Mapping[str, Any]) -> str:
    """The report of one drill as an HTML document, from the dictionary that `--json` writes."""
    acts = list(result.get("acts", ()))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"outlast drill: {result['scenario']}"),
        tag("style", verbatim(STYLE)),
    )
    sections = [section(act, number_of=index) for index, act in enumerate(acts, 1)]
    body = tag("body", _header(result, acts), tag("main", _summary(acts), *sections, _limits(result)), _footer(result))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(result: Mapping[str, Any], acts: list[Mapping[str, Any]]) -> Markup:
    items = [item for act in acts for item in act.get("expectations", ())]
    failed = sum(not item["held"] for item in items)
    verdict = f"✗ {failed} of {len(items)} expectations failed" if failed else f"✓ all {len(items)} expectations held"
    calls = sum(int(group.get("calls", 0)) for act in acts for group in act.get("groups", ()))
    facts = f"{number(calls)} calls · {number(float(result['seconds']))} s · seed {result['seed']}"
    return tag(
        "header",
        tag("p", "outlast drill", class_="eyebrow"),
        tag("h1", result["scenario"]),
        tag(
            "p",
            tag("span", verdict, class_="verdict failed" if failed else "verdict"),
            " ",
            tag("span", facts, class_="muted"),
        ),
    )


def _summary(acts: list[Mapping[str, Any]]) -> Markup:
    return tag(
        "section",
        tag("h2", "At a glance", id="glance"),
        tables.overview(acts),
        aria_labelledby="glance",
    )


def _limits(result: Mapping[str, Any]) -> Markup:
    return tag(
        "section",
        tag("h2", "Factors and limits", id="factors"),
        tag("p", "What was forced, shortened or made smaller, and what this report cannot tell.", class_="proves"),
        tables.factors(result),
        tag("ul", *(tag("li", text) for text in LIMITS), class_="limits"),
        aria_labelledby="factors",
    )


def _footer(result: Mapping[str, Any]) -> Markup:
    text = f"outlast {result['version']}. This file is complete in itself: it opens offline and loads nothing."
    return tag("footer", tag("p", text))
