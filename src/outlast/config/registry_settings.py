"""The kinds of registry that `[registry]` can name, typed. Passwords are read when the registry is wired, never before."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

TIMEOUT_RANGE = (0.05, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteSettings:
    """A registry in one SQLite file.

    Args:
        path: The file.
        depends_on: Hosts without which it cannot be used (a file server, say).

    """

    path: Path
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return str(self.path)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host without which it cannot be used, as far as the settings tell."""
        return self.depends_on


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresSettings:
    """A registry in a PostgreSQL database.

    Args:
        dsn: Its URL, without the password.
        password_file: A file with the password; `None` with `password_env`, or if libpq finds it (`~/.pgpass`).
        password_env: The environment variable with the password.
        schema: The schema of its tables.
        ca_file: The authority of the server's certificate: then nothing but TLS, checked; `None`: what the URL says.
        cert_file: This client's certificate.
        key_file: Its key.
        timeout: Seconds for one call; `None`: the adapter's default.
        depends_on: Hosts without which it cannot be used, beside those of the URL.

    """

    dsn: str
    password_file: Path | None = None
    password_env: str = ""
    schema: str = "outlast"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    timeout: float | None = None
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.dsn

    @property
    def hosts(self) -> tuple[str, ...]:
        """As of every kind."""
        parts = urlsplit(self.dsn)
        places = parts.netloc.rpartition("@")[2].split(",")
        places += [host for item in parse_qs(parts.query).get("host", []) for host in item.split(",")]
        return tuple(dict.fromkeys((*filter(None, map(host_of, places)), *self.depends_on)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSettings:
    """A registry in etcd.

    Args:
        endpoints: URLs of the members.
        prefix: What stands before every key.
        user: The user; empty if the cluster asks for none.
        password_file: A file with the user's password.
        password_env: The environment variable with it.
        ca_file: The authority of the members' certificates; `None`: the system's.
        cert_file: This client's certificate.
        key_file: Its key.
        timeout: Seconds for one round; `None`: the adapter's default.
        depends_on: Hosts without which it cannot be used, beside those of the URLs.

    """

    endpoints: tuple[str, ...]
    prefix: str = "outlast/"
    user: str = ""
    password_file: Path | None = None
    password_env: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    timeout: float | None = None
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"etcd {', '.join(self.endpoints)} {self.prefix}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """As of every kind."""
        return tuple(dict.fromkeys((*(urlsplit(url).hostname or "" for url in self.endpoints), *self.depends_on)))


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """A registry in an object store. Credentials come as boto3 finds them.

    Args:
        bucket: The bucket.
        prefix: What stands before every key.
        region: Its region; empty if boto3 shall find it.
        endpoint: The URL of an object store other than Amazon's.
        timeout: Seconds for one round; `None`: the adapter's default.
        depends_on: Hosts without which it cannot be used, beside the store's.

    """

    bucket: str
    prefix: str = "outlast/"
    region: str = ""
    endpoint: str = ""
    timeout: float | None = None
    depends_on: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """As of every kind."""
        theirs = f"s3.{self.region}.amazonaws.com" if self.region else "s3.amazonaws.com"
        store = urlsplit(self.endpoint).hostname or theirs
        return tuple(dict.fromkeys((store, *self.depends_on)))


RegistrySettings = SqliteSettings | PostgresSettings | EtcdSettings | S3Settings


def host_of(place: str) -> str:
    """The host of `host:port`, `[address]:port` or a bare host; empty for a path, which is a socket of this machine."""
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return "" if "/" in place else place.partition(":")[0].lower().rstrip(".")
