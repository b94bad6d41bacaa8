"""docs/ROUTE53.md holds: its configuration loads, its policy allows what is sent and no more, its code prepares a name."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from route53_world import Account, run
from zone_world import ONE, addresses, create, write

from outlast.config.parse import parse
from outlast.config.settings import Route53Settings
from outlast.provider.route53_batch import changes
from outlast.provider.route53_failover import regions_of, uppers
from outlast.provider.route53_sets import name_of

PAGE = (Path(__file__).parents[2] / "docs" / "ROUTE53.md").read_text()
REST = 'realm = "shop"\n[registry]\nkind = "sqlite"\npath = "o.db"\n[endpoint."db.example.com".targets]\na = ["192.0.2.1"]\n'


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def block(language: str) -> str:
    (found,) = blocks(language)
    return found


def test_the_configuration_loads() -> None:
    """What the page says to write is all there is to say."""
    settings = parse((REST + "".join(blocks("toml"))).encode(), Path("outlast.toml"))
    watches = ("https://west.watch.example", "https://north.watch.example")

    assert (
        Route53Settings(name="amazon", zones=("example.com",), zone_ids=("Z0123456789ABC",), watches=watches),
    ) == settings.providers
    assert [("shop.example.com", ("east", "west"))] == [
        (it.name, regions_of(it)) for it in uppers(settings.topology.endpoints)
    ]


def test_the_policy_allows_exactly_what_is_sent() -> None:
    """Every action, type and name of a batch is in the policy's conditions, and UPSERT is not."""
    account = Account()
    seen = run(create(account.provider(), "db.example.test", ONE))
    batch = changes(write("db.example.test", seen, addresses("192.0.2.2", "2001:db8::1"), n=2))
    (condition,) = (part["Condition"] for part in json.loads(block("json"))["Statement"] if "Condition" in part)
    equals, like = condition["ForAllValues:StringEquals"], condition["ForAllValues:StringLike"]
    (names,) = like["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
    sent = [name_of(change["ResourceRecordSet"]["Name"]).replace(".test", ".com") for change in batch]

    assert {change["Action"] for change in batch} == set(equals["route53:ChangeResourceRecordSetsActions"])
    assert {change["ResourceRecordSet"]["Type"] for change in batch} | {"CNAME"} == set(
        equals["route53:ChangeResourceRecordSetsRecordTypes"]
    )
    assert all(fnmatchcase(name, names) for name in sent)


def test_the_code_prepares_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands but for the provider, which is one on Route 53 in memory."""
    account = Account()
    for region, address in (("east", "192.0.2.1"), ("west", "198.51.100.1")):
        run(create(account.provider(), f"{region}.shop.example.test", addresses(address)))
    code = re.sub(r"^provider = .*$", "", block("python").replace("example.com", "example.test"), flags=re.MULTILINE)
    names: dict[str, Any] = {"provider": account.provider()}
    exec(code, names)
    shown = capsys.readouterr().out

    assert "['east.shop.example.test', 'west.shop.example.test']\nReply(outcome=<Outcome.COMMITTED" in shown
    assert {("192.0.2.1",), ("198.51.100.1",)} == set(account.aws.answers("shop.example.test", "A"))
