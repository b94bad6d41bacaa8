"""Aliases, the hazard."""

import dns.name
import pytest
from dns.rcode import Rcode
from unit.nameserver.bench import Bench, BenchFactory


def _alias(target: str) -> str:
    wire = dns.name.from_text(f"{target}.example.test.").to_digestable()
    return f"\\# {len(wire)} {wire.hex()}"


@pytest.fixture
def aliased(make_bench: BenchFactory) -> Bench:
    """A bench with the hazard on, and a chain of aliases c1 → www, c2 → c1, … c4."""
    bench = make_bench(aliases=True)
    update = bench.update()
    update.add("c1", 5, "TYPE65280", _alias("www"))
    for depth in range(2, 5):
        update.add(f"c{depth}", 5, "TYPE65280", _alias(f"c{depth - 1}"))
    assert bench.exchange(update).rcode() == Rcode.NOERROR
    return bench


def _add(bench: Bench, owner: str, target: str) -> tuple[Rcode, list[str]]:
    update = bench.update()
    update.use_edns()
    update.delete("lost")
    update.replace(owner, 5, "TYPE65280", _alias(target))
    reply = bench.exchange(update)
    return reply.rcode(), [error.text or "" for error in reply.extended_errors()]


def test_an_alias_answers_with_the_addresses_of_its_target_under_its_own_name(aliased: Bench) -> None:
    """Four aliases deep, the owner is the name that was asked for and the TTL the target's."""
    rrset = aliased.ask("c4").answer[0]

    assert (rrset.name.to_text(), rrset.ttl, len(rrset)) == ("c4.example.test.", 30, 2)


def test_an_alias_too_deep_is_refused(aliased: Bench) -> None:
    """The fifth alias of a chain does not resolve, so it cannot be added."""
    assert _add(aliased, "c5", "c4")[0] == Rcode.REFUSED


def test_a_family_the_target_lacks_is_nodata(aliased: Bench) -> None:
    """The target has no AAAA: NOERROR, no answer, the SOA."""
    reply = aliased.ask("c4", "AAAA")

    assert (reply.rcode(), reply.answer, len(reply.authority)) == (Rcode.NOERROR, [], 1)


def test_adding_an_alias_to_a_missing_target_undoes_the_whole_update(aliased: Bench) -> None:
    """REFUSED with the provider's words, and the deletion beside it did not happen."""
    rcode, texts = _add(aliased, "new", "missing")

    assert rcode == Rcode.REFUSED
    assert texts == ["Tried to create an alias that targets missing.example.test., but that target was not found."]
    assert aliased.ask("lost", "CNAME").answer


def test_a_target_may_be_deleted_under_its_alias_which_then_answers_nothing(aliased: Bench) -> None:
    """The incident: the deletion is accepted, the name goes empty, and its repair beside a dead alias is refused."""
    update = aliased.update()
    update.delete("www")
    deleted = aliased.exchange(update).rcode()
    reply = aliased.ask("c1")
    line = aliased.lines()[-1]

    assert (deleted, reply.rcode(), reply.answer) == (Rcode.NOERROR, Rcode.NOERROR, [])
    assert line["answers"]["c4.example.test"] == {"A": [], "AAAA": []}
    assert _add(aliased, "rollback", "c1")[0] == Rcode.REFUSED


def test_an_alias_may_be_added_together_with_its_target(aliased: Bench) -> None:
    """Only the end state counts, whatever the order of the changes."""
    update = aliased.update()
    update.add("late", 5, "TYPE65280", _alias("target"))
    update.add("target", 5, "AAAA", "2001:db8::1")

    assert aliased.exchange(update).rcode() == Rcode.NOERROR
    assert aliased.ask("late", "AAAA").answer[0][0].to_text() == "2001:db8::1"


def test_without_the_hazard_the_type_is_data_like_any_other(bench: Bench) -> None:
    """It is stored unchecked and not followed."""
    rcode, _ = _add(bench, "new", "missing")

    assert rcode == Rcode.NOERROR
    assert not bench.ask("new").answer
