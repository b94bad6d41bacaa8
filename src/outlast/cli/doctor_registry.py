"""What `outlast doctor` finds of the registry: whether it answers, what it needs, and what it says of the control plane.

That is who is silent, which orders nobody follows, and what is ours although the file does not name it.
"""

from typing import TYPE_CHECKING

from outlast.audit.closure import cycle, words
from outlast.audit.findings import Finding, Level
from outlast.config import wire
from outlast.config.overview import Overview, elsewhere_words, order_words, silence_words, survey
from outlast.config.settings import Settings
from outlast.errors import NotMade, OutlastError
from outlast.traffic.ports import Place

if TYPE_CHECKING:
    from outlast.audit.zone_facts import Server


async def examine_registry(settings: Settings, resolver: "Server | None") -> list[Finding]:
    """Look at the registry and at what stands in it; a circle that it closes comes before all else."""
    from outlast.audit.name_facts import gather_names  # DNS: starting a command needs none

    subject, hosts = settings.registry.name, settings.registry.hosts
    names = await gather_names(hosts, resolver)
    circle = cycle(hosts, settings.topology, leads_to=names.leads_to)
    if circle:
        fix = "put the registry where nothing that its plans repair is needed to reach it"
        return [Finding(Level.FAIL, "registry", subject, f"it needs what its plans repair: {words(circle)}", fix)]
    fix = "name it by addresses, or a resolver that knows it: --resolver ADDRESS"
    unseen = [
        Finding(Level.UNKNOWN, "registry", subject, f"what {name} leads to is not known: {why}", fix)
        for name, why in names.unseen.items()
    ]
    return [*unseen, *await _content(settings)]


async def _content(settings: Settings) -> list[Finding]:
    subject = settings.registry.name
    registry = wire.registry(settings, is_reader=True)
    try:
        wire.check_registry(settings)
        floor, overview = await registry.floor(), await survey(settings, registry, await registry.latest_plan())
    except NotMade as error:
        return [Finding(Level.WARN, "registry", subject, error.message, error.hint)]
    except OutlastError as error:
        return [Finding(Level.FAIL, "registry", subject, error.message, error.hint)]
    answers = Finding(Level.OK, "registry", subject, f"answers; {floor} is the latest generation")
    return [answers, *_idle(settings, overview), *map(_unlisted, overview.unlisted)]


def _idle(settings: Settings, overview: Overview) -> list[Finding]:
    # A failure, not a warning: the plan stands still, whatever happens to targets or people order.
    probing = "run outlast up, or outlast prober run where targets shall be seen from, and look into its log"
    planning = "run outlast up, or outlast planner run, and look into its log"
    silent = overview.silent
    silence = [] if silent is None else [Finding(Level.FAIL, "probers", settings.realm, silence_words(silent), probing)]
    late = [Finding(Level.FAIL, "order", it.endpoint, order_words(it), planning) for it in overview.orders]
    return silence + late + _elsewhere(settings, overview)


def _elsewhere(settings: Settings, overview: Overview) -> list[Finding]:
    if not overview.elsewhere:
        return []
    words = elsewhere_words(overview.elsewhere, overview.edition)
    fix = "give all planners the newest file, and look into their logs: one that does not follow an edit says why"
    return [Finding(Level.WARN, "configuration", settings.path.name, words, fix)]


def _unlisted(place: Place) -> Finding:
    fix = f"put it back into outlast.toml, or let it go with: outlast retire {place.endpoint}"
    there = "not in outlast.toml, and still ours: enactors mend it"
    return Finding(Level.WARN, "unlisted", f"{place.endpoint} at {place.provider}", there, fix)
