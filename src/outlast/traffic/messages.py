"""The words between the control plane's step machines and whoever carries them out: effects out, events in.

One effect of a step is answered by one event. `Note` is not answered: it is for people, metrics and tests.
"""

from typing import NamedTuple

from outlast.health.signal import Signal
from outlast.traffic.content import Content
from outlast.traffic.orders import Order
from outlast.traffic.plan import Plan
from outlast.traffic.ports import AheadReport, Known, Live, Place, PlanInfo, Record, Transaction
from outlast.traffic.topology import Topology

# ---------------------------------------------------------------------------------------------------- effects


class ReadKnown(NamedTuple):
    """Ask the registry for the plan's entry and the record; answered by `KnownRead` or `RegistryDown`."""

    provider: str
    endpoint: str


class ReadLive(NamedTuple):
    """Ask the provider's primary; answered by `LiveRead` or `ProviderDown`."""

    provider: str
    endpoint: str


class ReadSentinels(NamedTuple):
    """Ask the primaries of these places for their sentinels, in any order; answered by `SentinelsRead`.

    The answer may be about some of them, at least one: whoever asked then asks for the others. So the explorer carries it
    out place by place and in every order, and the driver for all at once, which comes to one of those orders. Who has not
    answered `within` so many nanoseconds counts as silent; 0: as long as each provider may take.
    """

    places: tuple[Place, ...]
    within: int = 0


class FindContent(NamedTuple):
    """Look for content by its digest in the stored plans; answered by `ContentFound` or `RegistryDown`."""

    endpoint: str
    digest: str


class WriteRecord(NamedTuple):
    """Answered by `RecordWritten` or `RegistryDown`. `pending`: it is written before its transaction is committed."""

    record: Record
    pending: bool = False


class Commit(NamedTuple):
    """Answered by `Committed`, `Conflict`, `Failed` or `Lost`."""

    transaction: Transaction


class Wake(NamedTuple):
    """Answered by `Woken` after that many nanoseconds."""

    after: int


class ReportAhead(NamedTuple):
    """Answered by `Reported` or `RegistryDown`."""

    report: AheadReport


class ReadInputs(NamedTuple):
    """Ask for all the planner needs; answered by `InputsRead` or `RegistryDown`."""


class Publish(NamedTuple):
    """Store a plan if `after` is still the latest and the wall clock is not past `until` (0: no limit).

    Answered by `Published`, `Raced`, `Expired` or `RegistryDown`.
    """

    plan: Plan
    after: int
    until: int


class DropReports(NamedTuple):
    """Answered by `ReportsDropped` or `RegistryDown`."""

    reports: tuple[AheadReport, ...]


class ListPlans(NamedTuple):
    """Answered by `PlansListed` or `RegistryDown`."""


class Tombstone(NamedTuple):
    """Answered by `Tombstoned` or `RegistryDown`."""

    generation: int


class DeletePlan(NamedTuple):
    """Delete if the registry's own check still allows it; answered by `PlanDeleted`, `PlanKept` or `RegistryDown`."""

    generation: int
    keep: int
    tombstoned_before: int


class Note(NamedTuple):
    """Something worth telling; `alarm` if a person should look. Not answered."""

    name: str
    detail: str = ""
    alarm: bool = False


Effect = (
    ReadKnown | ReadLive | ReadSentinels | FindContent | WriteRecord | Commit | Wake | ReportAhead
    | ReadInputs | Publish | DropReports | ListPlans | Tombstone | DeletePlan | Note
)  # fmt: skip
Effects = tuple[Effect, ...]

# ----------------------------------------------------------------------------------------------------- events


class Tick(NamedTuple):
    """Begin a pass. `wait` is how long to stand back for a preferred peer, in nanoseconds; 0 means go first."""

    wait: int = 0


class KnownRead(NamedTuple):
    known: Known


class LiveRead(NamedTuple):
    live: Live


class Sighting(NamedTuple):
    """What stands in the sentinel's place; `None` if the primary did not answer usefully, for the reason `fault`."""

    place: Place
    texts: tuple[str, ...] | None
    fault: str = ""


class SentinelsRead(NamedTuple):
    """What some of the places asked about said, each once."""

    sightings: tuple[Sighting, ...]


class ContentFound(NamedTuple):
    content: Content | None


class RecordWritten(NamedTuple):
    """`stored` is false if a record with a larger `n` was there already."""

    stored: bool


class Committed(NamedTuple):
    pass


class Conflict(NamedTuple):
    """A prerequisite did not hold; `detail` is the provider's word."""

    detail: str


class Failed(NamedTuple):
    """Refused for another reason; nothing changed."""

    detail: str


class Lost(NamedTuple):
    """No reply: it may have landed."""

    detail: str


class Woken(NamedTuple):
    pass


class Reported(NamedTuple):
    pass


class InputsRead(NamedTuple):
    """All that the planner decides on. `topology` is the last valid one; `wall` is data, not a timer.

    `untouched` are endpoints of the plan that it leaves as they are, although the topology does not have them (`edition`).
    """

    topology: Topology
    plan: Plan | None
    floor: int
    records: tuple[Record, ...]
    reports: tuple[AheadReport, ...]
    signals: tuple[Signal, ...]
    wall: int
    orders: tuple[Order, ...] = ()
    untouched: frozenset[str] = frozenset()


class Published(NamedTuple):
    pass


class Raced(NamedTuple):
    """Somebody else published first."""


class Expired(NamedTuple):
    """The signals under the plan had grown too old by the time it should be stored."""


class ReportsDropped(NamedTuple):
    pass


class PlansListed(NamedTuple):
    """Stored plans, newest first, the records, and the wall clock in nanoseconds."""

    plans: tuple[PlanInfo, ...]
    records: tuple[Record, ...]
    wall: int


class Tombstoned(NamedTuple):
    pass


class PlanDeleted(NamedTuple):
    pass


class PlanKept(NamedTuple):
    """The registry's own check refused the deletion."""


class RegistryDown(NamedTuple):
    detail: str


class ProviderDown(NamedTuple):
    detail: str


Event = (
    Tick | KnownRead | LiveRead | SentinelsRead | ContentFound | RecordWritten | Committed | Conflict | Failed | Lost | Woken
    | Reported | InputsRead | Published | Raced | Expired | ReportsDropped | PlansListed | Tombstoned | PlanDeleted | PlanKept
    | RegistryDown | ProviderDown
)  # fmt: skip
