"""Updates: prerequisites, changes, and that they are all or nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.update
import pytest
from dns.rcode import Rcode
from unit.nameserver.bench import Bench, BenchFactory

from outlast.nameserver.keys import UpdateKey

Edit = Callable[[dns.update.UpdateMessage], None]


def _two_that_fail(update: dns.update.UpdateMessage) -> None:
    update.absent("www")
    update.present("nothing")


def _whole_pass(update: dns.update.UpdateMessage) -> None:
    update.replace("www", 5, "A", "192.0.2.8")
    update.add("_outlast.www", 5, "TXT", '"n=1"')


# Section 2.4 of RFC 2136: each form, where it holds and where it does not.
PREREQUISITES: list[tuple[str, Edit, str]] = [
    ("name in use", lambda u: u.present("www"), "NOERROR"),
    ("name in use, absent", lambda u: u.present("nothing"), "NXDOMAIN"),
    ("name in use, empty non-terminal", lambda u: u.present("deep"), "NXDOMAIN"),
    ("name in use, under a wildcard", lambda u: u.present("x.wild"), "NXDOMAIN"),
    ("name not in use", lambda u: u.absent("nothing"), "NOERROR"),
    ("name not in use, empty non-terminal", lambda u: u.absent("deep"), "NOERROR"),
    ("name not in use, present", lambda u: u.absent("www"), "YXDOMAIN"),
    ("set exists", lambda u: u.present("www", "A"), "NOERROR"),
    ("set exists, absent", lambda u: u.present("www", "MX"), "NXRRSET"),
    ("set does not exist", lambda u: u.absent("www", "MX"), "NOERROR"),
    ("set does not exist, present", lambda u: u.absent("www", "A"), "YXRRSET"),
    ("exact value", lambda u: u.present("www", "A", "192.0.2.2", "192.0.2.1"), "NOERROR"),
    ("exact value, a part", lambda u: u.present("www", "A", "192.0.2.1"), "NXRRSET"),
    ("exact value, more", lambda u: u.present("www", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3"), "NXRRSET"),
    ("exact value, absent", lambda u: u.present("nothing", "A", "192.0.2.1"), "NXRRSET"),
    ("exact value, other case", lambda u: u.present("web", "CNAME", "WWW"), "NOERROR"),
    ("exact value, text has case", lambda u: u.present("www", "TXT", '"HELLO"'), "NXRRSET"),
    ("outside the zone", lambda u: u.present("www.other."), "NOTZONE"),
    ("a TTL", lambda u: _raw(u, 1, "www 5 IN A 192.0.2.1"), "FORMERR"),
    ("class CH", lambda u: _raw(u, 1, "www 0 CH A www 1"), "FORMERR"),
    ("the first that fails counts", _two_that_fail, "YXDOMAIN"),
]


def _raw(update: dns.update.UpdateMessage, section: int, text: str) -> None:
    name, ttl, rdclass, rdtype, *data = text.split()
    update.sections[section].append(
        dns.rrset.from_text(f"{name}.example.test.", int(ttl), rdclass, rdtype, " ".join(data))
    )


@pytest.mark.parametrize(("edit", "rcode"), [row[1:] for row in PREREQUISITES], ids=[row[0] for row in PREREQUISITES])
def test_a_prerequisite_holds_or_has_its_code(bench: Bench, edit: Edit, rcode: str) -> None:
    """Each form is answered with exactly the code of RFC 2136, and a failed one prevents the change."""
    update = bench.update()
    edit(update)
    update.add("new", 5, "A", "192.0.2.99")
    reply = bench.exchange(update)

    assert reply.rcode().name == rcode
    assert (reply.rcode() == Rcode.NOERROR) == bool(bench.ask("new").answer)


# Section 3.4.2 of RFC 2136: the change, the name and type looked at after it, what is there.
CHANGES: list[tuple[str, Edit, str, list[str]]] = [
    ("add to a set", lambda u: u.add("www", 30, "A", "192.0.2.3"), "www A", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    ("add what is there", lambda u: u.add("www", 30, "A", "192.0.2.1"), "www A", ["192.0.2.1", "192.0.2.2"]),
    ("delete a record", lambda u: u.delete("www", "A", "192.0.2.1"), "www A", ["192.0.2.2"]),
    ("delete no record", lambda u: u.delete("www", "A", "192.0.2.8"), "www A", ["192.0.2.1", "192.0.2.2"]),
    ("delete a set", lambda u: u.delete("www", "A"), "www A", []),
    ("delete a set, not the others", lambda u: u.delete("www", "A"), "www TXT", ['"hello"']),
    ("delete a name", lambda u: u.delete("www"), "www TXT", []),
    ("replace a set", lambda u: u.replace("www", 5, "A", "192.0.2.8"), "www A", ["192.0.2.8"]),
    ("CNAME beside data", lambda u: u.add("www", 5, "CNAME", "ns"), "www CNAME", []),
    ("data beside CNAME", lambda u: u.add("lost", 5, "TXT", '"x"'), "lost TXT", ["missing.example.test."]),
    ("CNAME replaces CNAME", lambda u: u.add("lost", 5, "CNAME", "ns"), "lost CNAME", ["ns.example.test."]),
    ("apex SOA stays", lambda u: u.delete("@", "SOA"), "@ NS", ["ns.example.test."]),
    ("apex NS stays", lambda u: u.delete("@", "NS"), "@ NS", ["ns.example.test."]),
    ("last apex NS stays", lambda u: u.delete("@", "NS", "ns"), "@ NS", ["ns.example.test."]),
    ("apex stays", lambda u: u.delete("@"), "@ NS", ["ns.example.test."]),
]


@pytest.mark.parametrize(("edit", "where", "values"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_change_does_what_the_rfc_says(bench: Bench, edit: Edit, where: str, values: list[str]) -> None:
    """Each form of change is accepted and leaves exactly these values."""
    update = bench.update()
    edit(update)
    reply = bench.exchange(update)
    name, rdtype = where.split()
    found = [rdata.to_text() for rrset in bench.ask(name, rdtype).answer for rdata in rrset]

    assert reply.rcode() == Rcode.NOERROR
    assert sorted(found) == values
    assert bench.ask("@", "SOA").answer


FORMS: list[tuple[str, Edit, str]] = [
    ("outside the zone", lambda u: u.add("www.other.", 5, "A", "192.0.2.1"), "NOTZONE"),
    ("type ANY", lambda u: _raw(u, 2, "www 5 IN ANY \\# 0"), "FORMERR"),
    ("class CH", lambda u: _raw(u, 2, "www 5 CH A www 1"), "FORMERR"),
    ("a signature", lambda u: u.add("www", 5, "NSEC", "www A"), "REFUSED"),
]


@pytest.mark.parametrize(("edit", "rcode"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_change_out_of_form_undoes_the_whole_update(bench: Bench, edit: Edit, rcode: str) -> None:
    """A good change before a bad one is not applied either."""
    update = bench.update()
    update.add("new", 5, "A", "192.0.2.99")
    edit(update)
    reply = bench.exchange(update)

    assert reply.rcode().name == rcode
    assert bench.ask("new").rcode() == Rcode.NXDOMAIN


def test_a_set_takes_the_ttl_of_its_newest_record(bench: Bench) -> None:
    """RFC 2181: one set, one TTL; the newcomer's, even if its data was there already."""
    update = bench.update()
    update.add("www", 99, "A", "192.0.2.1")
    bench.exchange(update)

    assert bench.ask("www").answer[0].ttl == 99


def test_the_serial_rises_with_a_change_and_only_then(bench: Bench) -> None:
    """A changing commit raises it by one; an update that changes nothing, and one without changes, do not."""
    serials = [bench.zone.serial]
    edits: list[Edit] = [lambda u: u.add("www", 30, "A", "192.0.2.3")] * 2 + [lambda u: u.present("www")]
    for edit in edits:
        update = bench.update()
        edit(update)
        bench.exchange(update)
        serials.append(bench.zone.serial)

    assert serials == [41, 42, 42, 42]


@pytest.mark.parametrize(("sent", "serial"), [(40, 41), (41, 42), (90, 90)])
def test_a_soa_of_the_update_counts_unless_it_is_older(bench: Bench, sent: int, serial: int) -> None:
    """An older serial is ignored, the same is raised with the change, a newer one is taken."""
    update = bench.update()
    update.add("@", 60, "SOA", f"ns hostmaster {sent} 3600 600 86400 8")
    bench.exchange(update)

    assert bench.zone.serial == serial


@pytest.mark.parametrize(("zone", "rcode"), [("other.test", Rcode.NOTAUTH), ("www.example.test", Rcode.NOTAUTH)])
def test_a_zone_that_is_not_ours_is_notauth(bench: Bench, zone: str, rcode: Rcode) -> None:
    """Only the exact name of a zone of this server is accepted."""
    update = dns.update.UpdateMessage(zone, keyring=bench.key.tsig_key())

    assert bench.exchange(update).rcode() == rcode


def test_an_unsigned_update_is_refused(bench: Bench) -> None:
    """Without a signature nothing is changed."""
    update = dns.update.UpdateMessage("example.test")
    update.delete("www")

    assert bench.exchange(update).rcode() == Rcode.REFUSED
    assert bench.ask("www").answer


@pytest.mark.parametrize(
    ("name", "rcode"), [("www", "NOERROR"), ("_outlast.www", "NOERROR"), ("xwww", "REFUSED"), ("ns", "REFUSED")]
)
def test_a_scoped_key_changes_its_names_and_what_is_below(make_bench: BenchFactory, name: str, rcode: str) -> None:
    """Outside its names it is refused, and told so."""
    key = UpdateKey.generate("scoped", names=("www.example.test",))
    bench = make_bench(keys=(key,))
    update = bench.update(key)
    update.add(name, 5, "TXT", '"x"')

    assert bench.exchange(update).rcode().name == rcode


def test_a_zone_survives_in_its_state_file(make_bench: BenchFactory, tmp_path: Path) -> None:
    """What was acknowledged is there after a restart, serial and unknown types included; the zone file is not read."""
    first = make_bench(state=tmp_path / "state")
    update = first.update()
    update.add("new", 5, "TYPE65280", "\\# 3 616263")
    update.delete("www")
    first.exchange(update)
    second = make_bench(state=tmp_path / "state")

    assert second.zone.nodes == first.zone.nodes
    assert second.zone.serial == 42


def test_what_cannot_be_kept_is_not_acknowledged(make_bench: BenchFactory, tmp_path: Path) -> None:
    """With its folder gone the state cannot be written: SERVFAIL, and the old version is still served."""
    folder = tmp_path / "kept"
    folder.mkdir()
    bench = make_bench(state=folder / "state")
    folder.rmdir()
    update = bench.update()
    update.delete("www")

    assert bench.exchange(update).rcode() == Rcode.SERVFAIL
    assert bench.ask("www").answer


def test_the_journal_says_what_was_live(bench: Bench) -> None:
    """A load, a commit with what it changed, a no-op, and a refusal with the names concerned: one line each."""
    bench.updater.note_start()
    edits: list[Edit] = [_whole_pass, lambda u: u.present("www"), lambda u: u.absent("www")]
    for edit in edits:
        update = bench.update()
        edit(update)
        bench.exchange(update)
    loaded, committed, unchanged, refused = bench.lines()

    assert loaded["answers"]["web.example.test"] == {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": []}
    assert [line["outcome"] for line in (loaded, committed, unchanged, refused)] == [
        *("loaded", "committed", "unchanged", "refused")
    ]
    assert [line["serial"] for line in (loaded, committed, unchanged, refused)] == [41, 42, 42, 42]
    assert committed["changes"] == [
        {"name": "www.example.test", "type": "A", "ttl": 5, "values": ["192.0.2.8"]},
        {"name": "_outlast.www.example.test", "type": "TXT", "ttl": 5, "values": ['"n=1"']},
    ]
    assert committed["answers"] == {
        "www.example.test": {"A": ["192.0.2.8"], "AAAA": []},
        "web.example.test": {"A": ["192.0.2.8"], "AAAA": []},
        "_outlast.www.example.test": {"A": [], "AAAA": []},
    }
    assert (refused["rcode"], refused["names"]) == ("YXDOMAIN", ["www.example.test"])
    assert (refused["key"], refused["peer"], refused["monotonic"]) == ("main.key", "127.0.0.1:5353", 1.5)
    assert json.dumps(refused["changes"]) == "[]"
