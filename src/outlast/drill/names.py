"""The names under which things are known in the drill. `.test` is nobody's (RFC 6761)."""

from typing import NamedTuple


class Names(NamedTuple):
    """An act's zone and its endpoints."""

    zone: str
    east: str
    west: str


HISTORY = Names("history.test", "dynamodb.us-east-1.history.test", "dynamodb.us-west-2.history.test")
FENCED = Names("fenced.test", "dynamodb.us-east-1.fenced.test", "dynamodb.us-west-2.fenced.test")

GROUPS = ("plain", "plain-two-regions")
ENACTORS = ("enactor-a", "enactor-b", "enactor-c")
HAZARDS = ("hazard-a", "hazard-b", "hazard-c")
PROBER = "prober"
OPERATOR = "operator"
REALM = "drill"
