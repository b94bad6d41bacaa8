"""What the configuration says, and every way of saying it wrong."""

from pathlib import Path

import pytest

from outlast.config.example import EXAMPLE
from outlast.config.parse import load, parse
from outlast.config.registry_settings import SqliteSettings
from outlast.config.settings import HealthSettings, Rfc2136Settings, Route53Settings, Settings
from outlast.config.wire import places, providers, providers_of, readers
from outlast.errors import InvalidConfig
from outlast.provider.route53 import Route53Provider

BASE = """
realm = "shop"
[registry]
kind = "sqlite"
path = "outlast.db"
[provider.primary]
kind = "rfc2136"
address = "192.0.2.53"
zones = ["example.com"]
key_secret_file = "tsig.key"
[endpoint."db.example.com".targets]
east = ["192.0.2.1"]
"""
FILE = Path("/etc/outlast.toml")


def read(text: str) -> Settings:
    return parse(text.encode(), FILE)


def faults_of(text: str) -> list[str]:
    """What is refused, without the file's name, which every fault begins with."""
    with pytest.raises(InvalidConfig) as caught:
        read(text)
    head = f"{FILE}: "
    assert all(fault.startswith(head) for fault in caught.value.faults)
    return [fault.removeprefix(head) for fault in caught.value.faults]


def test_the_example_is_valid() -> None:
    """The file that `outlast init` writes loads as it stands."""
    settings = read(EXAMPLE)

    assert ("shop", ("192.0.2.1", "192.0.2.2", "198.51.100.1")) == (
        settings.realm,
        settings.topology.endpoints[0].addresses,
    )


def test_the_example_says_the_defaults() -> None:
    """What the example spells out is what a file without it means, so that deleting a line changes nothing."""
    bare = EXAMPLE.split("[health]")[0] + '[endpoint."db.example.com".targets]' + EXAMPLE.split(".targets]")[1]

    assert read(bare) == read(EXAMPLE)


def test_every_key_of_the_example_is_known() -> None:
    """The lines that are commented out are valid too."""
    lines = []
    for line in EXAMPLE.splitlines():
        is_option = line.startswith("# ") and "=" in line and line[2:].split()[0].islower() and '" ' not in line[:2]
        is_table = line.startswith("# [")
        lines.append(line[2:] if is_table or (is_option and line.split()[2:3] == ["="]) else line)
    text = "\n".join(line for line in lines if not line.startswith("key_secret_env"))
    settings = read(text)

    assert settings.resolver is not None
    assert (("enactor-a", "enactor-b", "enactor-c"), False, Path("/etc/resolver.known")) == (
        settings.enactor.peers,
        settings.topology.endpoints[0].probed,
        settings.resolver.store,
    )


def test_the_resolver_is_no_concern_of_roles() -> None:
    """Its section is read with the others; roles compare what they run by, and that is the same with and without it."""
    settings = read(BASE + '[resolver]\nupstreams = ["127.0.0.1:53"]\ndeadline = "3s"\n')

    assert settings.resolver is not None
    assert (3.0, read(BASE)) == (settings.resolver.deadline, settings)


def test_paths_are_relative_to_the_file() -> None:
    """Registry and key lie beside the file, wherever the command is run."""
    settings = read(BASE)
    (primary,) = settings.providers
    assert isinstance(primary, Rfc2136Settings)

    assert (SqliteSettings(path=Path("/etc/outlast.db")), Path("/etc/tsig.key")) == (
        settings.registry,
        primary.key_secret_file,
    )


def test_targets_that_are_names() -> None:
    """A name comes out absolute and in lower case, however it is written, with its place."""
    of = '["LB-1.example.net", {name = "lb-2.example.net.", zone = "b"}, {address = "lb-3.example.net"}]'
    targets = read(BASE.replace('["192.0.2.1"]', of)).topology.endpoints[0].targets

    assert ("lb-1.example.net.", "lb-2.example.net.", "lb-3.example.net.") == tuple(it.address for it in targets)
    assert ("east", "b") == (targets[1].region, targets[1].zone)


def test_durations_and_targets() -> None:
    """Durations become seconds, a TTL may be a number, and a target may carry its zone, cloud and capacity."""
    west = '{address = "192.0.2.9", zone = "b", cloud = "x", capacity = 2.5}'
    text = f'{BASE}west = [{west}]\n[endpoint."db.example.com"]\n'
    endpoint = read(text + 'ttl = 7\nsoak = "250ms"\nvelocity_window = "2m"\nload = 3\n').topology.endpoints[0]
    target = endpoint.targets[1]

    assert (1.0, 2.5, 3.0) == (endpoint.targets[0].capacity, target.capacity, endpoint.load)
    assert (7, 0.25, 120.0, "west", "b", "x") == (
        endpoint.ttl,
        endpoint.soak,
        endpoint.velocity_window,
        target.region,
        target.zone,
        target.cloud,
    )


def test_bake_belongs_to_what_is_edited() -> None:
    """How carefully an edit is followed stands with the planner and goes with the endpoints."""
    text = BASE + '[planner]\nbake = "5m"\ncanary = "db.example.com"\n'

    assert (300.0, "db.example.com") == (read(text).topology.bake, read(text).topology.canary)
    assert ["canary = 'x.example' is not an endpoint: name one, or leave it out"] == faults_of(
        text.replace('"db.example.com"\n', '"x.example"\n')
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'east = ["192.0.2.1"]',
            'east = [{address = "192.0.2.1", capacity = "2"}]',
            '[endpoint."db.example.com".targets] east = [{"address": "192.0.2.1", "capacity": "2"}]: write a number, without quotes',
        ),
        (
            'east = ["192.0.2.1"]',
            'east = [{address = "192.0.2.1", capacity = 0}]',
            '[endpoint."db.example.com"] 192.0.2.1: capacity = 0 is not above 0 and at most 1e+12',
        ),
        (
            'realm = "shop"',
            'realm = "a shop"',
            'realm = "a shop": write up to 32 letters, digits, dots, dashes or underscores in quotes',
        ),
        ('realm = "shop"', "", 'realm is missing: add realm = "shop" at the top of the file'),
        ('realm = "shop"', 'realm = "shop"\nrelam = 1', "relam = 1: unknown key; did you mean realm?"),
        ('"sqlite"', '"oracle"', '[registry] kind = "oracle": write one of sqlite, postgres, etcd, s3'),
        ('path = "outlast.db"', "", '[registry] path is missing: add path = "outlast.db"'),
        (
            '"192.0.2.53"',
            '"ns1.example.com"',
            (
                '[provider.primary] address = "ns1.example.com": write an IP address such as 192.0.2.53; a name would need '
                "the DNS that is down"
            ),
        ),
        (
            'zones = ["example.com"]',
            'zones = ["example.com"]\nport = 65536',
            "[provider.primary] port = 65536: write a port between 1 and 65535",
        ),
        (
            'zones = ["example.com"]',
            'zones = ["example.com"]\ntimeout = 5',
            '[provider.primary] timeout = 5: write a duration such as "5s", "250ms" or "2m"',
        ),
        (
            'zones = ["example.com"]',
            'zones = ["example.com"]\ntimeout = "10ms"',
            "[provider.primary] timeout = 0.01 s is not within 0.05 s and 60 s",
        ),
        (
            'key_secret_file = "tsig.key"',
            "",
            (
                '[provider.primary] name where the secret is: either key_secret_file = "tsig.key" or key_secret_env = '
                '"TSIG_SECRET"'
            ),
        ),
        (
            'key_secret_file = "tsig.key"',
            'key_secret = "hush"',
            '[provider.primary] key_secret: never write a secret here; put it into a file: key_secret_file = "tsig.key"',
        ),
        (
            'key_secret_file = "tsig.key"',
            'key_secret_env = "TSIG"',
            '[provider.primary] key_name is missing: add key_name = "outlast."',
        ),
        (
            '["192.0.2.1"]',
            '["192.0.2.256"]',
            "[endpoint.\"db.example.com\"] '192.0.2.256' is not an IPv4 or IPv6 address",
        ),
        (
            '["192.0.2.1"]',
            '["192.0.2.1"]\nwest = ["lb.example.net"]',
            (
                '[endpoint."db.example.com"] targets has names (lb.example.net.) beside addresses; a CNAME stands alone: '
                "write only addresses, or only names"
            ),
        ),
        (
            '["192.0.2.1"]',
            '["lb"]',
            (
                "[endpoint.\"db.example.com\"] 'lb' is neither an address nor a host name: write the whole name, with its "
                "domain"
            ),
        ),
        (
            '["192.0.2.1"]',
            '["lb.example.net"]\nwest = 3',
            (
                '[endpoint."db.example.com".targets] west = 3: write a list of addresses such as '
                'west = ["192.0.2.1", {address = "192.0.2.2", zone = "a"}]'
            ),
        ),
        (
            '["192.0.2.1"]',
            '[{address = "192.0.2.1", name = "lb.example.net"}]',
            (
                '[endpoint."db.example.com".targets] east = [{"address": "192.0.2.1", "name": "lb.example.net"}]: each '
                'target is an address or a name in quotes, {address = "192.0.2.2", zone = "a"}, or '
                '{name = "lb.example.net", zone = "a"}'
            ),
        ),
        (
            '"db.example.com".targets]\neast = ["192.0.2.1"]',
            '"example.com".targets]\neast = ["lb.example.net"]',
            (
                '[endpoint."example.com"] target lb.example.net.: it is the zone\'s own name at primary, beside whose SOA and '
                "NS no CNAME can stand; give it addresses, or give clients a name below it such as www.example.com"
            ),
        ),
        (
            '["192.0.2.1"]',
            '["lb.example.net"]\n[health]\nmax_signal_age = "2.9s"',
            "[health] max_signal_age = 2.9 s is too short for targets that are names: write 3s",
        ),
        (
            "[registry]",
            '[health]\nupstreams = ["ns.example.net"]\n[registry]',
            (
                '[health] upstreams = ["ns.example.net"]: write an IP address such as 192.0.2.53; a name would need the '
                "DNS that is down"
            ),
        ),
        ('["192.0.2.1"]', "[]", '[endpoint."db.example.com"] targets is empty: name at least one address'),
        (
            '["192.0.2.1"]',
            '"192.0.2.1"',
            (
                '[endpoint."db.example.com".targets] east = "192.0.2.1": write a list of addresses such as '
                'east = ["192.0.2.1", {address = "192.0.2.2", zone = "a"}]'
            ),
        ),
        (
            '["192.0.2.1"]',
            '[{address = "192.0.2.1", zon = "a"}]',
            (
                '[endpoint."db.example.com".targets] east = [{"address": "192.0.2.1", "zon": "a"}]: unknown key zon of a '
                "target; did you mean zone?"
            ),
        ),
        (
            "db.example.com",
            "db.example.org",
            (
                '[endpoint."db.example.org"] it lies in no provider\'s zone (example.com): correct the name or add its '
                "zone to a provider"
            ),
        ),
        (
            '"db.example.com"',
            "db.example.com",
            '[endpoint.db] write the whole name in quotes: [endpoint."db.example.com"]',
        ),
        (
            '[endpoint."db.example.com".targets]\neast = ["192.0.2.1"]',
            "",
            '[endpoint] there is no endpoint: add [endpoint."db.example.com".targets] with us-east-1 = ["192.0.2.1"]',
        ),
        (
            "[registry]",
            '[health]\nintervall = "5s"\n[registry]',
            '[health] intervall = "5s": unknown key; did you mean interval?',
        ),
        (
            '"rfc2136"',
            '"powerdms"',
            "[provider.primary] kind = \"powerdms\": write one of rfc2136, powerdns, route53, octodns, in quotes; did you mean 'powerdns'?",
        ),
        (
            'zones = ["example.com"]',
            'zones = ["example.com"]\nmulti_signer = true',
            "[provider.primary] multi_signer = true is about signed zones: add signed = true, or take it out",
        ),
        (
            'zones = ["example.com"]',
            'zones = ["example.com"]\nsigned = "yes"',
            '[provider.primary] signed = "yes": write true or false, without quotes',
        ),
        ("[registry]", "[health]\nrise = 0\n[registry]", "[health] rise = 0 is not within 1 and 100"),
        (
            "[registry]",
            '[health]\nmax_signal_age = "1s"\n[registry]',
            "[health] max_signal_age = 1 s is shorter than interval + timeout: every signal would be too old",
        ),
        ("[registry]", "[janitor]\nkeep = 0\n[registry]", "[janitor] keep = 0 is not within 1 and 10000"),
        (
            "[registry]",
            '[resolver]\nupstream = ["127.0.0.1"]\nupstreams = ["127.0.0.1"]\n[registry]',
            '[resolver] upstream = ["127.0.0.1"]: unknown key; did you mean upstreams?',
        ),
        ("[registry]", "planner = 3\n[registry]", "planner = 3: write it as a table, under [planner]"),
    ],
)
def test_a_fault(old: str, new: str, fault: str) -> None:
    """A fault names table, key, value and what to write instead, and is the only one."""
    assert old in BASE

    assert [fault] == faults_of(BASE.replace(old, new))


def test_all_faults_at_once() -> None:
    """Faults of every table come out together, not one for each attempt."""
    text = BASE.replace('"shop"', '""').replace('"sqlite"', "1").replace("192.0.2.53", "x").replace("192.0.2.1", "y")
    tables = [fault.split(" ")[0] for fault in faults_of(text + "[planner]\ninterval = 1\n")]

    assert ["realm", "[registry]", "[provider.primary]", "[planner]", '[endpoint."db.example.com"]'] == tables


def test_a_misspelt_secret_is_not_repeated() -> None:
    """The value of an unknown key that may be a secret stays out of the message."""
    faults = faults_of(BASE.replace("key_secret_file", "key_sekret_file") + "[planner]\nsecret = 'hush'\n")

    assert "hush" not in " ".join(faults)


def test_a_place_signs_for_the_prober() -> None:
    """With a place a prober's name stands behind it; without one it stands alone."""
    placed = HealthSettings(place="us-west-2")

    assert ("us-west-2/p", "p") == (placed.observer("p"), HealthSettings().observer("p"))


def test_not_toml() -> None:
    """A syntax error comes with its line and column."""
    assert ["not TOML: Invalid value (at line 1, column 9)"] == faults_of("realm = \n")


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there names the command that writes one."""
    with pytest.raises(InvalidConfig) as caught:
        load(tmp_path / "none.toml")

    assert (f"{tmp_path / 'none.toml'}: there is no such file; write one with: outlast init",) == caught.value.faults


ROUTE53 = """[provider.amazon]
kind = "route53"
zones = {"Example.net." = "Z1", "db.example.net" = "Z2"}
"""


def test_zones_at_route53_have_ids() -> None:
    """Each zone stands with its id, and an endpoint belongs to the closest; credentials are not for this file."""
    amazon = read(BASE + ROUTE53 + 'timeout = "3s"\nwait_insync = "1m"\nrequests_per_second = 2\n').providers[1]
    expected = Route53Settings(
        name="amazon",
        zones=("example.net", "db.example.net"),
        zone_ids=("Z1", "Z2"),
        timeout=3.0,
        wait_insync=60.0,
        requests_per_second=2,
    )

    assert (expected, "db.example.net") == (amazon, amazon.zone_of("x.db.example.net"))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"route53"', '"rout53"', 'kind = "rout53": write one of rfc2136, powerdns, route53, octodns, in quotes'),
        ('"Z1"', "1", 'zones = {…}: write text in quotes, such as "shop"'),
        (
            '{"Example.net." = "Z1", "db.example.net" = "Z2"}',
            '["example.net"]',
            'zones = ["example.net"]: write each zone with its id, such as {"example.com" = "Z0123456789"}',
        ),
        ("zones", "zone", 'zones is missing: add zones = {"example.com" = "Z0123456789"}'),
        (
            'kind = "route53"',
            'kind = "route53"\nwait_insync = "1h"',
            "wait_insync = 3600 s is not within 0 s and 300 s",
        ),
        (
            'kind = "route53"',
            'kind = "route53"\nrequests_per_second = 0',
            "requests_per_second = 0 is not within 1 and 1000",
        ),
        ('kind = "route53"', 'kind = "route53"\nkey_name = "k"', 'key_name = "k": unknown key; there are: '),
    ],
)
def test_what_is_wrong_with_route53_is_said(old: str, new: str, fault: str) -> None:
    """Each fault names the provider, the key and the fix."""
    faults = faults_of(BASE + ROUTE53.replace(old, new, 1))

    assert any(said.startswith(f"[provider.amazon] {fault}") for said in faults), faults


def test_readers_of_route53_refuse_to_write() -> None:
    """Planner and janitor are wired with a provider that changes nothing, though boto3 finds credentials by itself."""
    text = BASE.replace("[endpoint", ROUTE53 + "[endpoint").replace(
        BASE[BASE.index("[provider.primary]") : BASE.index("[endpoint")], ""
    )
    settings = read(text.replace('"db.example.com"', '"x.example.net"'))
    found = [wired(settings)["amazon"] for wired in (readers, providers)]

    assert [True, False] == [provider.is_reader for provider in found if isinstance(provider, Route53Provider)]


def test_every_provider_of_a_zone_serves_the_endpoint() -> None:
    """An endpoint is kept at each provider that has a zone above it, and only there."""
    more = BASE + "".join(
        f'[provider.{name}]\nkind = "rfc2136"\naddress = "192.0.2.54"\nzones = ["{zone}"]\nkey_secret_file = "k"\n'
        for name, zone in (("second", "example.com"), ("other", "example.org"))
    )
    settings = read(more)

    assert (("primary", "second"), 2) == (providers_of(settings, "db.example.com"), len(places(settings)))


def _second(more: str, *, first: str = "") -> str:
    base = BASE.replace('zones = ["example.com"]', f'zones = ["example.com"]\n{first}')
    return (
        f'{base}[provider.second]\nkind = "rfc2136"\naddress = "192.0.2.54"\nzones = ["db.example.com"]\n'
        f'key_secret_file = "k"\n{more}'
    )


def test_several_providers_of_a_signed_zone_are_refused() -> None:
    """Each would sign with its own keys: the fault names endpoint, providers, field and what to do."""
    fault = (
        '[endpoint."db.example.com"] it lies at several providers (primary, second), with signed = true at second: '
        "resolvers would reject one with the keys of another; leave its zone at one provider, or put every provider's "
        "keys into every DNSKEY set (RFC 8901) and write multi_signer = true at each"
    )

    assert [fault] == faults_of(_second("signed = true\n"))
    assert [fault] == faults_of(_second("signed = true\nmulti_signer = true\n"))
    assert [fault.replace("at second", "at primary, second")] == faults_of(
        _second("signed = true\n", first="signed = true\nmulti_signer = true")
    )


def test_several_providers_that_share_keys_are_taken() -> None:
    """With every provider's keys in every DNSKEY set, or with one provider, or unsigned, nothing is in the way."""
    both = "signed = true\nmulti_signer = true\n"

    assert 2 == len(read(_second(both, first=both)).providers)
    assert 2 == len(read(_second("")).providers)
    assert read(BASE.replace('kind = "rfc2136"', 'kind = "rfc2136"\nsigned = true')).providers[0].signed


def test_the_closest_zone_wins() -> None:
    """A name lies in the longest zone above it; a zone that only ends alike does not count."""
    provider = Rfc2136Settings(name="p", address="192.0.2.53", zones=("example.com", "db.example.com", "ple.com"))

    assert ("db.example.com", "example.com", "") == (
        provider.zone_of("x.db.example.com"),
        provider.zone_of("xdb.example.com"),
        provider.zone_of("badexample.com"),
    )
