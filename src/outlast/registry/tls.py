"""The certificates by which a registry and we know one another, read from files; what is wrong names the setting."""

import ssl
from pathlib import Path
from typing import NamedTuple

from outlast.errors import InvalidConfig

UNTRUSTED = "set ca_file to the authority that signed its certificate, and name it as the certificate does"
UNKNOWN = "it asks for a client certificate that it trusts: see cert_file and key_file"
PLAIN = "if it speaks TLS, write https:// in its address"
"""What to do about a connection that TLS ended."""


class TlsFiles(NamedTuple):
    """Files in PEM.

    Args:
        ca: The authorities that sign the servers' certificates; `None`: the system's.
        cert: Our own certificate, where the server asks for one.
        key: Its key, not encrypted.

    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def context(files: TlsFiles) -> ssl.SSLContext:
    """A context for connecting that checks the server's certificate and name.

    Raises:
        InvalidConfig: A file cannot be read, or is not what its setting wants; names it.

    """
    made = _trusting(files.ca)
    if files.cert is None:
        return made
    _readable("cert_file", files.cert)
    if files.key is not None:
        _readable("key_file", files.key)
    try:
        # A password is given so that an encrypted key is an error: OpenSSL would ask the terminal for one.
        made.load_cert_chain(files.cert, files.key, password="")
    except OSError as error:  # ssl.SSLError is one
        fix = "write a certificate in PEM, and the key that belongs to it, not encrypted"
        raise InvalidConfig((f"cert_file {files.cert} and key_file {files.key}: {_words(error)}: {fix}",)) from error
    return made


def _trusting(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        return ssl.create_default_context()
    _readable("ca_file", ca)
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        fix = "write the authority's certificate in PEM"
        raise InvalidConfig((f"ca_file {ca}: {_words(error)}: {fix}",)) from error


def _readable(setting: str, path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise InvalidConfig((f"{setting} {path}: cannot be read: {error.strerror}",)) from error


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error).replace("_", " ").lower()


def hint_of(words: str) -> str:
    """What to do about a connection that ended with these words; empty if TLS did not end it."""
    lowered = words.lower().replace("_", " ")
    for part, hint in (
        ("certificate verify failed", UNTRUSTED),
        ("certificate required", UNKNOWN),
        ("bad certificate", UNKNOWN),
        ("unknown ca", UNKNOWN),
        ("http request to an https server", PLAIN),
    ):
        if part in lowered:
            return hint
    return ""
