"""Benches for the tests of this folder."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.nameserver.bench import ZONE, ZONE_TEXT, Bench, BenchFactory, StoppedClock

from outlast.nameserver.journal import Journal
from outlast.nameserver.keys import Keyring, UpdateKey
from outlast.nameserver.options import ZoneOptions
from outlast.nameserver.responder import Responder
from outlast.nameserver.updater import Updater
from outlast.nameserver.zone import AuthoritativeZone


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[BenchFactory]:
    """Make benches on the zone above, or on another."""
    journals: list[Journal] = []

    def make(
        *,
        keys: tuple[UpdateKey, ...] = (),
        text: str = ZONE_TEXT,
        skew_seconds: int = 0,
        aliases: bool = False,
        state: Path | None = None,
    ) -> Bench:
        key = UpdateKey.generate("main.key")
        file = tmp_path / "zone"
        file.write_text(text.replace("{big}", " ".join(f'"{"x" * 200}{n}"' for n in range(9))))
        zone = AuthoritativeZone(ZoneOptions(name=ZONE, file=file, state=state))
        clock = StoppedClock(time.time_ns() + skew_seconds * 1_000_000_000)
        journals.append(Journal(tmp_path / "journal", clock))
        updater = Updater((zone,), journals[-1], follows_aliases=aliases)
        responder = Responder(updater, Keyring((key, *keys)), clock, follows_aliases=aliases)
        return Bench(responder, updater, zone, key, tmp_path / "journal")

    yield make
    for journal in journals:
        journal.close()


@pytest.fixture
def bench(make_bench: BenchFactory) -> Bench:
    """A bench on the zone above."""
    return make_bench()
