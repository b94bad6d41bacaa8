"""What users may choose, what is refused, and which rule and upstreams a name gets; from code and from a file."""

from pathlib import Path
from typing import Any

import pytest

from outlast.config.resolver import load_resolver
from outlast.errors import InvalidConfig
from outlast.resolver.options import Protect, ResolverOptions, Rule, Stale, Strict, place, seconds
from outlast.resolver.scope import Scopes, normal

WRONG: dict[str, dict[str, Any]] = {
    "upstreams is empty": {"upstreams": ()},
    "write a list": {"upstreams": "127.0.0.1:53"},
    "not ADDRESS:PORT": {"upstreams": ("dns.example.com:53",)},
    "is not ADDRESS:PORT": {"upstreams": ("127.0.0.1:70000",)},
    "not a zone's name": {"upstreams": {"Example.com.": ("127.0.0.1",)}},
    "there must be 1 to 8": {"upstreams": ("127.0.0.1",) * 9},
    "is not tls:PORT, tcp:PORT or none": {"names": {"db.example.com": Protect(verify="tls")}},
    "verify = 'tcp:0'": {"names": {"db.example.com": Protect(verify="tcp:0")}},
    "is no Strict(), Stale() or Protect(verify=...)": {"names": {"db.example.com": "strict"}},
    "keep = '8d'": {"names": {"*": Protect(verify="none", keep="8d")}},
    "keep = 0": {"default": Stale(keep=0)},
    "is not a name, *.NAME or *": {"names": {"*db.example.com": Strict()}},
    "has no address": {"pins": {"db.example.com": ()}},
    "is not an IP address": {"pins": {"db.example.com": ("west.example.com",)}},
    "deadline = nan": {"deadline": float("nan")},
    "timeout = -1": {"timeout": -1},
    "hedge = '5 s'": {"hedge": "5 s"},
    "recheck = 0.5": {"recheck": 0.5},
    "max_names = 0": {"max_names": 0},
    "families = ()": {"families": ()},
}


@pytest.mark.parametrize("words", sorted(WRONG))
def test_what_is_refused(words: str) -> None:
    """Each wrong option is refused with its name and value."""
    with pytest.raises(InvalidConfig) as caught:
        ResolverOptions(**WRONG[words])

    assert words in str(caught.value)


def test_all_faults_come_at_once() -> None:
    """Nobody has to mend one option to learn of the next."""
    with pytest.raises(InvalidConfig) as caught:
        ResolverOptions(upstreams=(), deadline=-1, pins={"db.example.com": ()}, max_names=0)

    assert 4 == len(caught.value.faults)


@pytest.mark.parametrize(("text", "expected"), [("250ms", 0.25), ("5s", 5.0), ("24h", 86_400.0), (1.5, 1.5)])
def test_durations(text: str | float, expected: float) -> None:
    """Seconds as numbers, or text with a unit."""
    assert expected == seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("[::1]:5353", ("::1", 5353)),
        ("::1", ("::1", 53)),
        ("localhost:53", None),
        ("127.0.0.1:0", None),
    ],
)
def test_places(text: str, expected: tuple[str, int] | None) -> None:
    """An address with or without a port; names are refused, since they would need DNS."""
    assert expected == place(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DB.Example.COM.", "db.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("_x.example", "_x.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("", ""),
        (".", ""),
        ("a..b", ""),
        ("x" * 64 + ".example", ""),
        ("a\0b.example", ""),
        ("a b.example", ""),
    ],
)
def test_names_have_one_form(text: str, expected: str) -> None:
    """Lower case, A-labels, no final dot; what is no host name is refused."""
    assert expected == normal(text)


SCOPED = Scopes(
    ResolverOptions(
        upstreams={".": ("127.0.0.1",), "corp.example": ("127.0.0.2",), "lab.corp.example": ("127.0.0.3",), "drill.test": ("127.0.0.4",)},
        names={
            "*.corp.example": Protect(verify="none"),
            "db.corp.example": Strict(),
            "*.x.corp.example": Strict(),
        },
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.example.com", ("127.0.0.1",)),
        ("corp.example", ("127.0.0.2",)),
        ("db.corp.example", ("127.0.0.2",)),
        ("notcorp.example", ("127.0.0.1",)),
        ("db.lab.corp.example", ("127.0.0.3",)),
        ("db.drill.test", ("127.0.0.4",)),
        ("other.test", ()),
        ("x.invalid", ()),
        ("x.onion", ()),
        ("printer.home.arpa", ()),
        ("printer", ()),
    ],
)
def test_a_name_belongs_to_the_closest_zone(name: str, expected: tuple[str, ...]) -> None:
    """Nobody but the closest zone's upstreams may be asked, and nobody at all for names that must not be forwarded."""
    assert expected == SCOPED.upstreams(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db.corp.example", Strict),
        ("web.corp.example", Protect),
        ("a.b.corp.example", Protect),
        ("a.x.corp.example", Strict),
        ("corp.example", Stale),
        ("www.example.com", Stale),
    ],
)
def test_the_closest_rule_holds(name: str, expected: type[Rule]) -> None:
    """A name's own rule, then the closest wildcard above it, then the default."""
    assert expected is type(SCOPED.rule(name))


SECTION = """
[resolver]
upstreams = ["127.0.0.1:5301", "127.0.0.1:5302"]
store = "resolver.known"
hedge = "100ms"
[resolver.zones]
"corp.example" = ["127.0.0.1:5353"]
[resolver.names."*.corp.example"]
mode = "protect"
verify = "tls:443"
keep = "12h"
[resolver.names."www.example.com"]
mode = "strict"
[resolver.pins]
"db.corp.example" = ["192.0.2.1"]
"""


def test_a_section_says_what_code_can_say(tmp_path: Path) -> None:
    """The section of the file and the same options in code are equal; paths start at the file."""
    path = tmp_path / "outlast.toml"
    path.write_text(SECTION)
    expected = ResolverOptions(
        upstreams={"corp.example": ("127.0.0.1:5353",), ".": ("127.0.0.1:5301", "127.0.0.1:5302")},
        store=tmp_path / "resolver.known",
        hedge=0.1,
        names={"*.corp.example": Protect(verify="tls:443", keep=43_200.0), "www.example.com": Strict()},
        pins={"db.corp.example": ("192.0.2.1",)},
    )

    assert expected == load_resolver(path)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('verify = "tls:443"\n', "", "verify is missing"),
        ('verify = "tls:443"', 'verify = "tls"', "is not tls:PORT"),
        ("hedge", "hegde", "did you mean hedge?"),
        ('"protect"', '"protected"', "write one of strict, stale, protect"),
        ('["192.0.2.1"]', "[]", "write a list"),
        ("[resolver", "[resolve", "there is no [resolver] section"),
    ],
)
def test_a_wrong_section_says_what_to_write(tmp_path: Path, before: str, after: str, words: str) -> None:
    """A fault names what is wrong and what to write instead."""
    path = tmp_path / "outlast.toml"
    path.write_text(SECTION.replace(before, after))

    with pytest.raises(InvalidConfig) as caught:
        load_resolver(path)

    assert words in str(caught.value)
