"""Each process of the control plane is killed (-9) after each of its effects in turn, then restarted.

DNS must be as it was or as planned at every committed version, its generation must never fall, and the restarted role
must reach the plan without writing anything twice. The name server is one process for all; each death has a name, a
registry and a folder of its own.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from kill_world import Nameserver, Process, Site, start_nameserver

from outlast.drill import holds
from outlast.drill.score import regressions

WAS = ("192.0.2.1", "192.0.2.2")
PLANNED = ("192.0.2.2", "192.0.2.3")

AT_ONCE = 3
"""Deaths under way at once: interpreters start while others wait."""
DEATHS_MAX = 30


class Scenario(NamedTuple):
    """What is killed, in which situation, and what must be there at the end.

    `answers` are those of all committed versions once the role has been restarted and DNS has followed.
    """

    role: str
    prepare: Callable[[Site], None]
    is_done: Callable[[Site], bool]
    effects: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    commits: int


def is_enacted(site: Site) -> bool:
    """DNS is as planned, and the registry knows which sentinel stands there."""
    record = site.record()
    generation, addresses = site.planned()
    return record is not None and (record.sentinel.gen, record.sentinel.n > 0, site.addresses()) == (
        generation,
        True,
        addresses,
    )


def prepare_creation(site: Site) -> None:
    """A plan, and nothing in DNS."""
    site.plan(PLANNED)


def prepare_change(site: Site) -> None:
    """A new plan while the old one stands in DNS."""
    site.plan(WAS)
    site.enact()
    site.plan(PLANNED)


def prepare_repair(site: Site) -> None:
    """The addresses are gone, the sentinel stands."""
    site.plan(PLANNED)
    site.enact()
    site.nameserver.delete_addresses(site.endpoint)


def is_repaired(site: Site) -> bool:
    """The record tells the number of writes: 1 was the creation."""
    record = site.record()
    return is_enacted(site) and record is not None and record.sentinel.n == 2


def prepare_new_targets(site: Site) -> None:
    """The old plan stands, the configuration has changed."""
    site.plan(WAS)
    site.enact()
    site.configure(PLANNED)


def prepare_old_plans(site: Site) -> None:
    """Two plans that nothing needs any more."""
    for addresses in (PLANNED, WAS, PLANNED):
        site.plan(addresses)
        site.enact()


SCENARIOS = {
    "enactor-creation": Scenario(
        "enactor-a",
        prepare_creation,
        is_enacted,
        ("ReadKnown", "ReadLive", "ReadKnown", "Note", "WriteRecord", "Commit", "Note", "WriteRecord"),
        (PLANNED,),
        1,
    ),
    "enactor-change": Scenario(
        "enactor-a",
        prepare_change,
        is_enacted,
        ("ReadKnown", "ReadLive", "Note", "Commit", "Note", "WriteRecord"),
        (WAS, PLANNED),
        2,
    ),
    "enactor-repair": Scenario(
        "enactor-a",
        prepare_repair,
        is_repaired,
        ("ReadKnown", "ReadLive", "Note", "Commit", "Note", "WriteRecord"),
        (PLANNED, (), PLANNED),
        3,
    ),
    "planner-first": Scenario(
        "planner",
        lambda site: site.configure(PLANNED),
        lambda site: site.planned() == (1, PLANNED),
        ("ReadInputs", "ReadSentinels", "Publish"),
        (PLANNED,),
        1,
    ),
    "planner-change": Scenario(
        "planner",
        prepare_new_targets,
        lambda site: site.planned() == (2, PLANNED),
        ("ReadInputs", "ReadSentinels", "Publish"),
        (WAS, PLANNED),
        2,
    ),
    "janitor-deletion": Scenario(
        "janitor",
        prepare_old_plans,
        lambda site: site.stored() == [3],
        (
            *("ListPlans", "ReadSentinels", "Tombstone", "Tombstone"),
            *("ListPlans", "ReadSentinels", "DeletePlan", "Note", "DeletePlan"),
        ),
        (PLANNED, WAS, PLANNED),
        3,
    ),
}


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nameserver]:
    """One name server process for all scenarios of this file."""
    process, answering = start_nameserver(tmp_path_factory.mktemp("nameserver"))
    yield answering
    process.close()


class Death(NamedTuple):
    """After which effect the role died, and whether everything had been done by then."""

    effect: str
    came_too_late: bool


def kill_and_restart(scenario: Scenario, site: Site, number: int) -> Death:
    """Let the role die after so many effects, look, restart it without death, look again."""
    scenario.prepare(site)
    before = site.addresses()
    holds.arm_death(site.folder, scenario.role, die_after=number)
    doomed = site.start(scenario.role)
    try:
        assert doomed.wait() == -signal.SIGKILL, doomed.said()
    finally:
        doomed.close()
    done = site.effects(scenario.role)
    death = Death(done[-1], scenario.is_done(site))

    assert len(done) == number
    assert site.addresses() in (before, PLANNED)

    restarted = site.start(scenario.role)
    try:
        # One more effect at least: where all was done already, the restarted role must see so itself.
        site.wait_for(lambda: scenario.is_done(site) and len(site.effects(scenario.role)) > number, restarted)
        assert restarted.stop() == 0, restarted.said()
    finally:
        restarted.close()
    # Whoever was restarted, DNS follows the plan: a planner's or a janitor's death left nothing in the way.
    site.enact()
    versions = site.nameserver.versions(site.endpoint)

    assert scenario.answers == tuple(version.addresses for version in versions), f"death {number}"
    assert (0, scenario.commits) == (regressions(versions), site.nameserver.commits(site.endpoint)), f"death {number}"
    return death


SLOWEST = {"enactor-creation", "enactor-repair", "janitor-deletion"}
"""Those with the most effects to die after; only with the long tests."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] * (name in SLOWEST)) for name in SCENARIOS],
)
def test_role_killed_after_each_effect_goes_on_when_restarted(
    nameserver: Nameserver, tmp_path: Path, name: str
) -> None:
    """DNS is as it was or as planned at every version, nothing is written twice, and the role reaches its end."""
    scenario = SCENARIOS[name]

    def die(number: int) -> Death:
        return kill_and_restart(scenario, Site(nameserver, tmp_path, f"{name}-{number}"), number)

    deaths: list[Death] = []
    # A child dies with the thread that started it: each stays in one thread from its start to its end.
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for first in range(1, DEATHS_MAX, AT_ONCE):
            deaths += threads.map(die, range(first, first + AT_ONCE))
            if deaths[-1].came_too_late:
                break
    until_clean = [*itertools.takewhile(lambda death: not death.came_too_late, deaths)]
    last = deaths[len(until_clean)]

    assert scenario.effects == tuple(death.effect for death in (*until_clean, last))


@pytest.mark.slow
def test_prober_killed_while_signals_flow_withdraws_nothing(nameserver: Nameserver, tmp_path: Path) -> None:
    """Signals grow old and decide nothing: the last plan stands, before and after the prober comes back."""
    seed = int(os.environ.get("OUTLAST_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"seed {seed}: OUTLAST_SEED={seed} pytest {__file__}")  # noqa: T201  shown when the test fails
    addresses = ("127.0.0.1", "127.0.0.2")
    processes: list[Process] = []
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    ) as web:
        try:
            assert web.stdout is not None
            (tmp_path / "health").touch()
            port = int(web.stdout.readline().split(b" port ")[1].split()[0])
            site = Site(nameserver, tmp_path, "prober")
            site.configure(addresses, health_port=port)
            processes += [site.start(role) for role in ("planner", "enactor-a", "prober")]
            site.wait_for(lambda: site.addresses() == addresses, processes[0])
            time.sleep(random.Random(seed).uniform(0.0, 0.5))
            processes[2].kill()
            # Old signals of dead targets and old signals of healthy ones look the same: both are only old.
            web.kill()
            time.sleep(2.5)
            old = site.planned(), site.addresses()
            processes.append(site.start("prober"))
            site.wait_for(lambda: bool((tmp_path / "prober" / "prober.log").read_text()), processes[3])
            time.sleep(0.5)
            back = site.planned(), site.addresses()
        finally:
            for process in processes:
                process.close()
            web.kill()

    assert ((1, addresses), addresses) == old
    # Both targets are unhealthy now: below the threshold the region fails open, and the plan still stands.
    assert old == back
    assert [addresses] == [version.addresses for version in nameserver.versions(site.endpoint)]
