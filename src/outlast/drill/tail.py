"""Reads a file of JSON lines while another process writes it."""

import json
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class Tail:
    """Gives each whole line once. A line that is not JSON is an error of ours and raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[Line]:
        """The lines that have been completed since the last call; none while the file does not exist."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines() if line.strip()]
