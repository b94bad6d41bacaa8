"""The hazard automation's moves in plain words."""

from typing import Any

from outlast.incidents import protocol as m


def tell(_: str, what: Any) -> str:
    """One move, without who makes it."""
    match what:
        case ("publishes", number):
            return f"publishes plan {number}"
        case ("crash", effect):
            return f"dies before it {_asks(effect)}, and begins anew"
        case (effect, event, draws):
            told = _reply(event)
            return f"{_asks(effect)}{f': {told}' if told else ''}{' (its reply is lost)' if draws else ''}"
    raise AssertionError(f"no words for {what!r}")


def _asks(effect: m.Effect) -> str:
    match effect:
        case m.FetchLatestPlan():
            return "fetches the latest plan"
        case m.ReadTop(plan=plan):
            return f"checks, once, whether plan {plan} is newer than what is live"
        case m.BuildTree(plan=plan):
            return f"builds the tree of plan {plan}"
        case m.ReadLock():
            return "reads the lock"
        case m.AcquireLock():
            return "takes the lock"
        case m.ReadActive():
            return "reads what is live, for the rollback alias"
        case m.Install(plan=plan):
            return f"flips the top alias to plan {plan}"
        case m.ReleaseLock():
            return "releases the lock"
        case m.ListTrees():
            return "lists the trees, to clean up"
        case m.DeleteTree(plan=plan, tree=tree):
            return f"deletes the tree of plan {tree}, old beside its own plan {plan}"
        case m.Wake():
            return "waits for the lock"
    return type(effect).__name__


def _reply(event: m.Event) -> str:
    match event:
        case m.PlanFound(plan=plan):
            return f"plan {plan.number}" if plan is not None else "none"
        case m.TopRead(target=target):
            return f"plan {target} is live" if target is not None else "nothing is live"
        case m.LockRead(value=value, is_expired=is_expired):
            return "free" if not value else "expired" if is_expired else "held"
        case m.LockLost():
            return "somebody else has it"
        case m.InstallRefused(reason=reason) | m.Failed(reason=reason):
            return f"refused, {reason}"
        case m.TreesListed(numbers=numbers):
            return " ".join(map(str, numbers))
    return ""


def answer(names: tuple[str, ...], answers: tuple[str, ...]) -> str:
    """What DNS answers: for each endpoint the addresses of which plan."""
    told = [f"the addresses of {found}" if found.startswith("plan") else "no address" for found in answers]
    return told[0] if len(told) == 1 else ", ".join(f"{name}: {text}" for name, text in zip(names, told, strict=True))
