"""The files that the drill's processes are configured with: what a user would write, with a drill's short intervals."""

import json
from collections.abc import Mapping
from pathlib import Path

from outlast.drill import scale
from outlast.drill.addresses import REGIONS
from outlast.drill.names import DARK, ENACTORS, EVERYWHERE, FENCED, HISTORY, REALM

PROBE_INTERVAL, PROBE_TIMEOUT, FALL = 0.5, 0.5, 3
DETECTION_SECONDS = FALL * (PROBE_INTERVAL + PROBE_TIMEOUT)
"""Within which every prober has seen a failure, whatever the moment at which it began."""
EVERYWHERE_SOAK = "1s"
"""How long the endpoint with two regions waits before it trusts a region that is back."""


def history_zone(negative: int) -> str:
    """The zone of *history* at the start: the west has its records, the east is for the hazard automation to fill."""
    west = "\n".join(f"{HISTORY.west}. {scale.RECORD_TTL} IN A {address}" for address in REGIONS["us-west-2"])
    return f"""\
$ORIGIN {HISTORY.zone}.
@ {negative} IN SOA ns.{HISTORY.zone}. hostmaster.{HISTORY.zone}. 1 7200 900 1209600 {negative}
@ {negative} IN NS ns.{HISTORY.zone}.
ns {negative} IN A 127.0.0.1
{west}
"""


def control_plane(*, port: int, key_file: Path, service_port: int, east: tuple[str, ...], place: str) -> str:
    """An `outlast.toml` for one role of our control plane.

    Args:
        port: The name server's.
        key_file: The role's key.
        service_port: The services'.
        east: What stands behind the eastern name of *fenced*.
        place: Where the role runs.

    """
    regions = tuple(REGIONS)
    peers = ", ".join(f'"{name}"' for name in ENACTORS)
    return f"""\
realm = "{REALM}"

[registry]
kind = "sqlite"
path = "registry.db"

[provider.primary]
kind = "rfc2136"
address = "127.0.0.1"
port = {port}
zones = ["{FENCED.zone}", "{DARK.zone}"]
key_secret_file = "{key_file.name}"

[health]
port = {service_port}
place = "{place}"
interval = "{PROBE_INTERVAL * 1000:g}ms"
timeout = "{PROBE_TIMEOUT * 1000:g}ms"
rise = 1
fall = {FALL}
max_signal_age = "15s"

[planner]
interval = "400ms"

[enactor]
interval = "400ms"
stand_back = "150ms"
peers = [{peers}]

[janitor]
interval = "300ms"
keep = 2
grace = "500ms"
wait = "300ms"

{_endpoint(FENCED.east, {regions[0]: east})}
{_endpoint(FENCED.west, {regions[1]: REGIONS[regions[1]]})}
{_endpoint(DARK.east, {regions[0]: REGIONS[regions[0]]})}
{_endpoint(DARK.west, {regions[1]: REGIONS[regions[1]]})}
{_endpoint(EVERYWHERE, REGIONS, soak=EVERYWHERE_SOAK)}"""


def _endpoint(name: str, regions: Mapping[str, tuple[str, ...]], *, soak: str = "0s") -> str:
    targets = "\n".join(f"{region} = {json.dumps(addresses)}" for region, addresses in regions.items())
    return f"""\
[endpoint."{name}"]
ttl = "{scale.RECORD_TTL}s"
soak = "{soak}"

[endpoint."{name}".targets]
{targets}
"""
