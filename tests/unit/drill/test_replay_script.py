"""Drill scripts: written from the explorer's moves, read with every fault named, and what of an effect is compared."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from outlast.drill.replay.facts import facts, facts_of
from outlast.drill.replay.reading import parse, read
from outlast.drill.replay.script import BYTES_MAX, DIED, Script, to_json
from outlast.drill.replay.stops import Stops
from outlast.drill.replay.writing import check_playable, script_of_2025
from outlast.errors import InvalidConfig, Refused
from outlast.incidents import protocol as hazard
from outlast.incidents.exploration import HazardOptions, Zone, hazard_protocol
from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.trace import named_fields
from outlast.simulator import explore
from outlast.simulator.protocol import Verdict
from outlast.simulator.tracing import Step, steps_to
from outlast.traffic import messages as ours
from outlast.traffic.content import Content
from outlast.traffic.ports import Live, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

OPTIONS = HazardOptions()


@pytest.fixture(scope="module")
def outage() -> Script:
    """The shortest trace of the outage."""
    found = explore(hazard_protocol(OPTIONS))
    return script_of_2025(OPTIONS, steps_to(found, found.faulty_at), shows=found.fault)


@pytest.fixture(scope="module")
def ours_script(outage: Script) -> Script:
    """Our machines, with the same stops."""
    return Stops(outage).script()


def changed(script: Script, step: int = 0, **values: Any) -> tuple[str, ...]:
    """The faults of the script with other values in its head, or in that step."""
    document = json.loads(to_json(script))
    (document["steps"][step - 1] if step else document).update(values)
    return faults_of(document)


def faults_of(document: Any) -> tuple[str, ...]:
    """The faults of a document."""
    with pytest.raises(InvalidConfig) as caught:
        parse(document, "x")
    return caught.value.faults


def test_the_outage_is_written_from_its_moves(outage: Script) -> None:
    """Who does what, on what, with which answer, and what DNS says after it: the empty answer is the last."""
    install, delete = outage.steps[-2:]

    assert ("e1", "Install", "Installed") == (install.actor, install.effect, install.answer)
    assert {"plan": 1, "endpoint": "a.example", "lock": "e1", "active": 3} == install.fields
    assert {"a.example": ("192.0.2.1",)} == install.dns
    assert ("e2", "DeleteTree", {"plan": 3, "endpoint": "a.example", "tree": 1}) == (
        delete.actor,
        delete.effect,
        delete.fields,
    )
    assert {"a.example": ()} == delete.dns
    assert [1, 2, 3] == [step.fields["plan"] for step in outage.steps if step.actor == "planner"]


def test_a_script_survives_its_file(tmp_path: Path, outage: Script, ours_script: Script) -> None:
    """Written and read again it is the same, of either protocol; a line for each step."""
    path = tmp_path / "script.json"
    for script in (outage, ours_script):
        path.write_text(to_json(script))

        assert script == read(path)
        assert len(script.steps) == sum(line.startswith('  {"actor"') for line in path.read_text().splitlines())


def test_the_same_stops_are_refused(outage: Script) -> None:
    """Whoever slept with plan 1 in hand sends it last and is refused; DNS is never empty once it has an answer."""
    stops = Stops(outage)
    steps = stops.script().steps
    sent = [(step.actor, step.fields["sentinel"], step.answer) for step in steps if step.effect == "Commit"]
    answers = [step.dns["a.example"] for step in steps]

    assert (Verdict.PASS, 1) == (stops.verdict, stops.refused)
    assert [
        ("e2", "gen=3 n=1 st=live by=e2", "Committed"),
        ("e1", "gen=1 n=1 st=live by=e1", "Conflict"),
    ] == sent
    assert all(answers[answers.index(("192.0.2.1", "198.51.100.1")) :])
    assert ("janitor", {"generation": 1}, "PlanDeleted") == (steps[-1].actor, steps[-1].fields, steps[-1].answer)


def test_only_stops_of_one_endpoint_of_2025_are_followed(outage: Script, ours_script: Script) -> None:
    """A script of our own has no stops to follow, and several endpoints are kept apart here."""
    for script in (ours_script, replace(outage, endpoints=("a.example", "b.example"))):
        with pytest.raises(Refused):
            Stops(script)


def test_who_dies_begins_anew(outage: Script) -> None:
    """A crash is written as one, and followed as one: what had been read is forgotten."""
    crash = Step("e1", ("crash", hazard.ReadLock(1, "a.example")), (3, Zone(frozenset({1})), None, None))
    died = script_of_2025(OPTIONS, [crash], shows="").steps[-1]
    before = outage.steps[:4]
    led = Stops(replace(outage, steps=(*before, died, *before[1:2]))).script().steps

    assert ("e1", "ReadLock", DIED, {"a.example": ()}) == (died.actor, died.effect, died.answer, died.dns)
    assert [("Commit", DIED), ("ReadKnown", "KnownRead")] == [(step.effect, step.answer) for step in led[-2:]]


@pytest.mark.parametrize(
    "options", [HazardOptions(mended=frozenset({"one-time-check"})), HazardOptions(lost_replies=1)]
)
def test_what_only_the_explorer_has_is_no_script(options: HazardOptions) -> None:
    """Mended hazards and lost replies cannot be forced on real processes: said before anything is sought."""
    with pytest.raises(Refused, match="a drill cannot play"):
        check_playable(options)


def test_no_trace_is_no_script() -> None:
    """A protocol that passes has nothing to play."""
    with pytest.raises(Refused, match="there is no trace"):
        script_of_2025(OPTIONS, (), shows="")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"version": 2}, "version = 2: this outlast plays version 1"),
        ({"protocol": "outlost"}, "protocol = 'outlost': unknown; did you mean 'outlast'?"),
        ({"protocol": ["outlast"]}, "protocol = ['outlast']: unknown"),
        ({"enactors": 6}, "enactors = 6: a whole number from 1 to 5 is expected"),
        ({"keep": True}, "keep = True: a whole number"),
        ({"endpoints": []}, "endpoints: a list of 1 to 8 different names"),
        ({"endpoints": ["a.example.com"]}, "endpoints: 'a.example.com' is no name in the zone example"),
        ({"shows": 1}, "shows: a text is expected"),
        ({"steps": []}, "steps: a list of 1 to 500 steps is expected"),
        ({"stepz": []}, "stepz: unknown; did you mean 'steps'?"),
    ],
)
def test_a_faulty_head_is_named(outage: Script, values: dict[str, Any], fault: str) -> None:
    """The key, its value, and what is expected there."""
    (found,) = changed(outage, **values)

    assert found.startswith(f"x: {fault}")


@pytest.mark.parametrize(
    ("step", "values", "fault"),
    [
        (2, {"actor": "e3"}, "actor 'e3': unknown: one of e1, e2, planner"),
        (2, {"actor": "janitor"}, "actor 'janitor': unknown"),
        (2, {"effect": "FetchLastPlan"}, "effect of e1 'FetchLastPlan': unknown; did you mean 'FetchLatestPlan'?"),
        (2, {"effect": "Publish"}, "effect of e1 'Publish': unknown"),
        (2, {"answer": "Failed"}, "answer 'Failed': unknown"),
        (2, {"answer": {}}, "answer {}: unknown"),
        (2, {"dns": {"b.example": []}}, "dns: 'b.example' is none of the endpoints"),
        (2, {"dns": {"a.example": ["8.8.8.8"]}}, "dns: a.example: a list of IPv4 addresses of loopback or documentation"),
        (2, {"dns": []}, "dns: a JSON object of lists of addresses is expected"),
        (2, {"says": []}, "says: a JSON object is expected"),
        (2, {"words": 7}, "words: a text is expected"),
        (2, {"after": 7}, "after: unknown"),
        (1, {"fields": {"plan": 0}}, "fields: plan = 0: the number of the plan, from 1 to 999999, is expected"),
        (1, {"configured": {}}, "configured: addresses for each endpoint are expected"),
    ],
)  # fmt: skip
def test_a_faulty_step_is_named(outage: Script, step: int, values: dict[str, Any], fault: str) -> None:
    """The step, what is wrong with it, and what there is instead."""
    (found,) = changed(outage, step, **values)

    assert found.startswith(f"x: step {step}: {fault}")


def test_all_faults_are_told_at_once(outage: Script) -> None:
    """Two steps with a fault each, and one without a key that must be there."""
    document = json.loads(to_json(outage))
    document["steps"][1]["actor"] = document["steps"][2]["answer"] = "nobody"
    del document["steps"][3]["dns"]

    assert ["2", "3", "4"] == [fault.split()[2].rstrip(":") for fault in faults_of(document)]


def test_our_script_says_what_is_configured(ours_script: Script) -> None:
    """Without it the planner would have nothing to plan; a second endpoint is more than is led."""
    document = json.loads(to_json(ours_script))
    for step in document["steps"]:
        step.pop("configured", None)

    assert ("x: steps: none says what is configured: the planner has nothing to plan",) == faults_of(document)
    assert "endpoints: a list of 1 to 1" in changed(ours_script, endpoints=["a.example", "b.example"])[0]


def test_what_is_no_script_at_all(tmp_path: Path) -> None:
    """No file, no JSON, no object, far too large: each told with the file's name."""
    path = tmp_path / "x.json"
    for text, fault in (
        (None, "outlast verify --script"),
        ("{", "not JSON"),
        ("[]", "JSON object"),
        (" " * (BYTES_MAX + 1), "larger"),
    ):
        if text is not None:
            path.write_text(text)
        with pytest.raises(InvalidConfig, match=fault) as caught:
            read(path)

        assert caught.value.faults[0].startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("protocol", "value", "expected"),
    [
        ("aws-2025", hazard.PlanFound(Plan(3, (Endpoint("a.example", ("192.0.2.3",)),))), {"plan": 3}),
        ("aws-2025", hazard.PlanFound(None), {"plan": None}),
        ("aws-2025", hazard.LockRead("e2 1764000000.123", is_expired=False), {"value": "e2", "is_expired": False}),
        ("aws-2025", hazard.LockRead("", is_expired=True), {"value": ""}),
        ("aws-2025", hazard.InstallRefused("no such tree", "REFUSED"), {"rcode": "REFUSED"}),
        ("aws-2025", hazard.TreesListed((3, 1)), {"numbers": [1, 3]}),
        ("aws-2025", hazard.Wake(0.2), {}),
        ("outlast", ours.Wake(7), {}),
        (
            "outlast",
            ours.Commit(
                Transaction(
                    "p1", "a.example", Live((), ()), Sentinel("r", 2, 3, "d" * 32, Standing.LIVE, "e1"),
                    Content.of_addresses(("192.0.2.9", "192.0.2.1"), ttl=5),
                )
            ),
            {"sentinel": "gen=3 n=2 st=live by=e1", "addresses": ["192.0.2.1", "192.0.2.9"], "over": "none"},
        ),
    ],
)  # fmt: skip
def test_what_a_role_wrote_down_has_the_same_facts(protocol: str, value: Any, expected: dict[str, Any]) -> None:
    """Instants, the epoch of a lock and words are left out; a trace's JSON says the same as the value itself."""
    written = json.loads(json.dumps(named_fields(value)))

    assert expected == facts_of(protocol, value)
    assert expected == facts(protocol, type(value).__name__, written)
