"""boto3's client of Route 53: its face, how it is made, and what its errors say about what was done.

boto3 is not imported here but loaded by name, so that only who uses Route 53 needs it. Its own retries are switched off:
they would send a change again after a lost reply.
"""

from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

from outlast.errors import Unavailable
from outlast.policy.transient import read_aws_code

CONNECTIONS = 4
"""Calls under way at once; at five a second more would only wait."""

SIGNING_REGION = "us-east-1"
"""Route 53 has no regions; where none is configured, requests are signed for this one (AWS General Reference, "Amazon
Route 53 endpoints and quotas"). A configured one still chooses the partition, such as China's."""

_PUT_OFF = {"PriorRequestNotComplete", "Throttling", "ThrottlingException", "RequestThrottled", "RequestLimitExceeded"}
_UNSENT = {
    *("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError", "ParamValidationError"),
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
    *("ProfileNotFound", "ConfigNotFound", "NoRegionError", "SSOTokenLoadError", "UnauthorizedSSOTokenError"),
}
"""botocore's errors from before a request: nothing can have arrived."""


class Route53Client(Protocol):
    """The few methods of boto3's client that we use, each with its requests' own names."""

    def change_resource_record_sets(self, **request: Any) -> Any: ...

    def list_resource_record_sets(self, **request: Any) -> Any: ...

    def get_change(self, **request: Any) -> Any: ...

    def create_health_check(self, **request: Any) -> Any: ...


class ApiError(Exception):
    """What a stand-in for boto3's client raises, in the shape of botocore's `ClientError`."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.response: dict[str, Any] = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }


class Doom(StrEnum):
    """What became of a request that brought no result."""

    PUT_OFF = "refused for now"
    INVALID = "the change batch is not valid as things stand"
    REFUSED = "refused"
    UNSENT = "never sent"
    SILENT = "sent, and no answer that tells what was done"


class Failure(Unavailable):
    """A request brought no result; the message has Route 53's code and words."""

    def __init__(self, doom: Doom, detail: str) -> None:
        super().__init__(detail, hint=_HINTS[doom])
        self.doom = doom


_HINTS = {
    Doom.PUT_OFF: "too many requests in the account, or changes in the zone; fewer enactors, or longer intervals",
    Doom.INVALID: "",
    Doom.REFUSED: "look at the credentials' policy and at the zone's id",
    Doom.UNSENT: "look at the network, and at the credentials that boto3 finds",
    Doom.SILENT: "Route 53's API does not answer; what it has answered stays in DNS",
}


def judge(error: Exception) -> Failure:
    """What an error of the client means; in doubt, that the request may have been carried out."""
    code = read_aws_code(error)
    if not code:
        doom = Doom.UNSENT if type(error).__name__ in _UNSENT else Doom.SILENT
        return Failure(doom, f"{type(error).__name__}: {error}")
    facts = getattr(error, "response", {})
    message = f"{code}: {facts['Error'].get('Message', '')}"
    if code in _PUT_OFF:
        return Failure(Doom.PUT_OFF, message)
    if facts.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) >= 500:
        return Failure(Doom.SILENT, message)
    return Failure(Doom.INVALID if code == "InvalidChangeBatch" else Doom.REFUSED, message)


class Connection(NamedTuple):
    """A client, and the families of errors that it raises."""

    client: Route53Client
    errors: tuple[type[Exception], ...]


def is_installed() -> bool:
    """Whether boto3 can be imported."""
    return find_spec("boto3") is not None


def connect(*, endpoint_url: str, timeout: float) -> Connection:
    """Make boto3's client, with credentials from its usual chain.

    Raises:
        Failure: It cannot be made: a profile that does not exist, a broken configuration.

    """
    # By name, so that nothing here imports what only the extra brings.
    errors = import_module("botocore.exceptions")
    families = (errors.BotoCoreError, errors.ClientError)
    config = import_module("botocore.config").Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )
    try:
        session = import_module("boto3").Session()
        region = session.region_name or SIGNING_REGION
        client = session.client("route53", region_name=region, endpoint_url=endpoint_url or None, config=config)
    except families as error:
        raise Failure(Doom.UNSENT, f"{type(error).__name__}: {error}") from error
    return Connection(client, families)
