"""The stops of a trace of 2025, made by the shipped machines of `outlast` in the explorer's world.

A stop is a moment at which somebody has just done one thing and others go on: read the plan, read what is live, decided,
written, cleaned up. Each has a counterpart in our protocol, except for the lock and for trees, of which it has none. So
the script of 2025 is followed step by step: whoever moves there moves here, up to the counterpart of what was done. What
the machines do on the way, and how the world answers, is theirs; it is recorded as another script.
"""

from collections.abc import Callable
from typing import Any

from outlast.drill.replay.facts import facts_of
from outlast.drill.replay.script import AWS_2025, DIED, JANITOR, OUTLAST, PLANNER, Script, Step
from outlast.errors import Refused
from outlast.simulator.plan_layout import Config, Layout, PlanOptions, topology
from outlast.simulator.plan_protocol import plan_protocol
from outlast.simulator.protocol import Move, Verdict
from outlast.simulator.tracing import Line, told
from outlast.simulator.tracing import Step as Made
from outlast.traffic import messages as m
from outlast.traffic.content import addresses_in

MOVES_MAX = 100
"""Moves that one stop may take: several passes of the janitor take about twenty."""
KEEP = 1
"""Plans that the explorer's janitor keeps: the harshest there is."""

Reached = Callable[[m.Effect], bool]


class Stops:
    """Our machines, led from stop to stop of a script of 2025.

    Args:
        script: The script of 2025.

    Raises:
        Refused: It has several endpoints, whose enactors our explorer keeps apart.

    """

    def __init__(self, script: Script) -> None:
        if script.protocol != AWS_2025:
            raise Refused("stops are those of an aws-2025 script", hint="outlast verify --protocol aws-2025 --script")
        if len(script.endpoints) > 1:
            raise Refused("the stops of one endpoint can be followed", hint="write the script with --endpoints 1")
        self._script = script
        options = PlanOptions(
            enactors=script.enactors, plans=len(script.steps), has_janitor=True, are_named=True, budgets={}
        )
        self._protocol = plan_protocol(options)
        self._layout = Layout(options)
        self._values = list(self._protocol.initial)
        self._agents = {agent.name: agent for agent in self._protocol.agents}
        self._configured: Config | None = None
        self._made: list[Made] = []
        self._steps: list[Step] = []
        self.verdict, self.reason = Verdict.PASS, ""
        self._follow_all()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What was done, in words."""
        return told(self._protocol, self._made)

    @property
    def refused(self) -> int:
        """How many transactions the provider refused."""
        return sum(step.answer == m.Conflict.__name__ for step in self._steps)

    def script(self) -> Script:
        """What was done, as a script of our protocol."""
        return Script(
            protocol=OUTLAST,
            enactors=self._script.enactors,
            endpoints=tuple(place.endpoint for place in self._layout.places),
            keep=KEEP,
            shows=self.reason,
            steps=tuple(self._steps),
        )

    # -------------------------------------------------------------------------------------------------- following

    def _follow_all(self) -> None:
        for step in self._script.steps:
            if self.verdict is Verdict.PASS:
                self._follow(step)
        if self.verdict is Verdict.PASS:
            self.reason = f"no rule is broken; of what slept with what it had read, the provider refuses {self.refused}"

    def _follow(self, step: Step) -> None:
        actor = step.actor
        if step.answer == DIED:
            self._crash(actor)
            return
        match step.effect:
            case "Publish":
                self._move_until(PLANNER, _is_a(m.Publish), changes=self._configured is not None)
            case "FetchLatestPlan":
                self._move_until(actor, _is_a(m.ReadKnown))
            case "ReadTop":
                self._move_until(actor, _is_a(m.ReadLive))
            case "BuildTree":
                # What it has read has led to a decision, and nothing is written yet.
                self._move_before(actor, m.Commit)
            case "Install":
                self._move_until(actor, _is_a(m.Commit))
            case "ReleaseLock":
                self._move_until(actor, _is_a(m.WriteRecord))
            case "ListTrees":
                self._move_until(JANITOR, _is_a(m.ListPlans))
            case "DeleteTree":
                tree = step.fields.get("tree")
                self._move_until(JANITOR, lambda effect: isinstance(effect, m.DeletePlan) and effect.generation == tree)

    def _move_until(self, actor: str, is_reached: Reached, *, changes: bool = False) -> None:
        """Let it move until it has done that; if nothing makes it do that, until its pass is over (the janitor: three)."""
        passes = 3 if actor == JANITOR else 1
        for _ in range(MOVES_MAX):
            effect = self._asked(actor)
            self._move(actor, "plans" if changes and isinstance(effect, m.ReadInputs) else "")
            passes -= self._is_resting(actor)
            if is_reached(effect) or not passes or self.verdict is not Verdict.PASS:
                return
        raise AssertionError(f"{actor} does not come to an end")

    def _move_before(self, actor: str, kind: type) -> None:
        """Let it move until it would do that next, or its pass is over."""
        while not isinstance(self._asked(actor), kind) and self.verdict is Verdict.PASS:
            self._move(actor)
            if self._is_resting(actor):
                return

    def _asked(self, actor: str) -> m.Effect:
        effect: m.Effect = self._values[self._agents[actor].part].effect
        return effect

    def _is_resting(self, actor: str) -> bool:
        part = self._agents[actor].part
        return bool(self._values[part] == self._protocol.initial[part])

    # ----------------------------------------------------------------------------------------------------- moving

    def _move(self, actor: str, draws: str = "") -> None:
        self._make(actor, lambda move: move.draws == draws)

    def _crash(self, actor: str) -> None:
        if not self._is_resting(actor):
            self._make(actor, lambda move: move.draws == "crashes")

    def _make(self, actor: str, fits: Callable[[Move], bool]) -> None:
        agent = self._agents[actor]
        parts = (agent.part, *agent.footprint(self._values[agent.part]))
        move = next(move for move in agent.moves(tuple(self._values[part] for part in parts)) if fits(move))
        for part, value in zip(parts, move.after, strict=True):
            self._values[part] = value
        made = Made(actor, move.what, tuple(self._values))
        self._made.append(made)
        self._steps.append(self._step(made))
        self._judge(move)

    def _judge(self, move: Move) -> None:
        checks = self._protocol.checks
        faults = [move.broken, *(check.fault(tuple(self._values[part] for part in check.parts)) for check in checks)]
        if found := next((fault for fault in faults if fault), ""):
            self.verdict, self.reason = Verdict.FAIL, found

    def _step(self, made: Made) -> Step:
        effect, event = _parts_of(made.what)
        return Step(
            actor=made.actor,
            effect=type(effect).__name__,
            fields=facts_of(OUTLAST, effect),
            answer=type(event).__name__ if event is not None else DIED,
            says=facts_of(OUTLAST, event) if event is not None else {},
            dns=self._dns(),
            configured=self._newly_configured(effect),
            words=self._protocol.tell(made.actor, made.what),
        )

    def _dns(self) -> dict[str, tuple[str, ...]]:
        places = zip(self._layout.places, self._layout.dns, strict=True)
        return {place.endpoint: tuple(sorted(addresses_in(self._values[part].sets))) for place, part in places}

    def _newly_configured(self, effect: m.Effect) -> dict[str, tuple[str, ...]]:
        config: Config = self._values[self._layout.config]
        if not isinstance(effect, m.ReadInputs) or config == self._configured:
            return {}
        self._configured = config
        return {endpoint.name: endpoint.addresses for endpoint in topology(config).endpoints}


def _is_a(kind: type) -> Reached:
    return lambda effect: isinstance(effect, kind)


def _parts_of(what: Any) -> tuple[m.Effect, m.Event | None]:
    match what:
        case ("crash", effect):
            return effect, None
        case (effect, event, _):
            return effect, event
    raise AssertionError(f"no step of a machine: {what!r}")
