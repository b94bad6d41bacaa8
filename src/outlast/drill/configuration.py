"""The files that the drill's processes are configured with: what a user would write, with a drill's short intervals."""

from pathlib import Path

from outlast.drill import scale
from outlast.drill.addresses import REGIONS
from outlast.drill.names import ENACTORS, FENCED, HISTORY, REALM


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


def control_plane(*, port: int, key_file: Path, service_port: int, east: tuple[str, ...]) -> str:
    """An `outlast.toml` for one role of our control plane."""
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
zones = ["{FENCED.zone}"]
key_secret_file = "{key_file.name}"

[health]
port = {service_port}
interval = "500ms"
rise = 1
max_signal_age = "15s"

[planner]
interval = "200ms"

[enactor]
interval = "200ms"
stand_back = "150ms"
peers = [{peers}]

[janitor]
interval = "300ms"
keep = 2
grace = "500ms"
wait = "300ms"

{_endpoint(FENCED.east, "us-east-1", east)}
{_endpoint(FENCED.west, "us-west-2", REGIONS["us-west-2"])}"""


def _endpoint(name: str, region: str, addresses: tuple[str, ...]) -> str:
    targets = ", ".join(f'"{address}"' for address in addresses)
    return f"""\
[endpoint."{name}"]
ttl = "{scale.RECORD_TTL}s"
soak = "0s"

[endpoint."{name}".targets]
{region} = [{targets}]
"""
