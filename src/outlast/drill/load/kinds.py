"""How clients call: the kinds of groups, side by side so that they can be compared.

A kind is a class of hosts; a host makes one call, and returns the reply or lets the last error out. No kind is
handicapped and none is cleverer than what its docstring says. Each is loaded only where it is used: a group pays for
its own library and no other.
"""

from importlib import import_module
from typing import NamedTuple

from outlast.drill.load.errand import Caller, Setting


class Kind(NamedTuple):
    """Where a kind's hosts are built, and how many names they need."""

    home: str
    names_needed: int

    def build(self, setting: Setting) -> Caller:
        """One host of this kind."""
        module, _, name = self.home.partition(":")
        host: Caller = getattr(import_module(f"outlast.drill.load.{module}"), name)(setting)
        return host


KINDS: dict[str, Kind] = {
    "plain": Kind("host:Host", 1),
    "plain-two-regions": Kind("host:TwoRegionHost", 2),
    "resolver": Kind("resolver_host:ResolverHost", 1),
    "outlast": Kind("protected_host:ProtectedHost", 2),
    "boto3": Kind("boto_host:BotoHost", 1),
    "boto3+outlast": Kind("boto_host:ProtectedBotoHost", 2),
    "own": Kind("own_kind:OwnHost", 1),
}
