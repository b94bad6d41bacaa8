"""Works that come to a spool's writer as one group, because it was busy until the last of them had come."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from patience import SECONDS, wait_for

from outlast.data.store import SpoolStore


class Busy:
    """Keeps the writer busy, inside `with`."""

    def __init__(self, store: SpoolStore) -> None:
        self._begun, self._go_on = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=store.run, args=(self._work,))

    def _work(self, _: object) -> None:
        self._begun.set()
        self._go_on.wait(SECONDS)

    def __enter__(self) -> None:
        self._thread.start()
        self._begun.wait(SECONDS)

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._thread.join(SECONDS)


def together(store: SpoolStore, works: list[Callable[[], Any]]) -> list[Any]:
    """Begin all works while the writer is busy, so that they come as one group; return what each returned or raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        with Busy(store):
            begun = [pool.submit(work) for work in works]
            wait_for(lambda: store.writer._count == len(works))
        return [one.exception() or one.result() for one in begun]
