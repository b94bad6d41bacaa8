"""`[registry]` by kind: what it says, every way of saying it wrong, and that no password comes out again."""

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from servers.certificates import Authority

from outlast.config import registry_wire
from outlast.config.parse import parse
from outlast.config.registry_settings import (
    EtcdSettings,
    PostgresSettings,
    RegistrySettings,
    S3Settings,
    SqliteSettings,
)
from outlast.errors import InvalidConfig

REST = """
realm = "shop"
[provider.primary]
kind = "rfc2136"
address = "192.0.2.53"
zones = ["example.com"]
key_secret_file = "tsig.key"
[endpoint."db.example.com".targets]
east = ["192.0.2.1"]
[registry]
"""
FILE = Path("/etc/outlast.toml")
PASSWORD = "hunter2"
HEAD = f"{FILE}: [registry] "
ETCD = 'kind = "etcd"\nendpoints = ["https://a.example.net:2379", "http://[2001:db8::2]:2379"]'


def read(text: str) -> RegistrySettings:
    return parse((REST + text).encode(), FILE).registry


def fault_of(text: str) -> str:
    with pytest.raises(InvalidConfig) as caught:
        read(text)
    (fault,) = caught.value.faults
    assert fault.startswith(HEAD)
    return fault.removeprefix(HEAD)


def test_every_kind_is_read() -> None:
    """Each kind with all its options; paths are relative to the file."""
    dsn = "postgresql://outlast@192.0.2.10/plans"
    postgres = f'kind = "postgres"\ndsn = "{dsn}"\nschema = "x"\npassword_file = "pw"\ntimeout = "3s"\nca_file = "ca"'
    etcd = f'{ETCD}\nuser = "u"\npassword_env = "PW"\nprefix = "a/b/"\nca_file = "ca"\ncert_file = "c"\nkey_file = "k"'
    s3 = 'kind = "s3"\nbucket = "plans"\nregion = "eu-central-1"\nprefix = "a/"\nendpoint = "https://s3.example.net"'

    assert [
        SqliteSettings(path=Path("/etc/x.db"), depends_on=("nas.example.net", "192.0.2.9")),
        PostgresSettings(
            dsn=dsn, schema="x", password_file=Path("/etc/pw"), timeout=3.0, ca_file=Path("/etc/ca")
        ),
        EtcdSettings(
            endpoints=("https://a.example.net:2379", "http://[2001:db8::2]:2379"), user="u", password_env="PW",
            prefix="a/b/", ca_file=Path("/etc/ca"), cert_file=Path("/etc/c"), key_file=Path("/etc/k"),
        ),
        S3Settings(bucket="plans", region="eu-central-1", prefix="a/", endpoint="https://s3.example.net"),
    ] == [
        read('kind = "sqlite"\npath = "x.db"\ndepends_on = ["NAS.example.net.", "192.0.2.9"]'),
        read(postgres),
        read(etcd),
        read(s3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('kind = "sqlite"\npath = "x"', ()),
        ('kind = "postgres"\ndsn = "postgresql://me@PG.example.net:5432/x"', ("pg.example.net",)),
        (
            'kind = "postgres"\ndsn = "postgresql://me@a.example.net:5432,[2001:db8::1]:1/x"\ndepends_on = ["c.example"]',
            ("a.example.net", "2001:db8::1", "c.example"),
        ),
        ('kind = "postgres"\ndsn = "postgresql://me@/x?host=/run/postgresql"', ()),
        ('kind = "postgres"\ndsn = "postgresql://me@a.example/x?host=b.example"', ("a.example", "b.example")),
        (ETCD, ("a.example.net", "2001:db8::2")),
        ('kind = "s3"\nbucket = "plans"', ("s3.amazonaws.com",)),
        ('kind = "s3"\nbucket = "plans"\nregion = "eu-central-1"', ("s3.eu-central-1.amazonaws.com",)),
        ('kind = "s3"\nbucket = "plans"\nendpoint = "https://minio.example.net:9000"', ("minio.example.net",)),
    ],
)
def test_what_it_depends_on(text: str, hosts: tuple[str, ...]) -> None:
    """The hosts of its address, and those that the file declares."""
    assert hosts == read(text).hosts


def test_every_kind_has_a_name() -> None:
    """What a person is told it is: the file, the URL, the prefix."""
    dsn = "postgresql://me@192.0.2.10/plans"

    assert ["x.db", dsn, "etcd http://192.0.2.1:2379 outlast/", "s3://plans/outlast/"] == [
        SqliteSettings(path=Path("x.db")).name,
        PostgresSettings(dsn=dsn).name,
        EtcdSettings(endpoints=("http://192.0.2.1:2379",)).name,
        S3Settings(bucket="plans").name,
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('kind = "oracle"\npath = "x"', 'kind = "oracle": write one of sqlite, postgres, etcd, s3'),
        ('kind = "sqlite"\npath = "x"\ndepends_on = "a"', 'depends_on = "a": write a list of hosts such as '),
        ('kind = "sqlite"\npath = "x"\ndepends_on = ["a b"]', "write a domain name such as"),
        ('kind = "postgres"', "dsn is missing: add dsn = "),
        ('kind = "postgres"\ndsn = "host=a dbname=x"', "dsn: write the URL of the database, such as dsn = "),
        ('kind = "postgres"\ndsn = "postgresql://a/x"\nschema = "A b"', "write lower case letters, digits and"),
        ('kind = "postgres"\ndsn = "postgresql://a/x"\ntimeout = "0s"', "write a duration between 0.05 s and 60 s"),
        (
            'kind = "postgres"\ndsn = "postgresql://a/x"\npassword_file = "a"\npassword_env = "B"',
            "name where the password is once: either password_file or password_env",
        ),
        ('kind = "etcd"\nendpoints = []', "write a list of URLs such as"),
        ('kind = "etcd"\nendpoints = ["192.0.2.1:2379"]', "write a URL such as https://192.0.2.11:2379"),
        (f'{ETCD}\nuser = "u"', "user and password belong together"),
        (f'{ETCD}\ncert_file = "u"', "cert_file and key_file belong together"),
        (f'{ETCD}\nprefix = "u"', "end with a slash"),
        (
            'kind = "etcd"\nendpoints = ["http://192.0.2.1:2379"]\nca_file = "ca"',
            "endpoints: ca_file, cert_file and key_file are for those that begin with https://",
        ),
        (
            'kind = "postgres"\ndsn = "postgresql://a/x?sslmode=require"\nca_file = "ca"',
            "dsn: it says ssl… too; say it once, with ca_file, cert_file and key_file",
        ),
        ('kind = "postgres"\ndsn = "postgresql://a/x"\nkey_file = "k"', "cert_file and key_file belong together"),
        ('kind = "s3"', 'bucket is missing: add bucket = "plans"'),
        ('kind = "s3"\nbucket = "?"', "write the name of a bucket"),
        ('kind = "s3"\nbucket = "plans"\nregion = "Mars!"', 'write a region such as "eu-central-1"'),
        ('kind = "s3"\nbucket = "plans"\nbuckt = 1', "buckt = 1: unknown key; did you mean bucket?"),
    ],
)
def test_faults_name_key_and_fix(text: str, fault: str) -> None:
    """What is wrong is named with what to write instead."""
    assert fault in fault_of(text)


@pytest.mark.parametrize(
    "text",
    [
        f'kind = "postgres"\ndsn = "postgresql://me:{PASSWORD}@a/x"',
        f'kind = "postgres"\ndsn = "postgresql://a/x?password={PASSWORD}"',
        f'kind = "postgres"\ndsn = "postgresql://a/x"\npassword = "{PASSWORD}"',
        f'kind = "postgres"\ndsn = "user=me password={PASSWORD}"',
        f'kind = "etcd"\nendpoints = ["https://me:{PASSWORD}@192.0.2.1:2379"]',
        f'kind = "s3"\nbucket = "plans"\nendpoint = "https://me:{PASSWORD}@192.0.2.1"',
        f'kind = "postgres"\ndsn = "postgresql://a/x"\ndns = "postgresql://me:{PASSWORD}@a/x"',
        f'kind = "postgres"\ndsn = "postgresql://a/x"\npasswd = "{PASSWORD}"',
    ],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(text: str) -> None:
    """Wherever one is written it is refused, and the message does not say it again."""
    assert PASSWORD not in fault_of(text)


def test_passwords_come_from_file_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's line ending is no part of it; without a place there is none."""
    (tmp_path / "pw").write_text(f"{PASSWORD}\n")
    monkeypatch.setenv("PLANS_PASSWORD", "other")

    assert (PASSWORD, "other", "") == (
        registry_wire.password_of(PostgresSettings(dsn="", password_file=tmp_path / "pw"), ""),
        registry_wire.password_of(PostgresSettings(dsn="", password_env="PLANS_PASSWORD"), ""),
        registry_wire.password_of(PostgresSettings(dsn=""), ""),
    )


def test_a_password_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing, empty or unreadable place of a password is an error that names it."""
    (tmp_path / "empty").touch()
    (tmp_path / "binary").write_bytes(b"\xff")
    said = []
    for settings in (
        PostgresSettings(dsn="", password_file=tmp_path / "gone"),
        PostgresSettings(dsn="", password_file=tmp_path / "empty"),
        PostgresSettings(dsn="", password_file=tmp_path / "binary"),
        PostgresSettings(dsn="", password_env="OUTLAST_NOT_SET"),
    ):
        with pytest.raises(InvalidConfig) as caught:
            registry_wire.password_of(settings, "x")
        said.append(caught.value.message)

    for words, message in zip(("No such file", "it is empty", "not UTF-8", "no such variable"), said, strict=True):
        assert words in message


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (SqliteSettings(path=Path("x.db")), "<SqliteRegistry x.db>"),
        (
            PostgresSettings(dsn="postgresql://me@192.0.2.10:5432/plans"),
            "<PostgresRegistry postgres 192.0.2.10:5432 plans>",
        ),
        (
            EtcdSettings(endpoints=("http://192.0.2.1:2379",)),
            "<DocumentRegistry etcd http://192.0.2.1:2379 outlast/>",
        ),
        (S3Settings(bucket="plans"), "<DocumentRegistry s3://plans/outlast/>"),
    ],
)
def test_every_kind_is_wired_without_being_asked(settings: RegistrySettings, name: str) -> None:
    """Wiring opens nothing: these places do not exist."""
    assert name == repr(registry_wire.wire(settings, ""))


def test_a_kind_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind whose extra is not installed is refused with the command that brings it."""
    monkeypatch.setattr(
        registry_wire, "find_spec", lambda name: None if name == "psycopg" else importlib.util.find_spec(name)
    )
    with pytest.raises(InvalidConfig, match=r"psycopg is not installed: pip install 'outlast\[postgres\]'"):
        registry_wire.wire(PostgresSettings(dsn="postgresql://a/x"), "x")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ca_file": "gone"}, "[registry] ca_file {folder}/gone: cannot be read: No such file or directory"),
        ({"ca_file": "noise"}, "[registry] ca_file {folder}/noise: "),
        ({"cert_file": "gone", "key_file": "one.key"}, "[registry] cert_file {folder}/gone: cannot be read"),
        ({"cert_file": "one.crt", "key_file": "gone"}, "[registry] key_file {folder}/gone: cannot be read"),
        (
            {"cert_file": "one.crt", "key_file": "two.key"},
            "[registry] cert_file {folder}/one.crt and key_file {folder}/two.key: ",
        ),
        ({"cert_file": "one.crt", "key_file": "locked.key"}, "not encrypted"),
    ],
)
@pytest.mark.parametrize("kind", [PostgresSettings, EtcdSettings])
def test_a_certificate_that_cannot_be_used_names_its_setting(
    kind: type[PostgresSettings | EtcdSettings], files: dict[str, str], words: str, tmp_path: Path
) -> None:
    """Missing, no certificate, another's key, an encrypted key: found when it is wired, before anything is connected to."""
    authority = Authority(tmp_path)
    _, key = authority.sign("one")
    authority.sign("two")
    (tmp_path / "noise").write_text("noise")
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"word")
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "locked.key").write_bytes(loaded.private_bytes(serialization.Encoding.PEM, form, locked))
    paths: dict[str, Any] = {setting: tmp_path / name for setting, name in files.items()}
    where: dict[str, Any] = (
        {"dsn": "postgresql://a/x"} if kind is PostgresSettings else {"endpoints": ("https://192.0.2.1:2379",)}
    )
    made = kind(**where, **paths)
    with pytest.raises(InvalidConfig) as caught:
        registry_wire.wire(made, f"{FILE}: [registry]")

    assert words.format(folder=tmp_path) in caught.value.message
    assert caught.value.message.startswith(f"{FILE}: [registry] ")


def test_certificates_are_wired() -> None:
    """Both kinds take all three, and an authority makes libpq check certificate and name."""
    with tempfile.TemporaryDirectory() as name:
        authority = Authority(Path(name))
        pair = authority.sign("one")
        files: dict[str, Any] = {"ca_file": authority.file, "cert_file": pair.cert, "key_file": pair.key}
        registry: Any = registry_wire.wire(PostgresSettings(dsn="postgresql://a/x", **files), "x")
        registry_wire.wire(EtcdSettings(endpoints=("https://192.0.2.1:2379",), **files), "x")
        words = registry._link._conninfo

    assert "sslmode=verify-full" in words
    assert all(f"{key}={path}" in words for key, path in (("sslrootcert", authority.file), ("sslcert", pair.cert)))
