"""Which files of a configuration hold secrets."""

from pathlib import Path

from outlast.config.parse import parse
from outlast.config.secret_files import secret_files

TEXT = """
realm = "shop"
[registry]
kind = "postgres"
dsn = "postgresql://outlast@192.0.2.10:5432/outlast"
password_file = "registry.password"
ca_file = "ca.crt"
cert_file = "outlast.crt"
key_file = "outlast.key"
[provider.one]
kind = "rfc2136"
address = "192.0.2.53"
zones = ["example.com"]
key_secret_file = "tsig.key"
[provider.two]
kind = "powerdns"
address = "192.0.2.54"
url = "https://192.0.2.54"
zones = ["example.com"]
key_secret_env = "PDNS_API_KEY"
[provider.three]
kind = "octodns"
class = "octodns_powerdns.PowerDnsProvider"
zones = ["example.com"]
[provider.three.settings]
host = "192.0.2.55"
api_key = {file = "api.key"}
[endpoint."db.example.com".targets]
east = ["192.0.2.1"]
"""


def test_every_file_with_a_secret_is_named() -> None:
    """Keys of providers, the registry's password and our private key; certificates, and what a variable holds, are none."""
    found = secret_files(parse(TEXT.encode(), Path("/etc/outlast.toml")))

    assert {"tsig.key", "api.key", "registry.password", "outlast.key"} == {path.name for path in found}


def test_a_registry_in_a_file_has_no_secret() -> None:
    """SQLite needs none."""
    head, rest = TEXT[: TEXT.index("[registry]")], TEXT[TEXT.index("[provider.one]") :]
    text = f'{head}[registry]\nkind = "sqlite"\npath = "outlast.db"\n{rest}'

    assert ["tsig.key", "api.key"] == [it.name for it in secret_files(parse(text.encode(), Path("/etc/outlast.toml")))]
