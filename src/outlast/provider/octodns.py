"""Any provider of octoDNS, tier T4: no transaction and no compare and swap, as far as anybody knows of it.

octoDNS reads a whole zone, computes what differs from what is wanted, and has its provider carry that out. A commit is one
such plan, in which nothing but the endpoint's own sets and sentinel takes part (`octodns_zone`): what it read is compared
with what the writer saw, and after the change the zone is read again.

What may go wrong, beside what goes wrong at T3 (`powerdns`): a provider carries a plan out record by record, so that a
reader may see a mixture of old and new, and one that fails half way leaves it; the next pass of any enactor mends it.
Where a family of addresses goes, it goes last, so that there is always an address. Between addresses and a CNAME the name
is empty for as long as the provider needs, unless it changes a zone in one step. Who sleeps longer than `timeout` before
the change sends nothing any more; once it has begun, it is the provider's own timeouts that end it.

octoDNS's safety thresholds (a plan that changes more than 30 % of a zone) stand before its command's `--doit`; nothing here
passes them, for a plan of ours touches one endpoint. Its providers are made for one run and keep what they have read, so
each call makes a new one. To be known beforehand: every read fetches the whole zone. Keep such zones small.
"""

import contextlib
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote, quote_plus

import dns.name
from dns.exception import DNSException
from dns.name import Name

from outlast.errors import InvalidConfig, OutlastError, Unavailable
from outlast.provider import octodns_zone, updates
from outlast.provider.answers import Owners
from outlast.provider.blocking import PREFIX, Gate, Threads
from outlast.provider.octodns_zone import OnlyOurs, Overtaken, Stages
from outlast.provider.zones import closest_zone, is_name
from outlast.rounds import Asked, Rounds
from outlast.traffic.ports import Live, Outcome, Reply, Tier, Transaction
from outlast.traffic.topology import Endpoint

MAX_TIMEOUT = 60.0
AT_ONCE = 8
"""Each commit has a thread and reads the zone twice."""
WORDS_MAX = 300
"""Characters of somebody else's error that are passed on."""
SECRET_MIN = 4
"""Characters from which on a secret is looked for in such words; a shorter one would blot out half of them."""
_NETWORK = {"aiohttp", "azure", "botocore", "google", "grpc", "http", "httpcore", "httpx", "urllib3"}
"""Libraries whose errors are none of Python's for a lost connection; without a status they may be just that."""
OURS_TO_SET = {"apply_disabled", "strict_supports", "root_ns_warnings"}
"""Options of every octoDNS provider that would change what a commit means."""


class Failure(Unavailable):
    """An octoDNS provider raised something. `is_silence`: what was sent may have arrived, and may be carried out yet."""

    def __init__(self, message: str, *, is_silence: bool) -> None:
        super().__init__(message)
        self.is_silence = is_silence


@dataclass(frozen=True, slots=True, kw_only=True)
class OctodnsProvider:
    """The port `Provider` on any provider of octoDNS that changes single records, tier T4.

    Args:
        name: What the configuration calls it.
        zones: The zones it holds; an endpoint belongs to the closest above it.
        class_path: The octoDNS provider's class, as octoDNS's own configuration has it.
        options: What its constructor takes, but for its id. Never shown by `repr`.
        secrets: Those of the options that are secrets: taken out of every error that is passed on.
        timeout: Seconds for a whole reading of a zone or a whole transaction, at most `MAX_TIMEOUT`. Who asks while a zone is
            being read waits for that and for the next.
        is_reader: Whether commits are refused.

    Raises:
        InvalidConfig: With every fault found.

    """

    name: str
    zones: tuple[str, ...]
    class_path: str
    options: Mapping[str, Any] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False, default=())
    timeout: float = 10.0
    is_reader: bool = False
    _make: Callable[..., Any] = field(init=False, repr=False, compare=False)
    _threads: Threads = field(init=False, repr=False, compare=False)
    _readings: dict[Name, Rounds[Owners, Live]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made, faults = _find(self.class_path, self.name, self.options)
        faults += [] if self.zones else ["zones: name at least one"]
        faults += [f"zones: {zone!r} is not a domain name" for zone in self.zones if not is_name(zone)]
        if not 0 < self.timeout <= MAX_TIMEOUT:
            faults.append(f"timeout: {self.timeout:g} is not within 0 and {MAX_TIMEOUT:g} seconds")
        if faults:
            raise InvalidConfig(tuple(f"provider {self.name}: {fault}" for fault in faults))
        object.__setattr__(self, "_make", made)
        object.__setattr__(self, "_threads", Threads(self.name))

    @property
    def tier(self) -> Tier:
        return Tier.T4

    @property
    def at_once(self) -> int:
        return AT_ONCE

    async def read(self, endpoint: str) -> Live:
        """Read the whole zone by octoDNS and pick the endpoint's sets and sentinel.

        octoDNS reads zones, not names: whoever asks while a zone is being read shares the next reading.

        Raises:
            Unavailable: octoDNS's provider failed or did not come back in time; the endpoint is in none of the zones.

        """
        zone = closest_zone(self.name, self.zones, endpoint)
        if zone not in self._readings:
            self._readings[zone] = Rounds(partial(self._read_all, zone))
        return await self._readings[zone].ask(Owners.of(endpoint))

    async def _read_all(self, zone: Name, here: Sequence[Asked[Owners, Live]]) -> None:
        work = partial(self._read_many, zone, [one.item for one in here])
        try:
            found = await self._threads.run(work, seconds=self.timeout)
        except TimeoutError:
            found = [Unavailable(f"no answer within {self.timeout:g} s", hint="a large zone?")] * len(here)
        except OutlastError as error:
            found = [Unavailable(error.message, hint=error.hint)] * len(here)
        for one, live in zip(here, found, strict=True):
            if isinstance(live, Live):
                one.answer(live)
            else:
                one.fail(Unavailable(f"{self.name}: {live.message}", hint=live.hint))

    async def read_sentinel(self, endpoint: str) -> tuple[str, ...]:
        """Read the whole zone and pick the TXT strings of the sentinel.

        Raises:
            Unavailable: As `read`.

        """
        return (await self.read(endpoint)).sentinel

    async def refusal(self, zone: str, endpoints: Sequence[Endpoint]) -> str:
        """Why the credential may not read a zone; empty if it may. Whether it may write, octoDNS does not tell.

        Raises:
            Unavailable: octoDNS's provider failed in another way, or did not come back in time.

        """
        del endpoints
        try:
            await self._threads.run(partial(self._read_many, dns.name.from_text(zone), ()), seconds=self.timeout)
        except TimeoutError as error:
            raise Unavailable(f"{self.name}: no answer within {self.timeout:g} s") from error
        except Failure as failure:
            if failure.is_silence:
                raise
            return failure.message
        return ""

    def _read_many(self, zone: Name, owners: Sequence[Owners]) -> list[Live | Unavailable]:
        with self._told():
            records = octodns_zone.read_zone(self._octodns(), _text(zone))
        return [self._picked(one, records) for one in owners]

    def _picked(self, owners: Owners, records: Any) -> Live | Unavailable:
        # What is wrong with one endpoint's records is no other's affair.
        try:
            with self._told():
                return octodns_zone.live(owners, records)
        except Unavailable as error:
            return error

    def _read(self, zone: Name, transaction: Transaction) -> Live:
        (live,) = self._read_many(zone, [Owners.of(transaction.endpoint)])
        if isinstance(live, Unavailable):
            raise live
        return live

    async def commit(self, transaction: Transaction) -> Reply:
        """Compare, have octoDNS change what differs, and read it back; see above for what may come in between.

        Raises:
            UnsafePlan: The resulting record sets would leave the endpoint empty; nothing was sent.

        """
        if self.is_reader:
            return Reply(Outcome.FAILED, "a reader changes nothing")
        try:
            zone = closest_zone(self.name, self.zones, transaction.endpoint)
        except Unavailable as error:
            return Reply(Outcome.FAILED, str(error))
        updates.refuse_empty(transaction, zone)
        gate = Gate()
        try:
            return await self._threads.run(partial(self._carry_out, transaction, zone, gate), seconds=self.timeout)
        except TimeoutError:
            return Reply(Outcome.LOST if gate.close() else Outcome.FAILED, f"no answer within {self.timeout:g} s")
        except OutlastError as error:
            return Reply(Outcome.LOST if gate.close() else Outcome.FAILED, str(error))
        finally:
            gate.close()

    def _carry_out(self, transaction: Transaction, zone: Name, gate: Gate) -> Reply:
        ours, result = OnlyOurs(transaction), _result(transaction)
        try:
            with self._told():
                provider = self._octodns()
                wanted = octodns_zone.desired_zone(_text(zone), transaction)
                plan = provider.plan(wanted, processors=[ours], lenient=True)
        except Overtaken as overtaken:
            return Reply(Outcome.CONFLICT, str(overtaken))
        if plan is None and transaction.seen == result:
            return Reply(Outcome.COMMITTED)  # it was so already, as read for this very plan
        stages = Stages.of(plan, ours)
        if stages.fault:
            return Reply(Outcome.FAILED, stages.fault)
        try:
            for stage in stages.plans:
                if not gate.enter():
                    return Reply(Outcome.LOST, "nobody waits any more")
                with self._told():
                    provider.apply(stage)
        except Failure as failure:
            return self._judge(failure, transaction, zone)
        return self._read_back(transaction, zone)

    def _judge(self, failure: "Failure", transaction: Transaction, zone: Name) -> Reply:
        if failure.is_silence:
            return Reply(Outcome.LOST, failure.message)  # it may be carried out yet, whatever is read now
        is_unchanged = self._read(zone, transaction) == transaction.seen
        return Reply(Outcome.FAILED if is_unchanged else Outcome.LOST, failure.message)

    def _read_back(self, transaction: Transaction, zone: Name) -> Reply:
        wanted = _result(transaction)
        read = self._read(zone, transaction)
        if read == wanted:
            return Reply(Outcome.COMMITTED)
        if read.sentinel == wanted.sentinel and _without_ttl(read) == _without_ttl(wanted):
            ttls = ", ".join(f"{item.type} {item.ttl} s" for item in read.sets)
            return Reply(Outcome.LOST, f"it keeps another TTL than it is told ({ttls}): set the endpoint's ttl to that")
        return Reply(Outcome.LOST, "what is read back is not what was written: overtaken, or not visible yet")

    def _octodns(self) -> Any:
        provider = self._make(self.name, **self.options)
        # A type that it does not support must be an error; and that we leave a zone's NS alone needs no warning.
        provider.strict_supports, provider.root_ns_warnings = True, False
        for log in (*map(logging.getLogger, ("Record", "Zone", "Plan")), provider.log):
            log.addFilter(_not_ours)
        return provider

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Let nothing of octoDNS's out but a `Failure` with words that hold no secret."""
        try:
            yield
        except OutlastError:
            raise
        except Exception as error:  # noqa: BLE001  what an octoDNS provider raises is its own affair
            # The original may hold a secret, in its words or its traceback's.
            raise Failure(self._words(error), is_silence=_is_silence(error)) from None

    def _words(self, error: BaseException) -> str:
        said = f"{type(error).__name__}: {error}"
        for form in sorted(
            {form for it in self.secrets if len(it) >= SECRET_MIN for form in _forms(it)}, key=len, reverse=True
        ):
            said = said.replace(form, "…")
        plain = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
        return plain[:WORDS_MAX]


def _find(class_path: str, name: str, options: Mapping[str, Any]) -> tuple[Callable[..., Any], list[str]]:
    # The class, and what is wrong with it or with what it is to be given. No value is repeated.
    module, _, attribute = class_path.rpartition(".")
    if find_spec("octodns") is None:
        return _nothing, ["kind: octodns is not installed: pip install 'outlast[octodns]'"]
    try:
        made = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        package = module.partition(".")[0].replace("_", "-")
        return _nothing, [f"class: there is no {class_path}: pip install {package or 'its package'}"]
    if not isinstance(made, type) or not all(hasattr(made, method) for method in ("populate", "plan", "apply")):
        return _nothing, [f"class: {class_path} is no octoDNS provider that can be changed"]
    if forbidden := sorted(OURS_TO_SET & options.keys()):
        return _nothing, [f"settings: leave out {', '.join(forbidden)}: it changes what a commit means"]
    try:
        inspect.signature(made).bind(name, **options)
    except TypeError as error:
        return _nothing, [f"settings: {error}"]
    return made, []


def _nothing(*_: Any, **__: Any) -> Any:
    raise AssertionError("checked on construction")


def _result(transaction: Transaction) -> Live:
    return Live((transaction.sentinel.text,), tuple(sorted(transaction.content.sets)))


def _forms(secret: str) -> tuple[str, ...]:
    # As it is, as a URL has it, and as `repr` has it.
    return secret, quote(secret), quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]


def _is_silence(error: Exception) -> bool:
    # An HTTP client's errors are OSErrors too; a refusal among them has a status.
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", 0) or getattr(error, "status_code", 0)
    if isinstance(response, Mapping):  # botocore's
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_of_network = any(base.__module__.partition(".")[0] in _NETWORK for base in type(error).__mro__)
    return (isinstance(error, OSError | EOFError | DNSException) or is_of_network) and not 400 <= status < 500


def _without_ttl(live: Live) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.type, item.values) for item in live.sets]


def _text(zone: Name) -> str:
    return str(zone).rstrip(".")


def _not_ours(_: logging.LogRecord) -> bool:
    """Keep octoDNS silent in our threads: it warns of every odd record of a zone at every read. What fails is raised."""
    return not threading.current_thread().name.startswith(PREFIX)
