"""The processes that a script is played on, for either protocol: an authoritative server, and roles that can be stopped.

What is asked from outside is asked over UDP.
"""

import json
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from outlast.drill import holds
from outlast.drill.evidence import Evidence
from outlast.drill.keys import KeyRing
from outlast.drill.names import OPERATOR
from outlast.drill.processes import Crew
from outlast.drill.replay.script import OUTLAST, ZONE, Script, Step
from outlast.drill.tail import Line, Tail
from outlast.errors import OutlastError, Unavailable
from outlast.traffic.sentinel import Sentinel, parse, sentinel_name

WAIT_SECONDS = 20.0
"""For a role to come to its next effect: a cold start on a busy machine takes some seconds, everything else none."""
PAUSE = 0.005
NEGATIVE_TTL = 2
UDP_TRIES, UDP_TIMEOUT = 4, 2.0


class NotAsTold(OutlastError):
    """A step did not come about, or not as the script says."""


class Answer(NamedTuple):
    """What DNS answered for an endpoint: the rcode, the addresses, and the generation of its sentinel, 0 without one."""

    rcode: str
    addresses: tuple[str, ...]
    generation: int = 0

    def __str__(self) -> str:
        found = " ".join(self.addresses) or "no address"
        return f"{self.rcode} {found}" + (f" gen={self.generation}" if self.generation else "")


class World(ABC):
    """Use it as a context: at its end no process is left.

    Args:
        script: What is to be played; it is not played here.
        is_interrupted: Whether somebody wants to end the drill.

    Raises:
        Unavailable: Something could not be started.

    """

    def __init__(self, script: Script, *, is_interrupted: Callable[[], bool]) -> None:
        self.script = script
        self.folder = Path(tempfile.mkdtemp(prefix="outlast-drill-"))
        self.holds = self.folder / "holds"
        self.holds.mkdir()
        self.crew = Crew(self.folder, is_interrupted=is_interrupted)
        self.keys = KeyRing(self.folder, (*script.enactor_names, OPERATOR))
        self.port = 0
        self.ended: dict[str, list[Line]] = {name: [] for name in script.actors}
        self._traces = {name: Tail(self._trace_file(name)) for name in script.actors}
        self.evidence = Evidence(groups={}, journal=self.folder / "journal", observer=self.folder / "-", roles={})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.crew.end()

    def remove_folder(self) -> None:
        """Delete every file of the drill."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the name server, and every role stopped before its first effect."""
        self._start_nameserver()
        for name in self._roles_at_the_start():
            holds.arm(self.holds, name, holds.ANY)
            self._start_role(name)

    # ------------------------------------------------------------------------------------------- each protocol's own

    @abstractmethod
    def _roles_at_the_start(self) -> tuple[str, ...]: ...

    @abstractmethod
    def _start_role(self, name: str) -> None: ...

    @abstractmethod
    def prepare(self, step: Step) -> None:
        """Bring about what people and time do before that step."""

    # ------------------------------------------------------------------------------------------------- one effect

    def arrive(self, name: str) -> Line:
        """Wait until the role is stopped before its next effect; return what it is about to do.

        Raises:
            NotAsTold: It does not come to one in time.

        """
        return self._held(name)

    def let_do(self, name: str) -> Line:
        """Let the role do what it is about to do, and stop it before it hears of the answer; return its trace's line.

        Raises:
            NotAsTold: It does not come back from it in time.
            NotHeld: It does not even begin.

        """
        holds.release(self.holds, name, self.crew.pid(name), then=holds.Hold(effect=holds.ANY, moment="after"))
        self._held(name)
        self.read_traces()
        return self.ended[name][-1]

    def go_on(self, name: str) -> None:
        """Let the role hear of the answer, and stop it before its next effect."""
        holds.release(self.holds, name, self.crew.pid(name), then=holds.Hold(effect=holds.ANY))

    def kill(self, name: str) -> None:
        """Kill the role where it stands, and start it anew, stopped before its first effect."""
        self.crew.kill(name)
        holds.disarm(self.holds, name)
        holds.arm(self.holds, name, holds.ANY)
        self._start_role(name)

    def let_all_run(self) -> None:
        """Stop nobody any more."""
        for name in self.crew.alive:
            if name in self.script.actors:
                holds.release(self.holds, name, self.crew.pid(name))

    def _held(self, name: str) -> Line:
        if not self.wait_for(lambda: holds.is_held(self.holds, name)):
            raise NotAsTold(
                f"{name} does not come to an effect within {WAIT_SECONDS:g} s",
                hint="keep its log with --keep and look there",
            )
        return holds.wait_until_held(self.holds, name, WAIT_SECONDS)

    def wait_for(self, condition: Callable[[], bool], timeout: float = WAIT_SECONDS) -> bool:
        """Wait while all are alive; tell whether the condition came true in time."""
        limit = time.monotonic() + timeout
        while not (is_true := condition()) and time.monotonic() < limit:
            self.crew.check()
            time.sleep(PAUSE)
        return is_true

    def read_traces(self) -> None:
        """Gather what the roles have done."""
        for name, trace in self._traces.items():
            self.ended[name] += (line for line in trace.read() if line["phase"] == "end" and "answer" in line)

    # ------------------------------------------------------------------------------------------------- from outside

    def ask(self, endpoint: str) -> Answer:
        """Ask the name server for the addresses over UDP, and in our protocol for the sentinel, too.

        Raises:
            Unavailable: It does not answer.

        """
        response = self._ask(endpoint, dns.rdatatype.A)
        found = sorted(
            rdata.to_text() for rrset in response.answer for rdata in rrset if rdata.rdtype == dns.rdatatype.A
        )
        generation = self._generation(endpoint) if self.script.protocol == OUTLAST else 0
        return Answer(dns.rcode.to_text(response.rcode()), tuple(found), generation)

    def _generation(self, endpoint: str) -> int:
        answer = self._ask(sentinel_name(endpoint), dns.rdatatype.TXT).answer
        texts = tuple(b"".join(rdata.strings).decode("utf-8", "replace") for rrset in answer for rdata in rrset)
        seen = parse(texts)
        return seen.gen if isinstance(seen, Sentinel) else 0

    def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        query = dns.message.make_query(name, kind, flags=0)
        for _ in range(UDP_TRIES):
            try:
                return dns.query.udp(query, "127.0.0.1", port=self.port, timeout=UDP_TIMEOUT)
            except dns.exception.Timeout:
                self.crew.check()
        raise Unavailable(f"the name server does not answer for {name}", hint="keep its log with --keep and look there")

    # ----------------------------------------------------------------------------------------------------- starting

    def _start_nameserver(self) -> None:
        ready = self.folder / "nameserver.ready"
        options = {
            "zones": [{"name": ZONE, "negative_ttl": NEGATIVE_TTL}],
            "keys": [str(self.keys.file(role)) for role in self.keys.roles],
            "journal": str(self.folder / "journal"),
            "route53_aliases": self.script.protocol != OUTLAST,
            "ready": str(ready),
        }
        self._start("nameserver", options)
        if not self.wait_for(ready.exists):
            raise Unavailable("the name server does not come up", hint="keep its log with --keep and look there")
        self.port = json.loads(ready.read_text(encoding="utf-8"))["port"]

    def _start(self, role: str, options: dict[str, Any]) -> None:
        self.crew.start(role, "outlast.drill.roles", role, str(self._write(f"{role}.json", json.dumps(options))))

    def _trace_file(self, name: str) -> Path:
        return self.folder / f"{name}.trace"

    def _write(self, name: str, text: str) -> Path:
        # Whole or not at all, and for nobody else: some of these files hold a key.
        path, beside = self.folder / name, self.folder / f".{name}"
        beside.touch(mode=0o600)
        beside.write_text(text, encoding="utf-8")
        return beside.replace(path)
