"""What the drill reads out of the name server's journal and the other witnesses."""

import json
from pathlib import Path
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from outlast.drill.evidence import Evidence, Refusal, Version
from outlast.drill.tail import Tail

NAME = "db.example.test"
SENTINEL = '"v=1 realm=drill n=7 gen={gen} plan=0123456789abcdef0123456789abcdef st=live by=enactor-a"'


def alias_to(target: str) -> str:
    """The hazard's alias as the journal writes it: unknown type, RFC 3597 section 5."""
    wire = dns.name.from_text(target).to_wire()
    assert wire is not None
    return dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.RdataType.make(65280), wire).to_text()


def change(name: str, rdtype: str, *values: str) -> dict[str, Any]:
    return {"name": name, "type": rdtype, "ttl": 1, "values": list(values)}


def line(at: float, *changes: dict[str, Any], outcome: str = "committed", **fields: Any) -> dict[str, Any]:
    """A line of the journal."""
    return {"monotonic": at, "outcome": outcome, "rcode": "NOERROR", "changes": list(changes), "answers": {}, **fields}


def evidence_with(tmp_path: Path, *lines: dict[str, Any]) -> Evidence:
    """Evidence whose journal is these lines."""
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(f"{json.dumps(item)}\n" for item in lines))
    evidence = Evidence(groups={"plain": tmp_path / "p"}, journal=journal, observer=tmp_path / "o", roles={})
    evidence.poll()
    return evidence


def test_generation_of_ours_stands_in_the_sentinel(tmp_path: Path) -> None:
    """A changed sentinel gives the generation; one that is deleted leaves the last."""
    texts = [change(f"_outlast.{NAME}", "TXT", SENTINEL.format(gen=12)), change(f"_outlast.{NAME}", "TXT")]
    evidence = evidence_with(tmp_path, *(line(float(at), text) for at, text in enumerate(texts)))

    assert [Version(0.0, (), 12)] == evidence.versions(NAME)


@pytest.mark.parametrize("target", [f"plan-110.{NAME}.", f"PLAN-110.{NAME}.".lower(), f"plan-000110.{NAME}."])
def test_generation_of_the_hazard_is_the_plan_its_top_alias_names(tmp_path: Path, target: str) -> None:
    """The alias is data of an unknown type, in hex; its first label is the plan."""
    evidence = evidence_with(tmp_path, line(1.0, change(NAME, "TYPE65280", alias_to(target))))

    assert [Version(1.0, (), 110)] == evidence.versions(NAME)


def test_long_alias_is_read_whole(tmp_path: Path) -> None:
    """Hex digits come in several groups when there are many."""
    long = f"plan-146.{'x' * 60}.{NAME}."
    evidence = evidence_with(tmp_path, line(1.0, change(NAME, "TYPE65280", alias_to(long))))

    assert [146] == [version.generation for version in evidence.versions(NAME)]


def test_aliases_of_other_names_are_no_generation(tmp_path: Path) -> None:
    """The rollback alias and other endpoints move nothing here."""
    others = [
        change(f"rollback.{NAME}", "TYPE65280", alias_to(f"plan-9.{NAME}.")),
        change(f"x{NAME}", "TYPE65280", alias_to(f"plan-9.{NAME}.")),
        change(f"_outlast.x{NAME}", "TXT", SENTINEL.format(gen=9)),
    ]
    evidence = evidence_with(tmp_path, line(1.0, *others))

    assert [0] == [version.generation for version in evidence.versions(NAME)]


def test_answers_are_found_by_name_and_joined_over_families(tmp_path: Path) -> None:
    """A final dot does not matter, other names do; nothing said about a name leaves its answer."""
    answers: list[dict[str, Any]] = [
        {f"{NAME}.": {"A": ["127.0.1.2", "127.0.1.1"], "AAAA": ["::1"]}},
        {f"other.{NAME}": {"A": ["127.0.9.9"]}},
        {NAME: {}},
    ]
    evidence = evidence_with(tmp_path, *(line(float(at), answers=each) for at, each in enumerate(answers)))

    assert [Version(0.0, ("127.0.1.1", "127.0.1.2", "::1"), 0), Version(2.0, (), 0)] == evidence.versions(NAME)


def test_zone_as_loaded_is_a_version_and_refusals_are_none(tmp_path: Path) -> None:
    """What was loaded counts; what was refused or changed nothing does not."""
    answers = {NAME: {"A": ["127.0.1.1"]}}
    evidence = evidence_with(
        tmp_path,
        line(0.0, outcome="loaded", answers=answers),
        line(1.0, outcome="refused", answers={NAME: {}}),
        line(2.0, outcome="unchanged", answers={NAME: {}}),
    )

    assert [Version(0.0, ("127.0.1.1",), 0)] == evidence.versions(NAME)


def test_versions_since_an_instant_know_what_was_before(tmp_path: Path) -> None:
    """The first version told is whole although its parts changed earlier."""
    evidence = evidence_with(
        tmp_path,
        line(1.0, change(f"_outlast.{NAME}", "TXT", SENTINEL.format(gen=1)), answers={NAME: {"A": ["127.0.1.1"]}}),
        line(2.0, change(f"_outlast.{NAME}", "TXT", SENTINEL.format(gen=2))),
    )

    assert [Version(2.0, ("127.0.1.1",), 2)] == evidence.versions(NAME, since=1.5)


def test_refusals_name_key_rcode_and_reason(tmp_path: Path) -> None:
    """Keys lose their final dot; an unsigned transaction has none."""
    evidence = evidence_with(
        tmp_path,
        line(1.0, outcome="refused", rcode="NXRRSET", key="enactor-a.", reason="early"),
        line(2.0, outcome="refused", rcode="NXRRSET", key="enactor-a.", reason="stale"),
        line(3.0, outcome="refused", rcode="REFUSED", key=None),
    )

    assert [Refusal(2.0, "enactor-a", "NXRRSET", "stale"), Refusal(3.0, "", "REFUSED", "")] == evidence.refusals(
        since=1.5
    )


def test_witnesses_lines_are_sorted_by_what_they_are(tmp_path: Path) -> None:
    """Calls, afterthoughts, samples, readiness and the last effect of each role have each their place."""
    files: dict[str, tuple[dict[str, Any], ...]] = {
        "plain": ({"event": "ready"}, {"event": "call", "id": 1}, {"event": "after", "id": 1, "attempts": 3}),
        "observer": ({"event": "ready"}, {"event": "sample", "t": 1}, {"event": "lost"}),
        "role": ({"effect": "ReadKnown"}, {"effect": "Commit"}),
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("".join(f"{json.dumps(item)}\n" for item in lines))
    evidence = Evidence(
        groups={"plain": tmp_path / "plain"},
        journal=tmp_path / "journal",
        observer=tmp_path / "observer",
        roles={"enactor-a": tmp_path / "role"},
    )
    evidence.poll()

    assert [{"event": "call", "id": 1}] == evidence.calls["plain"]
    assert {1: {"event": "after", "id": 1, "attempts": 3}} == evidence.after["plain"]
    assert ([{"event": "sample", "t": 1}], {"plain", "observer"}) == (evidence.samples, evidence.ready)
    assert {"enactor-a": {"effect": "Commit"}} == evidence.doing


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    """Each whole line is given once, whatever the boundaries of the writes, even within a character."""
    path = tmp_path / "lines"
    tail = Tail(path)
    given = [tail.read()]
    data = b'{"a":"\xc3\xa4"}\n\n{"b":2}\n{"c":'
    for chunk in (data[:7], data[7:], b"3}\n"):
        with path.open("ab") as file:
            file.write(chunk)
        given.append(tail.read())

    assert [[], [], [{"a": "ä"}, {"b": 2}], [{"c": 3}]] == given


def test_line_that_is_no_json_raises(tmp_path: Path) -> None:
    """A witness that writes nonsense is an error of ours and not passed over."""
    path = tmp_path / "lines"
    path.write_text("nonsense\n")

    with pytest.raises(json.JSONDecodeError):
        Tail(path).read()


def test_writer_is_whoever_moved_the_endpoints_sentinel_last(tmp_path: Path) -> None:
    """Not who was refused, nor who wrote another endpoint or another name; nobody, if there is none."""
    sentinel = change(f"_outlast.{NAME}", "TXT", SENTINEL.format(gen=1))
    evidence = evidence_with(
        tmp_path,
        line(1.0, sentinel, key="enactor-a."),
        line(2.0, sentinel, key="enactor-b."),
        line(3.0, sentinel, key="enactor-c.", outcome="refused"),
        line(4.0, change(f"_outlast.x{NAME}", "TXT", SENTINEL.format(gen=1)), key="enactor-c."),
    )

    assert ("enactor-b", "") == (evidence.writer(NAME), evidence.writer(f"y{NAME}"))
