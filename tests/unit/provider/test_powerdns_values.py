"""The pure parts of the PowerDNS provider: options, URLs, differences, changes."""

import json

import pytest

from outlast.errors import InvalidConfig
from outlast.provider.comparison import difference
from outlast.provider.http_exchange import Api, read_url
from outlast.provider.powerdns import PowerdnsProvider
from outlast.provider.powerdns_sets import patch_of
from outlast.traffic.content import Content, RecordSet
from outlast.traffic.ports import Live, Tier, Transaction
from outlast.traffic.sentinel import Sentinel, Standing

A1, A2 = RecordSet("A", 5, ("192.0.2.1",)), RecordSet("A", 5, ("192.0.2.2", "192.0.2.3"))
AAAA = RecordSet("AAAA", 5, ("2001:db8::1",))
CNAME = RecordSet("CNAME", 5, ("lb.example.net.",))
LUA = RecordSet("LUA", 5, ("A \"ifportup(443, {'192.0.2.1'})\"",))


def transaction(seen: tuple[RecordSet, ...], content: tuple[RecordSet, ...]) -> Transaction:
    wanted = Content(content)
    sentinel = Sentinel("test", 2, 2, wanted.digest, Standing.LIVE, "one")
    return Transaction("p", "db.example.test", Live(("old",), seen), sentinel, wanted)


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("http://127.0.0.1:8081", Api(is_secure=False, address="127.0.0.1", port=8081, prefix="")),
        ("http://[::1]:8081/", Api(is_secure=False, address="::1", port=8081, prefix="")),
        ("http://127.0.0.1", Api(is_secure=False, address="127.0.0.1", port=80, prefix="")),
        ("https://192.0.2.53/dns/", Api(is_secure=True, address="192.0.2.53", port=443, prefix="/dns")),
        ("http://192.0.2.53:8081", None),
        ("http://localhost:8081", None),
        ("https://ns1.example.com", None),
        ("https://user:pass@192.0.2.53", None),
        ("https://192.0.2.53/?key=x", None),
        ("https://192.0.2.53:99999", None),
        ("https://192.0.2.53/a\r\nX: y", None),
        ("ftp://127.0.0.1", None),
        ("", None),
    ],
)
def test_a_url_is_one_that_a_secret_may_be_sent_to(url: str, api: Api | None) -> None:
    """Plain HTTP to this machine, TLS to any other, an IP address always; nothing else."""
    assert api == read_url(url)


def test_all_faults_of_the_options_are_told_at_once() -> None:
    """Each wrong option is named, but neither key nor URL, which may hold a password, is repeated."""
    with pytest.raises(InvalidConfig) as caught:
        PowerdnsProvider(name="p", zones=("a..b",), url="https://u:hush@192.0.2.1", api_key="hush hush", timeout=60.1)

    assert ["zones", "url", "api_key", "timeout"] == [fault.split(": ")[1] for fault in caught.value.faults]
    assert "hush" not in str(caught.value)


def test_it_promises_no_more_than_it_keeps() -> None:
    """The tier is T3, and `repr` is silent about the key."""
    provider = PowerdnsProvider(name="p", zones=("example.test",), url="http://127.0.0.1", api_key="hush", timeout=60.0)

    assert (Tier.T3, False) == (provider.tier, "hush" in repr(provider))


@pytest.mark.parametrize(
    ("seen", "content", "changes"),
    [
        ((), (A1,), ["DELETE AAAA", "DELETE CNAME", "REPLACE A 192.0.2.1"]),
        ((A1,), (A1,), ["DELETE AAAA", "DELETE CNAME", "REPLACE A 192.0.2.1"]),
        ((A1,), (A2, AAAA), ["DELETE CNAME", "REPLACE A 192.0.2.2 192.0.2.3", "REPLACE AAAA 2001:db8::1"]),
        ((A1,), (CNAME,), ["DELETE A", "DELETE AAAA", "REPLACE CNAME lb.example.net."]),
        ((LUA,), (A1,), ["DELETE AAAA", "DELETE CNAME", "DELETE LUA", "REPLACE A 192.0.2.1"]),
    ],
)
def test_a_patch_is_the_whole_endpoint(
    seen: tuple[RecordSet, ...], content: tuple[RecordSet, ...], changes: list[str]
) -> None:
    """Whatever was seen, every set that we publish is written or deleted, what goes first; the sentinel comes last."""
    *sets, sentinel = json.loads(patch_of(transaction(seen, content)))["rrsets"]
    told = [
        " ".join((item["changetype"], item["type"], *(record["content"] for record in item.get("records", ()))))
        for item in sets
    ]

    assert changes == told
    assert ("_outlast.db.example.test.", "TXT", "REPLACE") == (
        sentinel["name"],
        sentinel["type"],
        sentinel["changetype"],
    )


def test_an_empty_set_is_never_put_into_a_patch() -> None:
    """Behind the fourth door: REPLACE with nothing would delete in silence."""
    doubtful = transaction((A1,), (A2,))
    object.__setattr__(doubtful.content, "sets", (RecordSet("A", 5, ()),))
    with pytest.raises(AssertionError, match="deletes it in silence"):
        patch_of(doubtful)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (Live(("old",), (A1, AAAA)), ""),
        (Live(("old",), (AAAA, A1)), ""),
        (Live(("new",), (A1, AAAA)), "sentinel changed since it was read"),
        (Live(("old",), (A2, AAAA)), "A changed since it was read"),
        (Live(("old",), (A1._replace(ttl=6), AAAA)), "A changed since it was read"),
        (Live((), (A1, LUA)), "sentinel, AAAA, LUA changed since it was read"),
    ],
)
def test_every_difference_is_told(now: Live, words: str) -> None:
    """Sentinel, values, TTLs, sets that came or went: each is a conflict, and the words name it."""
    assert words == difference(now, Live(("old",), (A1, AAAA)))
