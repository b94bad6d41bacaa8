"""What a person should know although the plan is as it should be: floors that hold what serves nobody, and waiting. Pure."""

from collections.abc import Iterator, Mapping

from outlast import hostnames
from outlast.health.signal import NOWHERE
from outlast.traffic.aliases import resolves_to_nothing
from outlast.traffic.evidence import Evidence, freshest
from outlast.traffic.messages import InputsRead, Note
from outlast.traffic.plan import Entry
from outlast.traffic.topology import Endpoint

UNSEEN = "nothing is heard of it yet"
FIX = "mend that name, or configure, pin or break-glass another"


def alarms(inputs: InputsRead, drafts: tuple[Entry, ...], max_signal_age: int) -> tuple[Note, ...]:
    """Tell of names that are published, by the drafts or by the plan that stands, although they lead nowhere.

    Also of those that are not published yet, after an edit, because nothing says that they lead anywhere. `max_signal_age`
    is nanoseconds.
    """
    named = inputs.topology.named
    coming = {draft.endpoint: draft for draft in drafts}
    # Of names at every pass, because what they lead to changes; of addresses when the plan changes, and in its reasons.
    edited = [it for name in coming if (it := inputs.topology.endpoint(name)) is not None and not it.has_names]
    if not named and not edited:
        return ()
    evidence = freshest(inputs.signals, wall=inputs.wall, max_age=max_signal_age)
    notes = [note for endpoint in edited for note in _waiting(endpoint, coming[endpoint.name], evidence)]
    for endpoint in named:
        entry = coming.get(endpoint.name) or (inputs.plan.entry(endpoint.name) if inputs.plan is not None else None)
        if entry is None:
            continue
        words = leading_nowhere(entry.content.targets, evidence)
        notes += [Note("published name resolves to nothing", f"{endpoint.name}: {it}", alarm=True) for it in words]
        notes += _waiting(endpoint, entry, evidence)
    return tuple(notes)


def _waiting(endpoint: Endpoint, entry: Entry, evidence: Mapping[str, Evidence]) -> Iterator[Note]:
    if not set(entry.content.targets).isdisjoint(endpoint.addresses):
        return
    seen = "; ".join(f"{name}: {evidence[name].detail if name in evidence else UNSEEN}" for name in endpoint.addresses)
    which = "a name" if endpoint.has_names else "one of them"
    stays = f"{endpoint.name}: {' '.join(entry.content.targets)} stays until {which} is fit, or pinned"
    yield Note("the older configuration is still published", f"{stays}; {seen}")


def leading_nowhere(targets: tuple[str, ...], evidence: Mapping[str, Evidence]) -> Iterator[str]:
    """Which of the targets are names that resolve to nothing, each in words for a person."""
    for target in filter(hostnames.is_absolute, targets):
        found = evidence.get(target)
        if found is not None and resolves_to_nothing(found):
            observers = ", ".join(view.observer for view in found.views)
            yield f"{target} {NOWHERE}, says {observers}; it stays until another target is fit: {FIX}"
