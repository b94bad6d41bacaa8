"""What users' own tests need to run an outage: a scripted upstream, as a context manager and as a pytest fixture.

The name is loaded when it is asked for: pytest imports this room for its plugin in every run, and few runs need DNS.
"""

from importlib import import_module

# Type checkers take this for `typing.TYPE_CHECKING`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from outlast.testing.scripted_dns import ScriptedDns

__all__ = ["ScriptedDns"]

if not TYPE_CHECKING:  # otherwise a checker would believe in every name, misspelt ones too

    def __getattr__(name: str) -> object:
        """Load the one public name."""
        if name != "ScriptedDns":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module("outlast.testing.scripted_dns").ScriptedDns
