"""Keys as people keep them: a file with the bare secret, a BIND key file, or `name:algorithm:base64`."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path

from outlast.errors import InvalidConfig

DEFAULT_ALGORITHM = "hmac-sha256"
ALGORITHMS = ("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")
MAX_BYTES = 64 * 1024

# Base64 may hold "//" and "/*": only what stands at the beginning of a word is a comment.
_COMMENT = re.compile(r"(?<![^\s;{}])(?:/\*.*?\*/|(?://|#)[^\n]*)", re.DOTALL)
_BIND = re.compile(r'\bkey\s+"?(?P<name>[^"\s{;]+)"?\s*\{(?P<body>[^}]*)\}')
_ALGORITHM = re.compile(r'\balgorithm\s+"?(?P<value>[A-Za-z0-9-]+)')
_SECRET = re.compile(r'\bsecret\s+"?(?P<value>[^"\s;]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A shared secret. It never shows in a `repr`. Empty `name` or `algorithm`: the source did not say."""

    name: str
    algorithm: str
    secret: str = field(repr=False)


def read_key(source: str) -> Key:
    """Read the key that a command line names: a file, or `name:algorithm:base64` where no file is at hand.

    Raises:
        InvalidConfig: It is neither, or it lacks name or secret.

    """
    path = Path(source)
    parts = source.split(":")
    if len(parts) > 1 and not path.exists():
        if len(parts) != 3:  # it may be a secret in another tool's form: none of it is repeated
            raise InvalidConfig((f"the key: write name:algorithm:base64; algorithms: {', '.join(ALGORITHMS)}",))
        return _checked(Key(name=parts[0], algorithm=parts[1], secret=parts[2]), "the key")
    key = read_key_file(path)
    if not key.name:
        raise InvalidConfig((f"{path}: it holds no key name; use a BIND key file, or name:algorithm:base64",))
    return key


def read_key_file(path: Path) -> Key:
    """Read a BIND key file (`tsig-keygen` writes one), or a file that holds the base64 secret alone.

    Raises:
        InvalidConfig: The file cannot be read or holds something else.

    """
    whole = _contents(path)
    text = _COMMENT.sub("", whole)
    found = _BIND.search(text)
    if found is None:
        bare = whole.strip() if _is_base64(whole.strip()) else text.strip()
        return _checked(Key(name="", algorithm="", secret=bare), str(path))
    algorithm, secret = _ALGORITHM.search(found["body"]), _SECRET.search(found["body"])
    key = Key(
        name=found["name"],
        algorithm=algorithm["value"].lower() if algorithm else DEFAULT_ALGORITHM,
        secret=secret["value"] if secret else "",
    )
    return _checked(key, str(path))


def read_api_key(path: Path) -> str:
    """Read a file that holds an API's key, and nothing else.

    Raises:
        InvalidConfig: The file cannot be read or holds something else.

    """
    return check_api_key(_contents(path).strip(), str(path))


def read_secret(path: Path) -> str:
    """Read a file that holds any secret, and nothing else; space around it does not count.

    Raises:
        InvalidConfig: The file cannot be read or holds nothing.

    """
    secret = _contents(path).strip()
    if not secret:
        raise InvalidConfig((f"{path}: it is empty; put the secret into it",))
    return secret


def check_api_key(key: str, where: str) -> str:
    """Return the key if it is one that fits into a header of HTTP.

    Raises:
        InvalidConfig: It is empty, or not one word of ASCII. It is not repeated.

    """
    if key and key.isascii() and key.isprintable() and " " not in key:
        return key
    raise InvalidConfig((f"{where}: it is empty or not one word: the value of api-key in pdns.conf, and nothing else",))


def _contents(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_BYTES) if path.stat().st_size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise InvalidConfig((f"{path}: the key file cannot be read: {reason}",)) from error


def check_secret(secret: str, where: str) -> str:
    """Return the secret if it is base64.

    Raises:
        InvalidConfig: It is empty or not base64. The secret is not repeated.

    """
    if _is_base64(secret):
        return secret
    raise InvalidConfig((f"{where}: the secret is not base64; make one with: tsig-keygen outlast",))


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _checked(key: Key, where: str) -> Key:
    if key.algorithm and key.algorithm not in ALGORITHMS:
        raise InvalidConfig((f"{where}: algorithm {key.algorithm!r}: write one of {', '.join(ALGORITHMS)}",))
    check_secret(key.secret, where)
    return key
