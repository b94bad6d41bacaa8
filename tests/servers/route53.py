"""The strict Route 53 in memory behind the API's own wire, so that boto3 and the commands talk to it as to the real one.

Only what is asked for here: XML of the version 2013-04-01 in and out, and the service's errors.
"""

import http.server
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from outlast.provider.memory import MemoryRoute53
from outlast.provider.route53_client import ApiError

SPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
LISTS = {"Changes", "ResourceRecords", "ChildHealthChecks", "ResourceRecordSets"}
"""Elements whose children are the items of a list, each named like it in the singular."""
NUMBERS = {"TTL", "Weight", "Port", "RequestInterval", "FailureThreshold", "HealthThreshold"}
FLAGS = {"EvaluateTargetHealth", "EnableSNI", "Inverted", "IsTruncated"}


def read(element: ET.Element) -> Any:
    """An element as boto3's caller had written it."""
    name = element.tag.rpartition("}")[2]
    if name in LISTS:
        return [read(child) for child in element]
    if len(element):
        return {child.tag.rpartition("}")[2]: read(child) for child in element}
    text = element.text or ""
    return int(text) if name in NUMBERS else text == "true" if name in FLAGS else text


def write(name: str, value: Any) -> str:
    """A value as the API's XML."""
    element = ET.Element(name, {"xmlns": SPACE})
    _fill(element, value)
    return ET.tostring(element, encoding="unicode")


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _fill(ET.SubElement(element, key), item)
    elif isinstance(value, list):
        for item in value:
            _fill(ET.SubElement(element, element.tag.removesuffix("s")), item)
    else:
        element.text = str(value).lower() if isinstance(value, bool) else str(value)


class Served(NamedTuple):
    """A Route 53 on loopback."""

    url: str
    aws: MemoryRoute53


@contextmanager
def route53(aws: MemoryRoute53) -> Iterator[Served]:
    """Serve it until the block ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(aws))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_address[1]}", aws)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(aws: MemoryRoute53) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            try:
                status, text = 200, _called(aws, self.path, body)
            except ApiError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                text = write("ErrorResponse", {"Error": {"Type": "Sender", **error.response["Error"]}})
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def _called(aws: MemoryRoute53, target: str, body: bytes) -> str:
    parts = urlsplit(target)
    words = parts.path.strip("/").split("/")[1:]
    request = read(ET.fromstring(body)) if body else {}
    match words:
        case ["hostedzone", zone_id, "rrset"] if body:
            answer = aws.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=request["ChangeBatch"])
            return write("ChangeResourceRecordSetsResponse", answer)
        case ["hostedzone", zone_id, "rrset"]:
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            names = {"name": "StartRecordName", "type": "StartRecordType", "identifier": "StartRecordIdentifier"}
            start = {names[key]: value for key, value in asked.items() if key in names}
            answer = aws.list_resource_record_sets(HostedZoneId=zone_id, MaxItems=asked["maxitems"], **start)
            return write("ListResourceRecordSetsResponse", {**answer, "MaxItems": asked["maxitems"]})
        case ["change", change_id]:
            return write("GetChangeResponse", aws.get_change(Id=f"/change/{change_id}"))
        case ["healthcheck"]:
            answer = aws.create_health_check(**request)
            return write(
                "CreateHealthCheckResponse", {"HealthCheck": {**answer["HealthCheck"], "HealthCheckVersion": 1}}
            )
    raise AssertionError(target)
