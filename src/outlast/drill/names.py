"""The names under which things are known in the drill. `.test` is nobody's (RFC 6761)."""

from typing import NamedTuple


class Names(NamedTuple):
    """An act's zone and its endpoints."""

    zone: str
    east: str
    west: str


HISTORY = Names("history.test", "dynamodb.us-east-1.history.test", "dynamodb.us-west-2.history.test")
FENCED = Names("fenced.test", "dynamodb.us-east-1.fenced.test", "dynamodb.us-west-2.fenced.test")
DARK = Names("dark.test", "kv.us-east-1.dark.test", "kv.us-west-2.dark.test")
EVERYWHERE = "kv.dark.test"
"""The endpoint of *region-dark* that has targets in both regions."""

GROUPS = ("plain", "plain-two-regions", "resolver", "outlast", "boto3", "boto3+outlast")
"""Groups of clients, each named as its kind: an ablation, piece by piece."""
TABLE_GROUPS = frozenset({"boto3", "boto3+outlast"})
"""Those that call the DynamoDB stand-ins; the others call the services."""
TABLE = "kv"
"""The stand-ins' one table."""
ENACTORS = ("enactor-a", "enactor-b", "enactor-c")
HAZARDS = ("hazard-a", "hazard-b", "hazard-c")
PLANNERS = ("planner-east", "planner-west")
PROBERS = ("prober-east", "prober-west", "prober-third")
JANITOR = "janitor"
ROLES = (*PLANNERS, *ENACTORS, JANITOR, *PROBERS)
"""Our control plane."""
OPERATOR = "operator"
REALM = "drill"
