"""What has changed between two readings of an endpoint, for providers whose server does not compare: in words."""

from outlast.traffic.ports import Live


def difference(now: Live, seen: Live) -> str:
    """What changed since it was read, in words; empty if nothing did."""
    types = sorted({item.type for item in {*now.sets} ^ {*seen.sets}})
    changed = (["sentinel"] if now.sentinel != seen.sentinel else []) + types
    return f"{', '.join(changed)} changed since it was read" if changed else ""
