"""Where records live: adapters of the port `outlast.traffic.ports.Provider`."""

from outlast.provider.rfc2136 import Rfc2136Provider
from outlast.provider.route53 import Route53Provider

__all__ = ["Rfc2136Provider", "Route53Provider"]
