"""TSIG keys of the drill: one per role, made anew for each drill, so that the journal tells who sent what."""

import base64
import os
import secrets
from pathlib import Path

ALGORITHM = "hmac-sha256"


class KeyRing:
    """Secrets by role. They are written into files of mode 0600 and shown nowhere."""

    def __init__(self, folder: Path, roles: tuple[str, ...]) -> None:
        self._folder = folder
        self._secrets = {role: base64.b64encode(secrets.token_bytes(32)).decode() for role in roles}
        for role, secret in self._secrets.items():
            _write_private(self.file(role), f'key "{role}." {{\n\talgorithm {ALGORITHM};\n\tsecret "{secret}";\n}};\n')

    def file(self, role: str) -> Path:
        """A BIND key file."""
        return self._folder / f"{role}.key"

    def secret(self, role: str) -> str:
        return self._secrets[role]

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self._secrets)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
