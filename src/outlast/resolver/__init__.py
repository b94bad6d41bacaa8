"""A name to addresses, whatever upstreams say: pins, cache, upstreams, stale answers and last-known-good."""

from outlast.errors import ResolutionFailed
from outlast.resolver.answer import Answer
from outlast.resolver.options import Protect, ResolverOptions, Stale, Strict
from outlast.resolver.resolver import Resolver

__all__ = ["Answer", "Protect", "ResolutionFailed", "Resolver", "ResolverOptions", "Stale", "Strict"]
