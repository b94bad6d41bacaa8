"""Both acts on real processes, shortened: what they must bring about, and the JSON they leave."""

from pathlib import Path
from typing import Any

import pytest
from drill_process import Finished, finished

import outlast
from outlast.drill import scale

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RESULT_KEYS = {"scenario", "seed", "factors", "seconds", "version", "acts"}
ACT_KEYS = {
    "name",
    "proves",
    "seconds",
    "groups",
    "samples",
    "zone_versions",
    "empty_answers",
    "empty_seconds",
    "generation_regressions",
    "stale_refused",
    "stuck_transactions",
    "first_success_after_repair_s",
    "expectations",
    "story",
    "endpoint",
    "phases",
    "dns",
}
GROUP_KEYS = {
    "group",
    "calls",
    "resolving_calls",
    "availability",
    "availability_resolving",
    "longest_outage_s",
    "attempts_per_call",
    "dns_queries_per_call",
    "new_connections",
    "p50_ms",
    "p99_ms",
    "seconds",
    "parked",
    "drained",
    "drain_seconds",
    "writes_acked",
    "writes_lost",
    "writes_duplicated",
    "writes_in_doubt",
    "failover_s",
    "rpo_writes",
    "replication_lag_s",
    "queue",
}
GROUPS = ["plain", "plain-two-regions", "resolver", "outlast", "boto3", "boto3+outlast"]


def failed(act: dict[str, Any]) -> list[dict[str, Any]]:
    """The expectations that did not hold."""
    return [item for item in act["expectations"] if not item["held"]]


def test_every_expectation_holds_and_nothing_is_left(both_acts: Finished) -> None:
    """Status 0, no process, no folder, and the last line says so."""
    assert [] == [item for act in both_acts.result["acts"] for item in failed(act)], both_acts.output
    assert (0, {}, []) == (both_acts.status, both_acts.left, both_acts.folders)
    assert "every expectation held" in both_acts.output.splitlines()[-1]


def test_json_has_the_keys_that_were_promised(both_acts: Finished) -> None:
    """The shape is a contract: every key, on every level, and none besides."""
    result = both_acts.result
    groups = [group for act in result["acts"] for group in act["groups"]]

    assert (RESULT_KEYS, "us-east-1-2025", 20, outlast.__version__) == (
        set(result),
        result["scenario"],
        result["seed"],
        result["version"],
    )
    assert ["history", "fenced"] == [act["name"] for act in result["acts"]]
    assert [ACT_KEYS, ACT_KEYS] == [set(act) for act in result["acts"]]
    assert [GROUPS] * len(result["acts"]) == [[group["group"] for group in act["groups"]] for act in result["acts"]]
    assert [GROUP_KEYS] * len(groups) == [set(group) for group in groups]
    assert {"second", "calls", "ok"} == {key for group in groups for second in group["seconds"] for key in second}
    assert {"claim", "measured", "held"} == {k for act in result["acts"] for item in act["expectations"] for k in item}
    assert {"at_s", "phase", "text"} == {key for act in result["acts"] for sentence in act["story"] for key in sentence}


def test_per_second_series_add_up(both_acts: Finished) -> None:
    """Every call stands in exactly one second, within the rate that was set."""
    for act in both_acts.result["acts"]:
        for group in act["groups"]:
            seconds = group["seconds"]
            answered = sum(second["ok"] for second in seconds)

            assert group["calls"] == sum(second["calls"] for second in seconds)
            assert group["availability"] == round(answered / group["calls"], 4)
            # No call is missing: one that was never reported would leave its second short.
            rate = scale.rate_of(scale.SHORT, group["group"])
            assert [] == [s for s in seconds[:-1] if abs(s["calls"] - rate) > 1]
            assert list(range(len(seconds))) == [second["second"] for second in seconds]
            # The last second has begun, and may end before its first call.
            assert len(seconds) >= int(act["seconds"])


def test_history_goes_empty_and_sticks_and_its_clients_stay_dark(both_acts: Finished) -> None:
    """The record went empty, at least three transactions were refused, and plain clients were dark until after the repair."""
    act = both_acts.act("history")
    plain = next(group for group in act["groups"] if group["group"] == "plain")
    two_regions = next(group for group in act["groups"] if group["group"] == "plain-two-regions")

    assert act["empty_answers"] > 0
    assert act["empty_seconds"] >= scale.SHORT.empty
    assert act["generation_regressions"] >= 1
    assert act["stuck_transactions"] >= 3
    assert act["first_success_after_repair_s"] <= scale.SHORT.negative_ttl + 1
    assert plain["longest_outage_s"] >= scale.SHORT.empty - scale.CONNECTION_AGE - scale.RECORD_TTL
    assert plain["availability"] < two_regions["availability"]


def test_history_shows_what_each_piece_is_worth(both_acts: Finished) -> None:
    """Remembered addresses help while somebody listens there; with somewhere else to go and a policy nothing is noticed."""
    act = both_acts.act("history")
    groups = {group["group"]: group for group in act["groups"]}

    assert groups["plain"]["availability"] < groups["resolver"]["availability"] < groups["outlast"]["availability"]
    assert groups["boto3"]["availability"] < groups["boto3+outlast"]["availability"]
    assert groups["outlast"]["availability"] >= 0.99
    assert groups["outlast"]["failover_s"] is not None
    assert [None] * 6 == [group["rpo_writes"] for group in act["groups"]]


def test_no_write_is_lost_or_made_twice_by_ours(both_acts: Finished) -> None:
    """Everything that was acknowledged or parked is found in a region at the end, and taken for new by one alone."""
    for act in both_acts.result["acts"]:
        ours = [group for group in act["groups"] if group["group"] in ("resolver", "outlast", "boto3+outlast")]

        assert [(0, 0)] * 3 == [(group["writes_lost"], group["writes_duplicated"]) for group in ours]
        assert all(group["writes_acked"] > 0 for group in ours)
        assert [group["parked"] for group in ours] == [group["drained"] for group in ours]


def test_fenced_refuses_the_stale_write_and_nothing_goes_empty_or_back(both_acts: Finished) -> None:
    """At least one refusal, no empty answer, no regression."""
    act = both_acts.act("fenced")

    assert act["stale_refused"] >= 1
    assert (0, 0.0, 0) == (act["empty_answers"], act["empty_seconds"], act["generation_regressions"])
    assert act["samples"] >= scale.SHORT.samples


def test_output_says_what_was_forced_and_smaller(both_acts: Finished) -> None:
    """Every factor of the JSON is printed, "forced" among them, and each act's sentence."""
    printed = both_acts.output
    factors = both_acts.result["factors"]

    assert [] == [name for name, text in factors.items() if f"{name}: {text}" not in printed]
    assert "forced" in factors["interleaving"]
    assert [] == [act["name"] for act in both_acts.result["acts"] if f"{act['name']}: {act['proves']}" not in printed]


def test_story_is_told_in_order(both_acts: Finished) -> None:
    """Sentences come in the order of their times, and every one was printed as it happened."""
    for act in both_acts.result["acts"]:
        times = [sentence["at_s"] for sentence in act["story"]]

        assert sorted(times) == times
        assert [] == [item["text"] for item in act["story"] if item["text"] not in both_acts.output]


@pytest.mark.long
def test_without_the_fence_a_stale_write_lands_and_the_drill_fails(tmp_path: Path) -> None:
    """The same act with the prerequisites taken out: DNS goes back, status 1, and the failed claims are named."""
    drill = finished(tmp_path, seed=7, acts=["fenced"], fence=False)
    act = drill.act("fenced")
    claims = [item["claim"] for item in failed(act)]

    assert (1, {}, []) == (drill.status, drill.left, drill.folders)
    # Not that nothing is refused: what unfenced writers read just before they send can be stale by then, too.
    assert act["generation_regressions"] >= 1, drill.output
    assert any("older generation" in claim for claim in claims)
    assert [] == [claim for claim in claims if f"FAILED fenced: {claim}" not in drill.output]
    assert f"{len(claims)} expectations failed" in drill.output


@pytest.mark.long
def test_where_only_one_address_exists_the_act_is_the_same_and_says_so(tmp_path: Path) -> None:
    """Addresses are mapped to ports by one dialer; every expectation holds; the factor tells."""
    drill = finished(tmp_path, seed=9, acts=["fenced"], one_address=True)

    assert ([], 0, {}) == (failed(drill.act("fenced")), drill.status, drill.left), drill.output
    assert "only 127.0.0.1 here" in drill.result["factors"]["addresses"]
    assert "only 127.0.0.1 here" in drill.output
