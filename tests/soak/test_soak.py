"""Kills, freezes, restarts and restored backups without end, on a real BIND: DNS is never empty and never goes back.

`make soak` lasts half an hour; `SOAK_SECONDS` and `SOAK_SEED` say otherwise. A seed replays the order of the evils, not
their exact moments: these are real processes.
"""

import os
import random
import time
from pathlib import Path

import pytest
from servers.peers import demand
from soak_world import ENDPOINTS, Observer, SoakWorld

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
def test_dns_survives_everything(tmp_path: Path) -> None:
    """Whatever is hurt: no empty answer, no generation that falls, and once it is over all is as planned."""
    demand("bind")
    seed = int(os.environ.get("SOAK_SEED", random.randrange(2**32)))
    print(f"seed {seed}: SOAK_SEED={seed} make soak replays it")  # noqa: T201  to replay
    with SoakWorld(tmp_path, seed) as world:
        observer = Observer(lambda: world.port)
        observer.start()
        assert "" == world.settles()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not observer.faults:
            world.torment()
            time.sleep(world.chance.uniform(0.1, 0.8))
        left = world.settles()
        observer.stopped.set()
        observer.join()
    print(f"{observer.answers} answers, generations {observer.generations}, {world.hurt}")  # noqa: T201  the figures

    assert ([], "") == (observer.faults, left)
    assert set(ENDPOINTS) == observer.generations.keys()
    assert observer.answers >= SECONDS
    assert min(observer.generations.values()) > SECONDS / 20
