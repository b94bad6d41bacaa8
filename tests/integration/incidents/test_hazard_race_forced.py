"""The event of 2025-10-20 with real processes on the real name server, its interleaving forced by holds."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from outlast.drill.holds import Hold, arm, arm_death, release, wait_until_held
from outlast.incidents import records
from outlast.incidents.store import PlanStore
from outlast.nameserver import Nameserver, ServerOptions, UpdateKey, ZoneOptions

ZONE, DB = "example.test.", "db.example.test."
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
ADDRESSES = {"127.0.1.1", "127.0.1.2"}
PATIENCE = 15.0


class World:
    """A name server in a thread, hazard roles as processes, and a folder for all they write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.plans = PlanStore(folder / "plans")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        """Start the name server."""
        self._thread.start()
        key = UpdateKey(name="drill.", secret=SECRET)
        options = ServerOptions(
            zones=(ZoneOptions(name=ZONE, negative_ttl=2),), keys=(key,), journal=self.journal, route53_aliases=True
        )
        self._server = Nameserver(options)
        asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(PATIENCE)
        self.port = self._server.port
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, then the name server."""
        for process in self.processes.values():
            process.kill()
            process.communicate()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def start_planner(self) -> None:
        """Publish 109, and on from there as the ceiling is raised."""
        endpoints = {DB: sorted(ADDRESSES)}
        self._start("planner", {"endpoints": endpoints, "first": 109, "ceiling": 109, "every": 0.01})
        wait_for(lambda: self.plans.numbers() == (109,), "plan 109 is published")

    def start_enactor(self, role: str, *arguments: str, **changes: object) -> None:
        """Start an enactor that walks every 50 ms."""
        where = {"nameserver": "127.0.0.1", "port": self.port, "zone": ZONE, "key_name": "drill.", "key_secret": SECRET}
        self._start("enactor", {**where, "role": role, "every": 0.05, "backoff": 0.02, **changes}, *arguments)

    def _start(self, kind: str, options: dict[str, object], *arguments: str) -> None:
        role = str(options.get("role", kind))
        path = self.folder / f"{role}.options.json"
        path.write_text(
            json.dumps({"plans": str(self.folder / "plans"), "trace": str(self.trace_file(role)), **options})
        )
        command = [sys.executable, "-m", "outlast.drill.hazard", kind, "--holds", str(self.folder), *arguments]
        self.processes[role] = subprocess.Popen([*command, "--options", str(path)], stdin=subprocess.PIPE)

    def hold(self, role: str) -> dict[str, Any]:
        """Wait until a role has stopped where it was told."""
        return wait_until_held(self.folder, role, PATIENCE)

    def release(self, role: str, then: Hold | None = None) -> None:
        """Continue a role."""
        release(self.folder, role, self.processes[role].pid, then=then)

    def ask(self, name: str, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        """Ask the name server over TCP."""
        query = records.question(dns.name.from_text(name), kind)
        return dns.query.tcp(query, "127.0.0.1", port=self.port, timeout=PATIENCE)

    def top(self) -> int | None:
        """The plan that the top alias names."""
        return records.alias_target(self.ask(DB, records.ALIAS))

    def addresses(self) -> set[str]:
        """What a client gets."""
        return {rdata.to_text() for rdata in records.values(self.ask(DB, dns.rdatatype.A), dns.rdatatype.A)}

    def trace_file(self, role: str) -> Path:
        """Where a role writes its trace."""
        return self.folder / f"{role}.trace"

    def answers(self, role: str, answer: str) -> list[dict[str, Any]]:
        """The lines of a role's trace with this answer."""
        with suppress(FileNotFoundError):
            lines = self.trace_file(role).read_text().splitlines()
            return [line for line in map(json.loads, lines) if line.get("answer") == answer]
        return []


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition of the world holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.01)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world that is ended whatever happens."""
    with World(tmp_path) as world:
        yield world


def force_the_race(world: World) -> None:
    """C stops between check and tree of 110, A between install and list of 145, B before the tree of 146."""
    world.start_planner()
    world.start_enactor("a")
    wait_for(lambda: world.top() == 109, "plan 109 is live")
    # A must not take 110 before C has found it to be new.
    arm(world.folder, "a", "FetchLatestPlan")
    world.hold("a")
    arm(world.folder, "c", "BuildTree", where={"plan": 110})
    world.plans.raise_ceiling(110)
    world.start_enactor("c")
    world.hold("c")
    world.release("a", Hold(effect="ListTrees", where={"plan": 145}))
    world.plans.raise_ceiling(145)
    world.hold("a")
    arm(world.folder, "b", "BuildTree", where={"plan": 146})
    world.plans.raise_ceiling(146)
    world.start_enactor("b")
    world.hold("b")


@pytest.mark.slow
def test_the_forced_race_empties_the_name_and_no_enactor_can_repair_it(world: World) -> None:
    """C installs 110 over 145, A deletes 110: NOERROR with no address; then A, B and C are refused for ever."""
    force_the_race(world)
    tops = [world.top()]

    # C may not start another walk before A has cleaned: it would install 146 and the hazard would pass unseen.
    world.release("c", Hold(effect="ListTrees", where={"plan": 110}))
    world.hold("c")
    tops.append(world.top())
    seen = [world.addresses()]
    world.release("a")
    wait_for(lambda: not world.addresses(), "the name is empty")
    world.release("b")
    world.release("c")
    wait_for(lambda: all(len(world.answers(role, "InstallRefused")) >= 2 for role in "abc"), "all are refused, twice")
    response = world.ask(DB, dns.rdatatype.A)

    assert tops == [145, 110]
    assert seen == [ADDRESSES]
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]
    assert world.top() == 110
    refusal = world.answers("b", "InstallRefused")[0]
    assert (refusal["detail"]["plan"], refusal["detail"]["active"], refusal["rcode"]) == (146, 110, "REFUSED")
    assert "plan-110" in refusal["result"]["reason"]


@pytest.mark.slow
def test_the_lock_of_a_dead_enactor_is_broken_when_its_epoch_has_passed(world: World) -> None:
    """An enactor that is killed with the lock in its hand delays the others by the lock's lifetime, no longer."""
    world.start_planner()
    # Fetch, check, build, read the lock, take it: the fifth effect.
    arm_death(world.folder, "a", die_after=5)
    world.start_enactor("a", lock_lifetime=0.5)
    died = world.processes["a"].wait(PATIENCE)
    locked = records.lock_of(world.ask("lock.db.example.test.", dns.rdatatype.TXT))
    world.start_enactor("b", "--once")
    ended = world.processes["b"].wait(PATIENCE)

    assert (died, ended) == (-signal.SIGKILL, 0)
    assert locked.startswith("a ")
    assert (world.top(), world.addresses()) == (109, ADDRESSES)
    assert records.lock_of(world.ask("lock.db.example.test.", dns.rdatatype.TXT)) == ""


@pytest.mark.slow
def test_an_enactor_that_lost_its_lock_changes_nothing(world: World) -> None:
    """The preamble refuses the transaction of a sleeper whose lock was broken; it takes the lock again first."""
    world.start_planner()
    arm(world.folder, "c", "Install", where={"plan": 109})
    world.start_enactor("c", "--once", lock_lifetime=0.3)
    world.hold("c")
    world.start_enactor("b", "--once")
    world.processes["b"].wait(PATIENCE)
    world.release("c")
    ended = world.processes["c"].wait(PATIENCE)

    assert ended == 0
    assert [line["effect"] for line in world.answers("c", "LockLost")] == ["Install"]
    assert world.top() == 109
