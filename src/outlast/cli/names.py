"""Names on the command line that nobody knows: a wrong command line, told with the nearest name that there is."""

from collections.abc import Iterable

from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, did_you_mean

SHOWN_MAX = 20
"""Names that are listed; a configuration may have a hundred thousand."""


def unknown_endpoints(settings: Settings, names: Iterable[str]) -> InvalidConfig:
    """The error about endpoints that the configuration does not have."""
    known = [endpoint.name for endpoint in settings.topology.endpoints]
    faults = tuple(f"no such endpoint in {settings.path}: {name}{did_you_mean(name, known)}" for name in sorted(names))
    return InvalidConfig(faults, hint=f"there are: {listed(known)}")


def listed(names: Iterable[str]) -> str:
    """The names in a line, as many as a person reads."""
    every = tuple(names)
    more = f" and {len(every) - SHOWN_MAX} more" if len(every) > SHOWN_MAX else ""
    return f"{', '.join(every[:SHOWN_MAX])}{more}"
