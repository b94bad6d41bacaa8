"""Act region-dark on real processes, shortened: what hangs, who leaves, and what comes back."""

from typing import Any

import pytest
from drill_process import Finished, finished

from outlast.drill.acts.region_dark import DNS_MAX, FAILOVER_MAX

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The act alone, in a world of its own."""
    return finished(tmp_path_factory.mktemp("dark"), seed=20, acts=["region-dark"])


@pytest.fixture
def groups(drill: Finished) -> dict[str, dict[str, Any]]:
    """The figures of each group."""
    return {group["group"]: group for group in drill.act("region-dark")["groups"]}


def test_every_expectation_holds_and_nothing_is_left(drill: Finished) -> None:
    """Processes that were stopped are ended like all others."""
    failed = [item for item in drill.act("region-dark")["expectations"] if not item["held"]]

    assert ([], 0, {}, []) == (failed, drill.status, drill.left, drill.folders), drill.output


def test_dns_leaves_the_region_in_one_step_and_comes_back(drill: Finished) -> None:
    """Both regions, then the one that answers, then both: no address goes alone, and never none."""
    act = drill.act("region-dark")
    addresses = [len(state["addresses"]) for state in act["dns"] if state["at_s"] >= 0]
    states = [count for count, before in zip(addresses, [None, *addresses], strict=False) if count != before]

    assert ([4, 2, 4], 0) == (states[-3:], act["empty_answers"])


def test_only_clients_with_somewhere_to_go_are_served(groups: dict[str, dict[str, Any]]) -> None:
    """A connection that hangs costs careful clients the outage, and ours one attempt."""
    assert groups["outlast"]["failover_s"] <= FAILOVER_MAX < DNS_MAX
    assert groups["plain"]["availability"] < groups["outlast"]["availability"]
    assert groups["boto3"]["availability"] < groups["boto3+outlast"]["availability"]


def test_what_only_one_region_may_accept_waits_and_arrives_once(groups: dict[str, dict[str, Any]]) -> None:
    """Parked, drained, readable, and in one outbox only; what would have been lost for good is counted."""
    ours = groups["outlast"]

    assert ours["parked"] == ours["drained"] > 0
    # What was made and not answered at the stop was sent elsewhere as well: nobody can know.
    assert (0, 0) == (ours["writes_lost"], ours["writes_duplicated"] - ours["writes_in_doubt"])
    assert 0 <= ours["rpo_writes"] <= ours["writes_acked"]
    assert ours["replication_lag_s"] >= 0
