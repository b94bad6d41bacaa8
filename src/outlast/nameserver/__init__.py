"""The embedded authoritative name server: queries, and signed updates with prerequisites, over UDP and TCP."""

from outlast.nameserver.keys import UpdateKey
from outlast.nameserver.options import ServerOptions, ZoneOptions
from outlast.nameserver.server import Nameserver, serve

__all__ = ["Nameserver", "ServerOptions", "UpdateKey", "ZoneOptions", "serve"]
