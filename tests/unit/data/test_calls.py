"""Calls as messages."""

from typing import Any

import pytest

from outlast.data.calls import Calls, Registered, decode, encode, matcher
from outlast.data.desk import Unclaimed
from outlast.data.records import Delivered, Message, Parked, Receipt


def message(body: bytes) -> Message:
    return Message(id="1", body=body, key=None, dedup=None, attempts=1, receipt=Receipt(1, 1))


def test_a_call_reads_back() -> None:
    """Name and arguments come back as they were."""
    args: tuple[Any, ...] = (1, 2.5, None, True, "ü", [1, [2]], {"a": {"b": []}})

    assert ("f", list(args), {"x": "y"}) == decode(encode("f", args, {"x": "y"}))


@pytest.mark.parametrize("odd", [(1, 2), b"x", {1: "a"}, float("nan"), object(), {"a": (1,)}], ids=repr)
def test_what_json_would_change_is_refused(odd: Any) -> None:
    """An argument that would come back as something else is refused before it is parked."""
    with pytest.raises(TypeError, match="must be JSON"):
        encode("f", (odd,), {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"v": 2, "call": "f", "args": [], "kwargs": {}}',
        b'{"v": 1, "call": "f", "args": 1, "kwargs": {}}',
    ],
    ids=repr,
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    """A body of another kind or version is a `ValueError`."""
    with pytest.raises(ValueError, match="the message is"):
        decode(body)


def test_the_function_named_is_called() -> None:
    """The message reaches its own function, and errors of that function count as it says."""
    seen: list[Any] = []
    calls = Calls()
    calls.add("f", Registered(function=seen.append, is_parking=matcher(OSError)))
    calls.handle(message(encode("f", (7,), {})))

    assert [7] == seen
    assert calls.is_outage(message(encode("f", (), {})), ConnectionError())
    assert not calls.is_outage(message(encode("f", (), {})), ValueError())
    assert not calls.is_outage(message(b"x"), OSError())
    assert not calls.is_outage(message(b'{"v": 1, "call": [], "args": [], "kwargs": {}}'), OSError())


def test_an_unknown_function_is_nobodys_fault() -> None:
    """A message whose function is not registered is unclaimed; a name is taken once."""
    calls = Calls()
    with pytest.raises(Unclaimed):
        calls.handle(message(encode("f", (), {})))
    calls.add("f", Registered(function=print, is_parking=matcher(OSError)))
    with pytest.raises(ValueError, match="already delivers"):
        calls.add("f", Registered(function=print, is_parking=matcher(OSError)))


def test_what_parks_may_be_a_class_several_or_a_question() -> None:
    """Each of the three forms of `park_on` answers for an error."""
    forms = (OSError, (OSError, KeyError), lambda error: isinstance(error, OSError))

    assert [True] * 3 == [matcher(form)(OSError()) for form in forms]
    assert [False] * 3 == [matcher(form)(ValueError()) for form in forms]


def test_results_read_like_what_they_are() -> None:
    """The two answers print as a person would write them."""
    assert ("Delivered('ok')", "Parked(id='42', durable='fsync')") == (str(Delivered("ok")), str(Parked("42", "fsync")))
