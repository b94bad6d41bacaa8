"""The host that has our resolver and nothing else of ours."""

from outlast.drill.load.errand import Setting
from outlast.drill.load.host import Host
from outlast.drill.load.resolving import ResolverOfHost


class ResolverHost(Host):
    """One host of the kind `resolver`: as `plain`, one region and all, with our resolver in place of the system's stub.

    Args:
        setting: What it is told.

    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, ResolverOfHost(setting))
