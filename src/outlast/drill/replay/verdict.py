"""What a played script has shown, as claims that held or did not.

Judged by what was seen from outside and by the name server's journal, not by what the roles think. Once the script is over everybody runs freely. The automation of 2025 then tries to mend the record and is refused, for as
long as anybody looks; ours makes its passes and leaves what is right alone.
"""

import itertools
import time
from typing import NamedTuple

from outlast.drill.evidence import Version
from outlast.drill.expectation import at_least, at_most, true
from outlast.drill.replay.play import Seen
from outlast.drill.replay.script import AWS_2025
from outlast.drill.replay.world import Answer, World
from outlast.drill.score import Expectation, empty_versions, first_empty, regressions

WATCH_SECONDS = 1.5
"""How long DNS is watched once everybody runs freely: some twenty passes of each enactor."""
TRIES_SECONDS = 15.0
"""For every enactor to have tried."""
TRIES = 2
"""Passes that each enactor begins before anything is judged: the first of two is whole."""
SAMPLE_EVERY = 0.02


class Aftermath(NamedTuple):
    """What came after the script, when everybody ran freely: from when on, who tried how often, what DNS answered."""

    since: float
    tries: dict[str, int]
    samples: list[Answer]


def judge(world: World, made: list[Seen]) -> tuple[Expectation, ...]:
    """Let everybody run, watch DNS, and judge all that was seen."""
    after = _aftermath(world)
    world.evidence.poll()
    count = len(world.script.steps)
    said = at_least("steps that were made as the explorer says", len(made), count, unit=f"of {count}")
    tried = at_least("tries of each enactor once all run freely", min(after.tries.values()), TRIES)
    judged = _stuck if world.script.protocol == AWS_2025 else _refused
    return (said, *judged(world, made, after), tried)


def verdict_of(protocol: str, expectations: tuple[Expectation, ...]) -> str:
    """All of it in a sentence."""
    if not all(expectation.held for expectation in expectations):
        return "NOT AS TOLD: what was expected did not come about"
    if protocol == AWS_2025:
        return "EMPTY AND STUCK: DNS answers nothing, and nothing that the automation does changes that"
    return (
        "REFUSED: the provider refuses what was decided on old knowledge, and DNS has an answer from its first write on"
    )


def _aftermath(world: World) -> Aftermath:
    since = time.monotonic()
    world.read_traces()
    marks = {name: len(world.ended[name]) for name in world.script.enactor_names}
    wanted = "InstallRefused" if world.script.protocol == AWS_2025 else "KnownRead"

    def tries() -> dict[str, int]:
        world.read_traces()
        return {
            name: sum(line["answer"] == wanted for line in world.ended[name][mark:]) for name, mark in marks.items()
        }

    world.let_all_run()
    world.wait_for(lambda: min(tries().values()) >= TRIES, TRIES_SECONDS)
    samples: list[Answer] = []
    until = time.monotonic() + WATCH_SECONDS
    while time.monotonic() < until:
        world.crew.check()
        samples += (world.ask(endpoint) for endpoint in world.script.endpoints)
        time.sleep(SAMPLE_EVERY)
    return Aftermath(since, tries(), samples)


def _versions(world: World) -> dict[str, list[Version]]:
    return {endpoint: world.evidence.versions(endpoint) for endpoint in world.script.endpoints}


# --------------------------------------------------------------------------------------------- of 2025: it is stuck


def _stuck(world: World, made: list[Seen], after: Aftermath) -> tuple[Expectation, ...]:
    answered = [any(answer.addresses for answer in seen.dns.values()) for seen in made]
    emptied = [name for name, versions in _versions(world).items() if first_empty(versions) is not None]
    refused = [it for it in world.evidence.refusals(since=after.since) if it.key in world.script.enactor_names]
    dark = [sample for sample in after.samples if not sample.addresses]
    return (
        true(
            "DNS has an answer, and has none after the last step",
            f"{sum(answered)} of {len(made)} steps end with an answer; emptied, by the name server's journal: "
            f"{', '.join(emptied) or 'nothing'}",
            held=any(answered) and bool(emptied) and _is_dark_at_the_end(made),
        ),
        at_least(
            "transactions of the automation refused once all run freely",
            len(refused),
            len(world.script.enactor_names),
            unit=f"({refused[0].reason})" if refused else "",
        ),
        at_least(
            "empty answers of the emptied record meanwhile",
            len(dark),
            max(1, len(after.samples) // len(world.script.endpoints)),
            unit=f"of {len(after.samples)}",
        ),
    )


def _is_dark_at_the_end(made: list[Seen]) -> bool:
    return any(not answer.addresses for answer in made[-1].dns.values())


# -------------------------------------------------------------------------------------------- ours: it is refused


def _refused(world: World, made: list[Seen], after: Aftermath) -> tuple[Expectation, ...]:
    told = sum(seen.step.answer == "Conflict" for seen in made)
    refused = [it for it in world.evidence.refusals() if it.key in world.script.enactor_names]
    found = [version for versions in _versions(world).values() for version in versions]
    from_outside = [answer for seen in made for answer in seen.dns.values()] + after.samples
    first = next((at for at, answer in enumerate(from_outside) if answer.addresses), len(from_outside))
    seen_since = from_outside[first:]
    generations = [answer.generation for answer in seen_since]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(generations))
    return (
        at_least(
            "transactions that the name server refused, by its journal",
            len(refused),
            max(1, told),
            unit=f"({', '.join(sorted({it.rcode for it in refused})) or 'none'})",
        ),
        at_least("answers with an address seen from outside", len(seen_since), 1),
        at_most(
            "empty answers after the first address", sum(not answer.addresses for answer in seen_since), 0,
            unit=f"of {len(seen_since)}",
        ),
        at_most("answers with an older generation than before", backwards, 0, unit=f"of {len(seen_since)}"),
        at_most("zone versions without an address, after the first with one", empty_versions(found), 0, unit=f"of {len(found)}"),
        at_most("zone versions with an older generation", regressions(found), 0, unit=f"of {len(found)}"),
    )  # fmt: skip
