"""An object store with conditional writes as a `Store`: S3, and what speaks its protocol (R2, MinIO, Ceph, GCS).

A document's version is its entity tag, which each content has for itself; each writing carries a random word, so no
version comes back. `If-Match` and `If-None-Match` make a PUT a compare and swap. boto3's own retries are off: a PUT
that was carried out and sent again would be refused as if another had been faster.

A store that does not know these headers carries the PUT out all the same, and two planners would both win. Therefore
each process tries, before its first write, whether a condition that does not hold is refused.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from outlast.errors import Unavailable
from outlast.registry.store import Versioned

Result = TypeVar("Result")

TIMEOUT = 5.0
"""Seconds; a request takes some tens of milliseconds, and the first one waits for credentials too."""
NOT_THERE = frozenset({"404", "NoSuchKey", "NotFound"})
LOST = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
STAMP_BYTES = 16


class S3Store:
    """The store. Credentials come as boto3 finds them: environment, shared files, the machine's or container's role.

    Args:
        bucket: The bucket; it is not made.
        prefix: What stands before every key.
        region: Its region; empty if boto3 shall find it.
        endpoint: The URL of an object store other than Amazon's; empty for theirs.
        timeout: Seconds to connect, and for each wait for data.

    """

    def __init__(
        self, *, bucket: str, prefix: str = "outlast/", region: str = "", endpoint: str = "", timeout: float = TIMEOUT
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._region = region
        self._endpoint = endpoint
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: Any = None
        self._is_proved = False

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def __repr__(self) -> str:
        return f"<S3Store {self}>"

    async def read(self, name: str, *, known: str = "") -> Versioned:
        def work(client: Any) -> Versioned:
            condition = {"IfNoneMatch": known} if known else {}
            try:
                answer = client.get_object(Bucket=self._bucket, Key=self._key(name), **condition)
            except ClientError as error:
                if _code(error) in {"304", "NotModified"}:
                    return Versioned(known, b"")
                if _code(error) in NOT_THERE:
                    return Versioned("", b"")
                raise
            return Versioned(answer["ETag"], answer["Body"].read()[STAMP_BYTES:])

        return await self._ask(work)

    async def swap(self, name: str, data: bytes, *, seen: str) -> bool:
        def work(client: Any) -> bool:
            if not self._is_proved:
                self._prove(client)
            body = secrets.token_bytes(STAMP_BYTES) + data
            return self._put_if(client, name, body, **({"IfMatch": seen} if seen else {"IfNoneMatch": "*"}))

        return await self._ask(work)

    async def put(self, name: str, data: bytes) -> None:
        await self._ask(lambda client: client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data))

    async def get(self, name: str) -> bytes | None:
        def work(client: Any) -> bytes | None:
            try:
                body: bytes = client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
            except ClientError as error:
                if _code(error) in NOT_THERE:
                    return None
                raise
            return body

        return await self._ask(work)

    async def delete(self, name: str) -> None:
        await self._ask(lambda client: client.delete_object(Bucket=self._bucket, Key=self._key(name)))

    async def names(self, folder: str) -> tuple[str, ...]:
        def work(client: Any) -> tuple[str, ...]:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._key(folder))
            keys = (item["Key"] for page in pages for item in page.get("Contents", ()))
            return tuple(key.removeprefix(self._prefix) for key in keys)

        return await self._ask(work)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _put_if(self, client: Any, name: str, body: bytes, **condition: str) -> bool:
        try:
            client.put_object(Bucket=self._bucket, Key=self._key(name), Body=body, **condition)
        except ClientError as error:
            if _code(error) in LOST or ("IfMatch" in condition and _code(error) in NOT_THERE):
                return False
            raise
        return True

    def _prove(self, client: Any) -> None:
        self._put_if(client, "proof", b"", IfNoneMatch="*")
        if self._put_if(client, "proof", b"", IfNoneMatch="*") or self._put_if(
            client, "proof", b"", IfMatch=f'"{0:032x}"'
        ):
            raise Unavailable(
                f"registry {self}: this object store ignores If-Match or If-None-Match, so it cannot compare and swap",
                hint="use one that can, or another kind of registry",
            )
        self._is_proved = True

    async def _ask(self, work: Callable[[Any], Result]) -> Result:
        def explained() -> Result:
            try:
                return work(self._connected())
            except (BotoCoreError, ClientError) as error:
                raise Unavailable(f"registry {self}: {error}", hint=_hint(error, self._bucket)) from error

        return await asyncio.to_thread(explained)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = boto3.session.Session().client(
                    "s3",
                    region_name=self._region or None,
                    endpoint_url=self._endpoint or None,
                    config=Config(
                        connect_timeout=self._timeout,
                        read_timeout=self._timeout,
                        retries={"total_max_attempts": 1},
                        # What other vendors' stores understand.
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                    ),
                )
            return self._client


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _hint(error: Exception, bucket: str) -> str:
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "give it credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a shared file, or a role"
    match _code(error) if isinstance(error, ClientError) else "":
        case "NoSuchBucket":
            return f"make the bucket {bucket}, or name another"
        case "AccessDenied" | "403":
            return "the role needs GetObject, PutObject and DeleteObject on the prefix, and ListBucket"
        case "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken":
            return "see which credentials are used here, and whether they are still valid"
        case "SlowDown" | "503":
            return "the store asks for fewer requests: raise the intervals of the roles"
    return "see whether it can be reached from here, and whether region and endpoint are right"
