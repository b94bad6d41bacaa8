"""What users' own tests need to run an outage: a scripted upstream, as a context manager and as a pytest fixture."""

from outlast.testing.scripted_dns import ScriptedDns

__all__ = ["ScriptedDns"]
