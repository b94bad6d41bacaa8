"""The lines that say what each piece bought."""

from typing import Any

from outlast.drill.ablation import lines_of
from outlast.drill.score import ActScore, GroupScore


def group(name: str, **figures: Any) -> GroupScore:
    """A group's score in which only what is given matters."""
    absent: dict[str, Any] = dict.fromkeys(GroupScore.__dataclass_fields__)
    return GroupScore(**{**absent, "longest_outage_s": 0.0, "parked": 0, "drained": 0, **figures, "group": name})


def act(*groups: GroupScore) -> ActScore:
    """An act of these groups."""
    fields: dict[str, Any] = {**dict.fromkeys(ActScore.__dataclass_fields__), "groups": groups}
    return ActScore(**fields)


def test_each_group_is_compared_with_the_one_that_has_a_piece_less() -> None:
    """Points of availability over the base; the base itself has nothing of ours."""
    found = lines_of(
        act(
            group("plain", availability=0.3, attempts_per_call=6.0, longest_outage_s=20.5),
            group("resolver", availability=0.9, attempts_per_call=1.5),
            group("outlast", availability=1.0, attempts_per_call=1.01, parked=3, drained=2),
        )
    )

    assert [
        "plain: 30.0% answered, longest outage 20.5 s, 6.00 attempts per call; nothing of ours",
        "resolver: 90.0% answered, longest outage 0 s, 1.50 attempts per call; our resolver bought +60.0 points over plain",
        (
            "outlast: 100.0% answered, longest outage 0 s, 1.01 attempts per call, "
            "3 writes parked and 2 of them drained; policy, regions and queue bought +10.0 points over resolver"
        ),
    ] == found


def test_where_nothing_was_counted_nothing_was_bought() -> None:
    """A group without calls, and one without its base, claim nothing."""
    found = lines_of(act(group("boto3"), group("boto3+outlast", availability=1.0)))

    assert [
        "boto3: nothing counted, longest outage 0 s; nothing of ours",
        "boto3+outlast: 100.0% answered, longest outage 0 s; nothing of ours",
    ] == found
