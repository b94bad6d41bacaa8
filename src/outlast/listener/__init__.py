"""UDP and TCP listening with limits and access lists, shared by the servers that speak DNS."""

from outlast.listener.limits import ListenerOptions
from outlast.listener.server import Handler, Listener, Peer, Statistics, Transport

__all__ = ["Handler", "Listener", "ListenerOptions", "Peer", "Statistics", "Transport"]
