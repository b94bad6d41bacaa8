"""A provider of kind `powerdns`: what `outlast.toml` says of it, every way of saying it wrong, and what is wired."""

from pathlib import Path

import pytest

from outlast.config.parse import parse
from outlast.config.settings import PowerdnsSettings, Settings
from outlast.config.wire import providers, readers
from outlast.errors import InvalidConfig
from outlast.provider.powerdns import PowerdnsProvider
from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.traffic.ports import Tier

BASE = """
realm = "shop"
[registry]
kind = "sqlite"
path = "outlast.db"
[provider.weaker]
kind = "powerdns"
address = "192.0.2.53"
zones = ["example.com"]
url = "http://127.0.0.1:8081"
key_secret_file = "api.key"
[endpoint."db.example.com".targets]
east = ["192.0.2.1"]
"""


def read(text: str, folder: Path = Path("/etc")) -> Settings:
    return parse(text.encode(), folder / "outlast.toml")


def faults_of(text: str) -> list[str]:
    with pytest.raises(InvalidConfig) as caught:
        read(text)
    return [fault.removeprefix("/etc/outlast.toml: [provider.weaker] ") for fault in caught.value.faults]


def test_what_is_said_is_kept() -> None:
    """Every key reaches the settings; the key file lies beside the configuration."""
    (provider,) = read(BASE.replace("[endpoint", 'port = 5300\ntimeout = "1s"\nsigned = true\n[endpoint')).providers

    assert provider == PowerdnsSettings(
        name="weaker",
        address="192.0.2.53",
        port=5300,
        zones=("example.com",),
        url="http://127.0.0.1:8081",
        key_secret_file=Path("/etc/api.key"),
        timeout=1.0,
        signed=True,
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('url = "http://127.0.0.1:8081"\n', "", 'url is missing: add url = "http://127.0.0.1:8081"'),
        (
            "http://127.0.0.1:8081",
            "http://192.0.2.53:8081",
            (
                'url = "http://192.0.2.53:8081": write "http://127.0.0.1:8081" for this machine, or https:// with an IP '
                "address; no name, user or query"
            ),
        ),
        (
            "http://127.0.0.1:8081",
            "https://me:hush@192.0.2.53",
            'url = …: write "http://127.0.0.1:8081" for this machine, or https:// with an IP address; no name, user or query',
        ),
        (
            'key_secret_file = "api.key"',
            'api_key = "hush"',
            'api_key: never write a secret here; put it into a file: key_secret_file = "pdns-api.key"',
        ),
        (
            'key_secret_file = "api.key"',
            "",
            (
                'name where the secret is: either key_secret_file = "pdns-api.key" or key_secret_env = "PDNS_API_KEY"'
            ),
        ),
        ("url", 'key_secret_fil = "k"\nurl', "key_secret_fil = …: unknown key; did you mean key_secret_file?"),
    ],
)  # fmt: skip
def test_a_fault(old: str, new: str, fault: str) -> None:
    """A fault names key, value and what to write instead, is the only one, and repeats no secret."""
    assert old in BASE

    assert [fault] == faults_of(BASE.replace(old, new, 1))


def test_the_key_goes_to_who_writes(tmp_path: Path) -> None:
    """Enactors get the API with its key, at tier T3; planner and janitor a reader by DNS that has none."""
    (tmp_path / "api.key").write_text("hush\n")
    settings = read(BASE, tmp_path)
    writer, reader = providers(settings)["weaker"], readers(settings)["weaker"]

    assert isinstance(writer, PowerdnsProvider)
    assert isinstance(reader, Rfc2136Provider)
    assert ("hush", Tier.T3, True) == (writer.api_key, writer.tier, reader.is_reader)


def test_the_key_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable serves as well as a file."""
    monkeypatch.setenv("PDNS_API_KEY", "hush")
    settings = read(BASE.replace('key_secret_file = "api.key"', 'key_secret_env = "PDNS_API_KEY"'))
    writer = providers(settings)["weaker"]

    assert isinstance(writer, PowerdnsProvider)
    assert "hush" == writer.api_key


@pytest.mark.parametrize("text", ["", "\n", "api-key=hush hush\n", "hush\nhush\n", "hüsh"])
def test_a_file_with_more_than_the_key_is_refused(tmp_path: Path, text: str) -> None:
    """The key stands alone in its file, and what stands there otherwise is not repeated."""
    (tmp_path / "api.key").write_text(text)
    with pytest.raises(InvalidConfig, match="it is empty or not one word: the value of api-key in") as caught:
        providers(read(BASE, tmp_path))

    assert "sh" not in str(caught.value).replace(str(tmp_path), "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The fault names the file and the reason."""
    with pytest.raises(InvalidConfig, match=r"api\.key: the key file cannot be read: No such file or directory"):
        providers(read(BASE, tmp_path))
