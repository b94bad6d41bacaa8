"""A provider of kind `octodns`: what `outlast.toml` says of it, every way of saying it wrong, and what is wired."""

from pathlib import Path

import pytest

from outlast.config.parse import parse
from outlast.config.settings import OctodnsSettings, Settings
from outlast.config.wire import providers, readers
from outlast.errors import InvalidConfig
from outlast.provider.octodns import OctodnsProvider
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.ports import Tier

BASE = """
realm = "shop"
[registry]
kind = "sqlite"
path = "outlast.db"
[provider.weakest]
kind = "octodns"
class = "octodns_powerdns.PowerDnsProvider"
zones = ["example.com"]
[provider.weakest.settings]
host = "192.0.2.53"
api_key = {file = "api.key"}
[endpoint."db.example.com".targets]
east = ["192.0.2.1"]
"""


def read(text: str, folder: Path = Path("/etc")) -> Settings:
    return parse(text.encode(), folder / "outlast.toml")


def faults_of(text: str) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        read(text)
    return [fault.removeprefix("/etc/outlast.toml: [provider.weakest") for fault in caught.value.faults]


def wired_faults(text: str, folder: Path) -> tuple[str, ...]:
    with pytest.raises(InvalidConfig) as caught:
        providers(read(text, folder))
    return caught.value.faults


def test_what_is_said_is_kept() -> None:
    """Every key reaches the settings; plain options and secrets apart, files beside the configuration."""
    text = BASE.replace(
        "[provider.weakest.settings]", 'timeout = "5s"\naddress = "192.0.2.54"\n[provider.weakest.settings]'
    )
    text = text.replace("host =", 'token = {env = "TOKEN"}\nssl_verify = false\nport = 8081\nids = ["a", "b"]\nhost =')
    (provider,) = read(text).providers

    assert provider == OctodnsSettings(
        name="weakest",
        class_path="octodns_powerdns.PowerDnsProvider",
        zones=("example.com",),
        options=(("ssl_verify", False), ("port", 8081), ("ids", ["a", "b"]), ("host", "192.0.2.53")),
        secret_files=(("api_key", Path("/etc/api.key")),),
        secret_envs=(("token", "TOKEN"),),
        address="192.0.2.54",
        timeout=5.0,
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'class = "octodns_powerdns.PowerDnsProvider"\n',
            "",
            '] class is missing: add class = "octodns_powerdns.PowerDnsProvider"',
        ),
        (
            '"octodns_powerdns.PowerDnsProvider"',
            '"PowerDnsProvider"',
            '] class = "PowerDnsProvider": write the class as octoDNS has it, such as "octodns_powerdns.PowerDnsProvider"',
        ),
        (
            '{file = "api.key"}',
            '"hush"',
            (
                '.settings] api_key: never write a secret here, and name a variable in our way: api_key = {file = "api_key"}, '
                'or api_key = {env = "VARIABLE"}'
            ),
        ),
        (
            'host = "192.0.2.53"',
            'host = "env/HOST"',
            (
                '.settings] host: never write a secret here, and name a variable in our way: host = {file = "host"}, '
                'or host = {env = "VARIABLE"}'
            ),
        ),
        (
            'host = "192.0.2.53"',
            "host = {fil = 1}",
            '.settings] host: write text, a number, true or false, a list of them, {file = "…"} or {env = "…"}',
        ),
        (
            "[provider.weakest.settings]",
            "port = 53\n[provider.weakest.settings]",
            "] port is that of address: add address, or move port to settings if it is the provider's own",
        ),
        (
            "[provider.weakest.settings]",
            'key_secret_file = "k"\n[provider.weakest.settings]',
            (
                "] key_secret_file = …: unknown key; there are: address, class, kind, multi_signer, port, settings, signed, "
                "timeout, zones"
            ),
        ),
    ],
)  # fmt: skip
def test_a_fault(old: str, new: str, fault: str) -> None:
    """A fault names key, value and what to write instead, is the only one, and repeats no secret."""
    assert old in BASE

    assert [fault] == faults_of(BASE.replace(old, new, 1))


def test_more_settings_than_a_provider_has_are_refused() -> None:
    """There is a limit to how much a table may hold, and one less is fine."""
    table = "\n".join(f"a{n} = {n}" for n in range(62))

    assert len(read(BASE.replace("host =", f"{table}\nhost =")).providers) == 1
    assert [".settings] 65 settings are more than 64"] == faults_of(
        BASE.replace("host =", f"{table}\na62 = 62\nhost =")
    )


def test_the_secret_goes_to_whom_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enactors get the provider at tier T4; planner and janitor one that changes nothing, or, with an address, no secret."""
    monkeypatch.setenv("PDNS_API_KEY", "hush-hush")
    text = BASE.replace('{file = "api.key"}', '{env = "PDNS_API_KEY"}')
    writer, reader = (wire(read(text, tmp_path))["weakest"] for wire in (providers, readers))
    text = text.replace("[provider.weakest.settings]", 'address = "192.0.2.53"\n[provider.weakest.settings]')
    by_dns = readers(read(text, tmp_path))["weakest"]

    assert isinstance(writer, OctodnsProvider)
    assert isinstance(reader, OctodnsProvider)
    assert isinstance(by_dns, Rfc2136Provider)
    assert (Tier.T4, False, True, True) == (writer.tier, writer.is_reader, reader.is_reader, by_dns.is_reader)
    assert {"host": "192.0.2.53", "api_key": "hush-hush"} == writer.options
    assert "hush" not in repr(writer)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A file that is missing or empty and a variable that is not set: each with its place, and nothing else."""
    text = BASE.replace('{file = "api.key"}', '{env = "NO_SUCH_VARIABLE"}')

    assert (f"{tmp_path}/api.key: the key file cannot be read: No such file or directory",) == wired_faults(
        BASE, tmp_path
    )
    (tmp_path / "api.key").write_text("\n")
    assert (f"{tmp_path}/api.key: it is empty; put the secret into it",) == wired_faults(BASE, tmp_path)
    where = f'{tmp_path}/outlast.toml: [provider.weakest.settings] api_key = {{env = "NO_SUCH_VARIABLE"}}'
    assert (f"{where}: the environment has no such variable; set it",) == wired_faults(text, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("octodns_powerdns.PowerDnsProvider", "octodns_nobody.P", "class: there is no octodns_nobody.P: pip install octodns-nobody"),
        ("PowerDnsProvider", "Nobody", "class: there is no octodns_powerdns.Nobody: pip install octodns-powerdns"),
        ("octodns_powerdns.PowerDnsProvider", "octodns_bind.AxfrSource", "class: octodns_bind.AxfrSource is no octoDNS provider that can be changed"),
        ("host =", "apply_disabled = true\nhost =", "settings: leave out apply_disabled: it changes what a commit means"),
        ('host = "192.0.2.53"\n', "", "settings: missing a required argument: 'host'"),
    ],
)  # fmt: skip
def test_what_octodns_does_not_take_is_told_at_the_start(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """A class that is not there, one that only reads, and options that it cannot be made with."""
    (tmp_path / "api.key").write_text("hush-hush\n")

    assert (f"provider weakest: {fault}",) == wired_faults(BASE.replace(old, new, 1), tmp_path)
