"""etcd as a `Store`, over its documented JSON gateway (`/v3/kv/txn`, etcd 3.4 and newer).

A document is two keys, changed together: its data and a random stamp, which is its version. A swap is one transaction
that compares the stamp. Revisions are not compared: after `etcdctl snapshot restore` they may come round again, and a
number seen before the restore would fit another content.

No connection is kept: a round costs one, on a network where that is a fraction of a millisecond, and there is none to
lose when a member restarts. Members are asked in order, from the one that answered last; a write is sent to another one
only if it surely was not sent. A read gives each member its share of the time, so that one that hangs does not cost the
round; every round begins with one, and the write goes to whoever answered it. Reads are linearizable, so a member that is
cut off from the others does not answer them.
"""

import base64
import contextlib
import secrets
import ssl
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from outlast.errors import InvalidConfig, Unavailable
from outlast.registry.store import Versioned
from outlast.registry.tls import PLAIN, UNKNOWN, TlsFiles, context, hint_of

TIMEOUT = 2.0
"""Seconds; a transaction takes a few milliseconds, and an election about one second."""
PIECE_BYTES = 512 * 1024
"""A plan's text is stored in pieces: etcd refuses requests above 1.5 MB (`--max-request-bytes`)."""
WORDS_MAX = 200
"""Characters of an answer that is no JSON."""
UNAUTHENTICATED = 16
"""gRPC's code for a token that is missing, wrong or no longer valid."""


class EtcdStore:
    """The store.

    Args:
        endpoints: URLs of the cluster's members, `https://192.0.2.1:2379`.
        prefix: What stands before every key.
        user: The user, if the cluster asks for one.
        password: Their password, or what gives it, asked anew whenever a token is needed.
        ca_file: The authority that signed the members' certificates; `None`: those of the system.
        cert_file: This client's certificate, if the cluster asks for one.
        key_file: Its key.
        timeout: Seconds for one request.

    Raises:
        InvalidConfig: A certificate cannot be used; names the setting.

    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        prefix: str = "outlast/",
        user: str = "",
        password: str | Callable[[], str] = "",
        ca_file: Path | None = None,
        cert_file: Path | None = None,
        key_file: Path | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._endpoints = tuple(url.rstrip("/") for url in endpoints)
        self._prefix = prefix
        self._user = user
        self._password = password if callable(password) else partial(str, password)
        self._token = ""
        self._timeout = timeout
        self._first = 0
        tls = TlsFiles(ca_file, cert_file, key_file)
        verify = context(tls) if any(url.startswith("https:") for url in endpoints) else False
        self._client = httpx.AsyncClient(
            verify=verify, timeout=timeout, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def __str__(self) -> str:
        return f"etcd {', '.join(self._endpoints)} {self._prefix}"

    def __repr__(self) -> str:
        return f"<EtcdStore {self}>"

    async def read(self, name: str, *, known: str = "") -> Versioned:
        get = [{"requestRange": {"key": self._key(name, part)}} for part in ("stamp", "data")]
        answer = await self._txn(compare=self._is(name, known), success=[], failure=get)
        if answer.get("succeeded"):
            return Versioned(known, b"")
        found = [part["response_range"].get("kvs", []) for part in answer["responses"]]
        if not all(found):
            return Versioned("", b"")
        stamp, data = (_decoded(kvs[0].get("value", "")) for kvs in found)
        return Versioned(stamp.decode(), data)

    async def swap(self, name: str, data: bytes, *, seen: str) -> bool:
        stamp = secrets.token_hex(16).encode()
        put = [self._put(self._key(name, "stamp"), stamp), self._put(self._key(name, "data"), data)]
        answer = await self._txn(compare=self._is(name, seen), success=put, failure=[])
        return bool(answer.get("succeeded"))

    async def put(self, name: str, data: bytes) -> None:
        for at in range(0, max(1, len(data)), PIECE_BYTES):
            key = self._key(name, f"{at // PIECE_BYTES:06d}")
            await self._txn(compare=[], success=[self._put(key, data[at : at + PIECE_BYTES])], failure=[])

    async def get(self, name: str) -> bytes | None:
        pieces = await self._range(f"{name}/")
        return b"".join(_decoded(piece.get("value", "")) for piece in pieces) if pieces else None

    async def delete(self, name: str) -> None:
        await self._post("/v3/kv/deleterange", self._folder(f"{name}/"), may_repeat=True)

    async def names(self, folder: str) -> tuple[str, ...]:
        keys = [_decoded(item["key"]).decode() for item in await self._range(folder, keys_only=True)]
        return tuple(dict.fromkeys(key.removeprefix(self._prefix).rpartition("/")[0] for key in keys))

    def close(self) -> None:
        """Nothing is kept open between requests."""

    # ---------------------------------------------------------------------------------------------------- requests

    def _key(self, name: str, part: str) -> str:
        return _encoded(f"{self._prefix}{name}/{part}".encode())

    def _folder(self, folder: str) -> dict[str, str]:
        start = (self._prefix + folder).encode()
        return {"key": _encoded(start), "range_end": _encoded(start[:-1] + bytes([start[-1] + 1]))}

    def _is(self, name: str, version: str) -> list[dict[str, str]]:
        key = self._key(name, "stamp")
        if not version:
            return [{"key": key, "target": "CREATE", "result": "EQUAL", "create_revision": "0"}]
        return [{"key": key, "target": "VALUE", "result": "EQUAL", "value": _encoded(version.encode())}]

    def _put(self, key: str, value: bytes) -> dict[str, Any]:
        return {"requestPut": {"key": key, "value": _encoded(value)}}

    async def _range(self, folder: str, *, keys_only: bool = False) -> list[dict[str, str]]:
        body = {**self._folder(folder), "keys_only": keys_only}
        answer = await self._post("/v3/kv/range", body, may_repeat=True)
        found: list[dict[str, str]] = answer.get("kvs", [])
        return found

    async def _txn(self, *, compare: list[Any], success: list[Any], failure: list[Any]) -> Any:
        body = {"compare": compare, "success": success, "failure": failure}
        return await self._post("/v3/kv/txn", body, may_repeat=not success)

    async def _post(self, path: str, body: dict[str, Any], *, may_repeat: bool) -> Any:
        """Ask the members in order. What changes something goes to the next one only if it cannot have been heard."""
        error: Exception | None = None
        seconds = self._timeout / len(self._endpoints) if may_repeat else self._timeout
        for _ in self._endpoints:
            at = self._first
            try:
                return await self._answer(self._endpoints[at], path, body, seconds)
            except (httpx.ConnectError, httpx.ConnectTimeout) as unheard:
                error = unheard
            except (httpx.HTTPError, ssl.SSLError) as unclear:  # httpx lets the latter through when it reads
                error = unclear
            if self._first == at:  # others may have moved on meanwhile
                self._first = (at + 1) % len(self._endpoints)
            if not (may_repeat or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
                break
        words = f"{type(error).__name__} {' '.join(_why(error))}".rstrip()
        raise Unavailable(f"registry {self}: {words}", hint=hint_of(words) or self._what_to_do(error)) from error

    def _what_to_do(self, error: Exception | None) -> str:
        fix = "see whether a member runs, can be reached from here, and has a leader: etcdctl endpoint status"
        # Who hangs up in the middle may have been spoken to in the wrong way, without having said so.
        if isinstance(error, httpx.RemoteProtocolError) and any(url.startswith("http:") for url in self._endpoints):
            return f"{fix}; or {PLAIN}"
        if isinstance(error, httpx.ReadError | httpx.WriteError) and any(
            url.startswith("https:") for url in self._endpoints
        ):
            return f"{fix}; or {UNKNOWN}"
        return fix

    async def _answer(self, url: str, path: str, body: dict[str, Any], seconds: float) -> Any:
        if self._user and not self._token:
            await self._authenticate(url, seconds)
        response = await self._sent(url, path, body, seconds)
        if self._user and _refused(response) == UNAUTHENTICATED:
            await self._authenticate(url, seconds)
            response = await self._sent(url, path, body, seconds)
        if response.status_code != httpx.codes.OK:
            raise self._refusal(response)
        return self._read(response)

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        # Every answer of etcd's has a header; who else answers with 200 is a proxy, or something else on that port.
        with contextlib.suppress(ValueError):
            answer = response.json()
            if isinstance(answer, dict) and "header" in answer:
                return answer
        raise Unavailable(
            f"registry {self}: {response.url.host} answers, and not as etcd does: {_words(response)}",
            hint="name etcd's own client port; a proxy before it must hand its answers on",
        )

    async def _sent(self, url: str, path: str, body: dict[str, Any], seconds: float) -> httpx.Response:
        return await self._client.post(url + path, json=body, headers=self._headers(), timeout=seconds)

    async def _authenticate(self, url: str, seconds: float) -> None:
        response = await self._client.post(f"{url}/v3/auth/authenticate", json=self._login(), timeout=seconds)
        if response.status_code != httpx.codes.OK:
            raise self._refusal(response)
        self._token = str(self._read(response).get("token", ""))

    def _login(self) -> dict[str, str]:
        try:
            return {"name": self._user, "password": self._password()}
        except InvalidConfig as error:
            raise Unavailable(f"registry {self}: {error.message}") from error

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._token} if self._token else {}

    def _refusal(self, response: httpx.Response) -> Unavailable:
        words = _words(response)
        return Unavailable(f"registry {self}: {words}", hint=hint_of(words) or _hint(words))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _why(error: BaseException | None) -> Iterator[str]:
    # httpx wraps what TLS says, at times in an error without words.
    while error is not None:
        if str(error):
            yield str(error)
            return
        error = error.__cause__ or error.__context__


def _refused(response: httpx.Response) -> int:
    try:
        return int(response.json().get("code", 0)) if response.status_code != httpx.codes.OK else 0
    except (ValueError, AttributeError):
        return 0


def _words(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        said = " ".join(response.text[:WORDS_MAX].split())
        return f"status {response.status_code} {said}".rstrip()


def _hint(words: str) -> str:
    for part, hint in (
        ("too large", "raise etcd's --max-request-bytes, or use PostgreSQL or S3 for a set-up of this size"),
        ("space exceeded", "free its disk: etcdctl compact, defrag, and alarm disarm"),
        ("authentication failed", "see user and password"),
        ("invalid auth token", "see user and password"),
        ("user name is empty", "the cluster asks for a user: set user and password_file"),
        ("permission denied", "the user needs a role with readwrite on the prefix"),
        ("leader", "a majority of the members must run and see one another: etcdctl endpoint status"),
    ):
        if part in words:
            return hint
    return "see etcd's own log"
