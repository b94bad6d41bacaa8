"""outlast: keep a service reachable when DNS, a region or a control plane fails."""

__version__ = "0.1.0"
