"""An S3 on loopback: moto's, in a process of its own, one request at a time.

One at a time because moto looks at `If-Match` and stores in two steps: with a thread for each request, both of two writers
can win, which S3 itself excludes. It keeps its objects in memory, so a restart or a backup carries them by hand.
"""

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from servers.process import ServerProcess, answers

BUCKET = "plans"
KEY_ID, SECRET = "AKIAOFTHETESTS", "s3cr3t-of-the-tests"
_SERVE = """
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
make_server("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app)).serve_forever()
"""
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY_ID,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class S3(ServerProcess):
    """A running moto."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-W", "ignore", "-c", _SERVE, str(self.port)]

    def is_ready(self) -> bool:
        return answers(self.port)

    def make_bucket(self) -> None:
        """Make the one bucket."""
        self.client().create_bucket(Bucket=BUCKET)

    def restart(self) -> None:
        kept = self._kept(self.folder / "kept")
        super().restart()
        self.make_bucket()
        self.restore(kept)

    def save(self, copy: Path) -> None:
        self._kept(copy)

    def restore(self, copy: Path) -> None:
        client = self.client()
        for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=item["Key"])
        for key, body in pickle.loads(copy.read_bytes()).items():
            client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def _kept(self, copy: Path) -> Path:
        client = self.client()
        keys = [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
        copy.write_bytes(pickle.dumps({key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}))
        return copy

    def client(self) -> Any:
        """One of boto3's own, to look around with."""
        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET, config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Run it until the block ends."""
    server = S3(folder)
    server.start_somewhere()
    server.make_bucket()
    try:
        yield server
    finally:
        server.stop()
