"""Which rule and which upstreams a name has, and which names are never asked of anyone.

A name belongs to the closest zone above it, and to that alone: a private name never leaks to a public server, and a
public server can never give a private name an address.
"""

import dns.exception
import dns.name

from outlast.resolver.options import ResolverOptions, Rule, is_address, place, scopes_of

LOOPBACK = ("127.0.0.1", "::1")
"""What `localhost` and everything below it means (RFC 6761, section 6.3)."""
SPECIAL = ("invalid", "test", "onion", "localhost", "local", "home.arpa")
"""Never forwarded unless a zone of the user's own covers them (RFC 6761, RFC 7686, RFC 6762, RFC 8375)."""


def normal(name: str) -> str:
    """The one form of a name: A-labels in lower case, without the final dot; an empty string if it is no name."""
    if is_address(name):
        return name
    try:
        parsed = dns.name.from_text(name)
        text = parsed.canonicalize().to_text(omit_final_dot=True)
    except (dns.exception.DNSException, UnicodeError, ValueError):
        return ""
    # Escapes would make two spellings of one name; no host has such a label (RFC 1123, section 2.1).
    return "" if parsed == dns.name.root or "\\" in text else text


class Scopes:
    """Upstreams and rules of all names, prepared for look-ups."""

    def __init__(self, options: ResolverOptions) -> None:
        self._upstreams = scopes_of(options.upstreams)
        self._rules = dict(options.names)
        self._default = options.default

    def __repr__(self) -> str:
        return f"<scopes: {', '.join(f'{zone} at {len(places)}' for zone, places in self._upstreams.items())}>"

    def upstreams(self, name: str) -> tuple[str, ...]:
        """The upstreams that may be asked for a name, as the user wrote them; none if nobody may."""
        zone = next((zone for zone in _above(name) if zone in self._upstreams), "")
        if zone == "." and ("." not in name or any(item in SPECIAL for item in _above(name))):
            return ()
        return self._upstreams.get(zone, ())

    def rule(self, name: str) -> Rule:
        """The rule of a name: its own, or that of the closest wildcard above it."""
        if name in self._rules:
            return self._rules[name]
        for zone in _above(name)[1:]:
            pattern = "*" if zone == "." else f"*.{zone}"
            if pattern in self._rules:
                return self._rules[pattern]
        return self._default

    def identity(self, network: str) -> str:
        """What names this set of upstreams on this network: addresses learnt from another are not mixed with it."""
        zones = sorted((zone, *sorted(str(place(text)) for text in places)) for zone, places in self._upstreams.items())
        return "\n".join((network, *(" ".join(zone) for zone in zones)))


def _above(name: str) -> tuple[str, ...]:
    """The name itself and every zone above it, closest first, the root last."""
    labels = name.split(".")
    return (*(".".join(labels[start:]) for start in range(len(labels))), ".")
