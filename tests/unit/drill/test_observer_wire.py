"""The observer's questions and answers as bytes."""

import dns.flags
import dns.message
import dns.rrset

from outlast.drill.observer_wire import MALFORMED, Finding, question, read


def reply(name: str, rdtype: str, *data: str) -> bytes:
    """An answer without its ID."""
    response = dns.message.make_response(dns.message.make_query(name, rdtype))
    if data:
        response.answer.append(dns.rrset.from_text(name, 1, "IN", rdtype, *data))
    return response.to_wire()[2:]


def test_question_is_plain_and_without_recursion() -> None:
    """The template with an ID in front is a question that any server reads."""
    message = dns.message.from_wire(b"\x12\x34" + question("db.example.test", "A"))

    assert (
        message.id,
        message.question[0].to_text(),
        bool(message.flags & dns.flags.RD),
    ) == (0x1234, "db.example.test. IN A", False)


def test_addresses_come_sorted() -> None:
    """The order of a set means nothing, so it is made the same each time."""
    finding = read(reply("db.example.test.", "A", "127.0.1.2", "127.0.1.1"))

    assert Finding("db.example.test", "A", "NOERROR", ("127.0.1.1", "127.0.1.2")) == finding


def test_text_comes_without_quotes() -> None:
    """A TXT record's strings are joined as they stand on the wire."""
    finding = read(reply("_outlast.db.example.test.", "TXT", '"v=1 " "realm=x"'))

    assert finding.values == ("v=1 realm=x",)


def test_empty_answer_has_no_values() -> None:
    """NOERROR without an address is told from everything else by its emptiness."""
    assert Finding("db.example.test", "A", "NOERROR", ()) == read(reply("db.example.test.", "A"))


def test_garbage_and_questions_are_malformed() -> None:
    """Bytes that are no answer neither raise nor pass for one."""
    assert (read(b"\x00" * 7).rcode, read(question("db.example.test", "A")).rcode) == (MALFORMED, MALFORMED)
