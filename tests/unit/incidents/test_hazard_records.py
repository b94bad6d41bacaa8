"""The messages that the hazard enactor sends."""

import dns.edns
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import dns.update
import pytest

from outlast.incidents import records

DB = "db.example.test."
ZONE = records.Zone(dns.name.from_text("example.test."), dns.tsig.Key("drill.", "c2VjcmV0", "hmac-sha256"), 60)


def lines(rrsets: list[dns.rrset.RRset]) -> list[str]:
    """Print the records of a section, names below the zone."""
    return [line.replace(".example.test.", "", 1) for rrset in rrsets for line in rrset.to_text().splitlines()]


def alias(target: str) -> str:
    """Print alias data as RFC 3597 section 5 does."""
    wire = dns.name.from_text(target).to_wire()
    return f"\\# {len(wire or b'')} {(wire or b'').hex()}"


def test_a_tree_replaces_what_stands_at_its_name() -> None:
    """Building is idempotent: the set is deleted and written in one transaction."""
    update = ZONE.build_tree(110, DB, addresses=("127.0.1.1", "127.0.1.2"))

    assert lines(update.update) == [
        "plan-110.db ANY A",
        "plan-110.db 60 IN A 127.0.1.1",
        "plan-110.db 60 IN A 127.0.1.2",
    ]


def test_a_tree_is_deleted_whatever_points_at_it() -> None:
    """Deleting has no prerequisite."""
    update = ZONE.delete_tree(110, DB)

    assert (lines(update.prerequisite), lines(update.update)) == ([], ["plan-110.db ANY ANY"])


def test_a_free_lock_is_created_only_if_there_is_none() -> None:
    """Absence is a prerequisite (RFC 2136 section 2.4.3)."""
    update = ZONE.acquire_lock(DB, over="", fresh="c 7.000")

    assert (
        lines(update.prerequisite),
        lines(update.update),
    ) == (["lock.db NONE TXT"], ['lock.db 60 IN TXT "c 7.000"'])


def test_an_install_is_one_transaction_under_the_exact_lock() -> None:
    """Lock, top alias and rollback alias change together or not at all."""
    update = ZONE.install(145, DB, active=144, held="c 7.000", fresh="c 8.000")

    assert lines(update.prerequisite) == ['lock.db 0 IN TXT "c 7.000"']
    assert [
        "lock.db ANY TXT",
        'lock.db 60 IN TXT "c 8.000"',
        "db ANY TYPE65280",
        f"db 60 IN TYPE65280 {alias('plan-145.db.example.test.')}",
        "rollback.db ANY TYPE65280",
        f"rollback.db 60 IN TYPE65280 {alias('plan-144.db.example.test.')}",
    ] == lines(update.update)


def test_the_first_install_has_no_rollback() -> None:
    """Where nothing was active the rollback alias is left out."""
    update = ZONE.install(109, DB, active=None, held="c 7.000", fresh="c 8.000")

    assert len(lines(update.update)) == 4


def test_a_lock_is_released_only_if_it_is_exactly_ours() -> None:
    """Somebody else's lock is not deleted."""
    update = ZONE.release_lock(DB, held="c 7.000")

    assert (lines(update.prerequisite), lines(update.update)) == (['lock.db 0 IN TXT "c 7.000"'], ["lock.db ANY TXT"])


def test_transactions_are_signed() -> None:
    """Every transaction carries the key (RFC 8945)."""
    assert ZONE.delete_tree(110, DB).keyname == dns.name.from_text("drill.")


@pytest.mark.parametrize(
    ("target", "number"),
    [("plan-110.db.example.test.", 110), ("web.example.test.", None), ("plan-x.db.example.test.", None), (".", None)],
)
def test_the_target_of_an_alias_is_read_back(target: str, number: int | None) -> None:
    """An alias that names no plan is as good as none."""
    response = dns.message.from_text(
        f"id 1\nopcode QUERY\nflags QR AA\n;ANSWER\ndb.example.test. 60 IN TYPE65280 {alias(target)}"
    )

    assert records.alias_target(response) == number


def test_no_answer_is_no_lock_and_no_alias() -> None:
    """A negative answer reads as absence."""
    response = dns.message.from_text("id 1\nopcode QUERY\nflags QR AA")

    assert (records.lock_of(response), records.alias_target(response)) == ("", None)


def test_the_lock_is_read_back_as_it_was_written() -> None:
    """The exact value is what the next transaction must name."""
    response = dns.message.from_text(
        'id 1\nopcode QUERY\nflags QR AA\n;ANSWER\nlock.db.example.test. 60 IN TXT "c 7.000"'
    )

    assert records.lock_of(response) == "c 7.000"


def test_a_refusal_is_told_in_the_servers_words() -> None:
    """The extended error's text wins over the bare code."""
    response = dns.message.make_response(ZONE.delete_tree(110, DB))
    response.set_rcode(dns.rcode.REFUSED)
    bare = records.reason_of(response)
    response.use_edns(edns=0, options=[dns.edns.EDEOption(dns.edns.EDECode.OTHER, "the target was not found")])

    assert (bare, records.reason_of(response)) == ("REFUSED", "the target was not found")
