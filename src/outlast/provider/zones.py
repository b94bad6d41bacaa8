"""Which of a provider's zones an endpoint belongs to."""

from functools import lru_cache

import dns.exception
import dns.name
from dns.name import Name

from outlast.errors import Unavailable
from outlast.provider.answers import Owners


def closest_zone(provider: str, zones: tuple[str, ...], endpoint: str) -> Name:
    """The longest of the zones above an endpoint.

    Raises:
        Unavailable: There is none, or the endpoint is no domain name that can have a sentinel beside it.

    """
    try:
        name = Owners.of(endpoint).endpoint
    except dns.exception.DNSException as error:
        raise Unavailable(f"{provider}: {endpoint!r} is not a domain name: {error}") from error
    above = [zone for zone in _names(zones) if name.is_subdomain(zone)]
    if not above:
        raise Unavailable(f"{provider}: {endpoint} is in none of its zones ({', '.join(zones)})", hint="add its zone")
    return max(above, key=len)


@lru_cache
def _names(zones: tuple[str, ...]) -> tuple[Name, ...]:
    return tuple(map(dns.name.from_text, zones))


def is_name(text: str) -> bool:
    """Whether it is a domain name."""
    try:
        return bool(text) and bool(dns.name.from_text(text))
    except dns.exception.DNSException:
        return False
