"""Reads a drill script; all that is wrong with it is told at once, each fault with its place."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import dns.exception
import dns.name

from outlast.drill.replay.script import (
    ANSWERS,
    AWS_2025,
    BYTES_MAX,
    DIED,
    EFFECTS,
    ENACTORS_MAX,
    ENDPOINTS_MAX,
    OUTLAST,
    PLANNER,
    STEPS_MAX,
    VERSION,
    ZONE,
    Script,
    Step,
    effects_of,
)
from outlast.errors import InvalidConfig, did_you_mean
from outlast.incidents.plan import is_harmless

KEEP_MAX = 100
STEP_KEYS = {item.name: item.default is MISSING and item.default_factory is MISSING for item in fields(Step)}
"""The keys of a step, and whether each must be there."""
HEAD_KEYS = ("version", *(item.name for item in fields(Script)))


def read(path: Path) -> Script:
    """Read a script that `outlast verify --script` wrote.

    Raises:
        InvalidConfig: It cannot be read, or lists everything that is wrong in it.

    """
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InvalidConfig((f"{path}: larger than {BYTES_MAX} bytes: this is no drill script",))
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidConfig((f"{path}: {error.strerror}; write one with outlast verify --script",)) from error
    except ValueError as error:
        raise InvalidConfig((f"{path}: not JSON: {error}",)) from error
    return parse(document, str(path))


def parse(document: Any, place: str) -> Script:
    """Build a script from JSON's values; `place` is what faults begin with.

    Raises:
        InvalidConfig: Lists everything that is wrong in it.

    """
    faults = tuple(_head_faults(document)) or tuple(_step_faults(document))
    if faults:
        raise InvalidConfig(tuple(f"{place}: {fault}" for fault in faults))
    return Script(
        protocol=document["protocol"],
        enactors=document["enactors"],
        endpoints=tuple(document["endpoints"]),
        keep=document["keep"],
        shows=document["shows"],
        steps=tuple(_step(item) for item in document["steps"]),
    )


def _step(item: dict[str, Any]) -> Step:
    maps = {key: {name: tuple(found) for name, found in item.get(key, {}).items()} for key in ("dns", "configured")}
    return Step(**{**item, **maps})


def _head_faults(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield "a JSON object is expected"
        return
    if document.get("version") != VERSION:
        yield f"version = {document.get('version')!r}: this outlast plays version {VERSION}; write the script anew"
        return
    yield from (f"{key}: unknown{did_you_mean(key, HEAD_KEYS)}" for key in document if key not in HEAD_KEYS)
    missing = [key for key in HEAD_KEYS if key not in document]
    yield from (f"{key}: missing" for key in missing)
    if missing:
        return
    protocol = document["protocol"]
    if not isinstance(protocol, str) or protocol not in EFFECTS:
        yield f"protocol = {protocol!r}: unknown{did_you_mean(str(protocol), EFFECTS)}: one of {', '.join(EFFECTS)}"
    yield from _count_fault("enactors", document["enactors"], ENACTORS_MAX)
    yield from _count_fault("keep", document["keep"], KEEP_MAX)
    yield from _endpoint_faults(document["endpoints"], 1 if protocol == OUTLAST else ENDPOINTS_MAX)
    if not isinstance(document["shows"], str):
        yield "shows: a text is expected"
    steps = document["steps"]
    if not isinstance(steps, list) or not 0 < len(steps) <= STEPS_MAX:
        yield f"steps: a list of 1 to {STEPS_MAX} steps is expected"


def _count_fault(key: str, value: Any, highest: int) -> Iterator[str]:
    if type(value) is not int or not 1 <= value <= highest:
        yield f"{key} = {value!r}: a whole number from 1 to {highest} is expected"


def _endpoint_faults(names: Any, highest: int) -> Iterator[str]:
    if not isinstance(names, list) or not 1 <= len(names) <= highest or len(set(map(str, names))) != len(names):
        yield f"endpoints: a list of 1 to {highest} different names is expected"
        return
    yield from (f"endpoints: {name!r} is no name in the zone {ZONE}" for name in names if not _is_endpoint(name))


def _is_endpoint(name: Any) -> bool:
    try:
        return isinstance(name, str) and name.endswith(f".{ZONE}") and len(dns.name.from_text(name)) == 3
    except dns.exception.DNSException:
        return False


def _step_faults(document: dict[str, Any]) -> Iterator[str]:
    blank = {key: document[key] for key in ("protocol", "enactors", "keep", "shows")}
    script = Script(**blank, endpoints=tuple(document["endpoints"]), steps=())
    if script.protocol == OUTLAST and not any(
        isinstance(it, dict) and it.get("configured") for it in document["steps"]
    ):
        yield "steps: none says what is configured: the planner has nothing to plan"
    for number, item in enumerate(document["steps"], 1):
        yield from (f"step {number}: {fault}" for fault in _faults_of(item, script))


def _faults_of(item: Any, script: Script) -> Iterator[str]:
    if not isinstance(item, dict):
        yield "a JSON object is expected"
        return
    yield from (f"{key}: unknown{did_you_mean(key, STEP_KEYS)}" for key in item if key not in STEP_KEYS)
    missing = [key for key, is_needed in STEP_KEYS.items() if is_needed and key not in item]
    yield from (f"{key}: missing" for key in missing)
    if missing:
        return
    actor, effect, answer = item["actor"], item["effect"], item["answer"]
    if not isinstance(item.get("words", ""), str):
        yield "words: a text is expected"
    if actor not in script.actors:
        yield f"actor {actor!r}: unknown{did_you_mean(str(actor), script.actors)}: one of {', '.join(script.actors)}"
    else:
        known = effects_of(script.protocol, actor)
        yield from _name_fault(f"effect of {actor}", effect, known)
    yield from _name_fault("answer", answer, {*ANSWERS[script.protocol], DIED})
    yield from (
        f"{key}: a JSON object is expected" for key in ("fields", "says") if not isinstance(item.get(key, {}), dict)
    )
    yield from (
        f"{key}: {fault}" for key in ("dns", "configured") for fault in _address_faults(item.get(key, {}), script)
    )
    yield from _planner_faults(item, script)


def _name_fault(what: str, name: Any, known: frozenset[str] | set[str]) -> Iterator[str]:
    if not isinstance(name, str) or name not in known:
        yield f"{what} {name!r}: unknown{did_you_mean(str(name), known)}: one of {', '.join(sorted(known))}"


def _address_faults(found: Any, script: Script) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield "a JSON object of lists of addresses is expected"
        return
    for name, addresses in found.items():
        if name not in script.endpoints:
            yield f"{name!r} is none of the endpoints{did_you_mean(name, script.endpoints)}"
        if not isinstance(addresses, list) or not all(_is_ours(address) for address in addresses):
            yield f"{name}: a list of IPv4 addresses of loopback or documentation (RFC 5737) is expected"


def _is_ours(address: Any) -> bool:
    return isinstance(address, str) and is_harmless(address) and str(ipaddress.ip_address(address)) == address


def _planner_faults(item: dict[str, Any], script: Script) -> Iterator[str]:
    # The planner of 2025 is started anew for each plan: with its number, and with what every endpoint shall have.
    if script.protocol != AWS_2025 or item["actor"] != PLANNER:
        return
    given = item.get("fields", {})
    if isinstance(given, dict) and (type(given.get("plan")) is not int or not 1 <= given["plan"] <= 999_999):
        yield f"fields: plan = {given.get('plan')!r}: the number of the plan, from 1 to 999999, is expected"
    configured = item.get("configured", {})
    if isinstance(configured, dict) and any(not configured.get(name) for name in script.endpoints):
        yield "configured: addresses for each endpoint are expected"
