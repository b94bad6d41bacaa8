"""The `[resolver]` section of `outlast.toml`. A machine that only resolves has this section alone.

```toml
[resolver]
upstreams = ["127.0.0.1:53"]            # for every name that no zone below covers
store = "resolver.known"                # keeps what is known over a restart
[resolver.zones]
"corp.example" = ["127.0.0.1:5353"]     # and nobody else is ever asked for these
[resolver.names."*.corp.example"]
mode = "protect"                        # or "strict", "stale"
verify = "tls:443"
keep = "24h"
[resolver.pins]
"db.corp.example" = ["192.0.2.1"]
```
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outlast.config import scalars
from outlast.config.table import Table
from outlast.errors import InvalidConfig
from outlast.resolver.options import FAMILIES, Options, Protect, ResolverOptions, Rule, Stale, Strict
from outlast.resolver.reading import Family

MAX_BYTES = 64 * 1024 * 1024
"""As for the whole configuration, of which this is a section."""
MODES: dict[str, Callable[..., Rule]] = {"strict": Strict, "stale": Stale, "protect": Protect}
DURATIONS = ("hedge", "timeout", "patience", "deadline", "recheck", "negative_ttl", "negative_ttl_protected")


def load_resolver(path: Path) -> ResolverOptions:
    """Read the resolver's section of a configuration file; the other sections are not looked at.

    Raises:
        InvalidConfig: The file cannot be read, is not TOML, has no such section, or says something wrong in it.

    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        values = tomllib.loads(data.decode())
    except FileNotFoundError as error:
        raise InvalidConfig(
            (f"{path}: there is no such file; name upstreams, or write a [resolver] section",)
        ) from error
    except OSError as error:
        raise InvalidConfig((f"{path}: cannot be read: {error.strerror}",)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidConfig((f"{path}: not TOML: {error}",)) from error
    if "resolver" not in values:
        raise InvalidConfig((f'{path}: there is no [resolver] section: add it with upstreams = ["127.0.0.1:53"]',))
    faults: list[str] = []
    options = read_resolver(Table(str(path), (), values, faults).table("resolver"), path.parent)
    if faults or options is None:
        raise InvalidConfig(tuple(faults))
    return options


def read_resolver(table: Table, folder: Path) -> ResolverOptions | None:
    """Read the section; `None` if it is wrong, and the table has the faults.

    Args:
        table: The section.
        folder: Where relative paths start.

    """
    # Only what the file says: each option's default stands with the option.
    found: dict[str, Any] = {key: table.take(key, scalars.duration, None) for key in DURATIONS}
    found["max_names"] = table.take("max_names", scalars.integer, None)
    found["network"] = table.take("network", scalars.text, None)
    found["families"] = table.take("families", _families, None)
    for key in ("store", "ca_file"):
        file = table.take(key, scalars.text, None)
        found[key] = folder / file if file is not None else None
    found["default"] = table.take("default", _default, None)
    found["upstreams"] = _upstreams(table)
    found["names"] = _rules(table.table("names"))
    found["pins"] = _lists(table.table("pins"))
    table.finish()
    given: Any = {key: value for key, value in found.items() if value is not None}
    options: Options = given
    return table.build(lambda: ResolverOptions(**options))


def _upstreams(table: Table) -> dict[str, tuple[str, ...]]:
    zones = _lists(table.table("zones"))
    nobody: tuple[str, ...] = ()
    everything = table.take("upstreams", _texts, nobody)
    if not zones and not everything:
        table.fault('upstreams is missing: add upstreams = ["127.0.0.1:53"]')
        return {".": ("127.0.0.1",)}  # a stand-in, so that this is the only fault about it
    return {**zones, ".": everything} if everything else zones


def _lists(table: Table) -> dict[str, tuple[str, ...]]:
    return {name: table.take(name, _texts, ("127.0.0.1",)) for name in table.names()}


def _rules(table: Table) -> dict[str, Rule]:
    rules = {name: _rule(table.table(name)) for name in table.names()}
    return {name: rule for name, rule in rules.items() if rule is not None}


def _rule(table: Table) -> Rule | None:
    mode = table.demand("mode", _mode, "strict", example='mode = "protect"')
    options: dict[str, Any] = {}
    if mode != "strict":
        options["keep"] = table.take("keep", scalars.duration, None)
    if mode == "protect":
        # There is no default: whether an address is still the right one is the user's to know.
        options["verify"] = table.demand("verify", scalars.text, "none", example='verify = "tls:443"')
        options["confirm"] = table.take("confirm", scalars.duration, None)
    table.finish()
    given = {key: value for key, value in options.items() if value is not None}
    return table.build(lambda: MODES[mode](**given))


def _mode(value: object) -> str:
    if value not in MODES:
        raise scalars.Misread(f"write one of {', '.join(MODES)}")
    return str(value)


def _default(value: object) -> Rule:
    if value == "protect":
        raise scalars.Misread('protection needs a check for each pattern: write it under [resolver.names."*"]')
    return MODES[_mode(value)]()


def _families(value: object) -> tuple[Family, ...]:
    given = _texts(value)
    if not set(given) <= set(FAMILIES):
        raise scalars.Misread('write ["A"], ["AAAA"] or ["A", "AAAA"]')
    return tuple(family for family in FAMILIES if family in given)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise scalars.Misread('write a list such as ["127.0.0.1:53"]')
    return tuple(scalars.text(item) for item in value)
