"""The lines of a trace."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from outlast.incidents.plan import Endpoint, Plan
from outlast.incidents.protocol import Effect, Event, Failed, FetchLatestPlan, Install, InstallRefused, PlanFound, Wake
from outlast.incidents.trace import Trace, plain, traced


class Sentinel(NamedTuple):
    """A value as other machines have them."""

    gen: int
    holders: frozenset[str]
    raw: bytes


def run(path: Path, effect: Effect, answer: Event | None) -> list[dict[str, object]]:
    """Carry one effect out under a trace and read the lines."""

    async def carry_out(_: Effect) -> Event | None:
        await asyncio.sleep(0)
        return answer

    async def carry_out_once(trace: Trace) -> object:
        return await traced(carry_out, trace=trace)(effect)

    with closing(Trace(path, role="c")) as trace:
        assert answer == asyncio.run(carry_out_once(trace))
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_effect_leaves_a_line_before_and_one_after(tmp_path: Path) -> None:
    """The lines name role, effect, its fields and the answer with its code, and time does not go back."""
    begin, end = run(tmp_path / "t", Install(146, "db.", "c 7", 110), InstallRefused("gone", "REFUSED"))
    before, after = begin.pop("monotonic"), end.pop("monotonic")
    detail = {"plan": 146, "endpoint": "db.", "lock": "c 7", "active": 110}

    assert {"role": "c", "phase": "begin", "effect": "Install", "detail": detail} == begin
    assert {
        "role": "c",
        "phase": "end",
        "effect": "Install",
        "detail": detail,
        "answer": "InstallRefused",
        "result": {"reason": "gone", "rcode": "REFUSED"},
        "rcode": "REFUSED",
    } == end
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before <= after


def test_an_answer_without_a_code_has_none(tmp_path: Path) -> None:
    """Only answers of a server have a response code."""
    _, end = run(tmp_path / "t", FetchLatestPlan(), Failed("disk full"))

    assert (end["answer"], "rcode" in end) == ("Failed", False)


def test_values_are_printed_by_name(tmp_path: Path) -> None:
    """A plan inside an answer is readable in the trace."""
    _, end = run(tmp_path / "t", FetchLatestPlan(), PlanFound(Plan(110, (Endpoint("db.", ("127.0.1.1",)),))))

    assert end["result"] == {"plan": {"number": 110, "endpoints": [{"name": "db.", "addresses": ["127.0.1.1"]}]}}


def test_an_effect_without_an_answer_has_none_in_its_line(tmp_path: Path) -> None:
    """Nothing is invented where nothing was answered."""
    _, end = run(tmp_path / "t", Wake(0.1), None)

    assert "answer" not in end


def test_values_of_any_machine_can_be_printed() -> None:
    """Named tuples, sets, bytes and what lies too deep become something that JSON can say."""
    deep: object = "x"
    for _ in range(20):
        deep = [deep]

    assert plain(Sentinel(7, frozenset("ba"), b"x")) == {"gen": 7, "holders": ["a", "b"], "raw": "b'x'"}
    assert len(json.dumps(plain({"deep": deep}))) < 200
