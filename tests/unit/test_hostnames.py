"""Host names in their one form: both sides of each limit."""

import re

import pytest

from outlast.hostnames import MAX_LENGTH, absolute, is_absolute

LONG = ".".join(["a" * 49] * 5)
"""249 characters."""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LB-1.East.example.NET", "lb-1.east.example.net."),
        ("lb.example.net.", "lb.example.net."),
        (f"{'a' * 63}.net", f"{'a' * 63}.net."),
        (f"{LONG}.net", f"{LONG}.net."),
        ("1.2.3.4a", "1.2.3.4a."),
        ("xn--bcher-kva.example", "xn--bcher-kva.example."),
    ],
)
def test_a_name_has_one_form(text: str, name: str) -> None:
    """Lower case and absolute; the form is its own form."""
    assert (name, name, True) == (absolute(text), absolute(name), is_absolute(name))
    assert not is_absolute("192.0.2.1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write the whole name"),
        (".", "write the whole name"),
        ("lb", "write the whole name"),
        ("lb.", "write the whole name"),
        ("lb..net", "its label ''"),
        ("lb.net..", "its label ''"),
        (f"{'a' * 64}.net", "its label 'aaa"),
        (f"b.{LONG}.net", f"more than {MAX_LENGTH} characters"),
        ("-lb.net", "its label '-lb'"),
        ("lb-.net", "its label 'lb-'"),
        ("lb_1.net", "its label 'lb_1'"),
        ("l b.net", "its label 'l b'"),
        ("*.example.net", "its label '*'"),
        ("bücher.example", "its label 'bücher'"),
        ("lb.net\n", "its label 'net\\n'"),
        ("192.0.2.300", "its last label is a number"),
        ("2001:db8::1", "write the whole name"),
    ],
)
def test_what_is_no_host_name(text: str, why: str) -> None:
    """What RFC 1035 or RFC 1123 does not allow, or an address could be taken for, is refused with the reason."""
    with pytest.raises(ValueError, match=re.escape(why)):
        absolute(text)
