"""What users' own tests need to run an outage: a scripted upstream, as a context manager and as a pytest fixture.

The name is loaded when it is asked for: pytest imports this room for its plugin in every run, and few runs need DNS.
"""

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
        from outlast.testing.scripted_dns import ScriptedDns  # noqa: PLC0415  that is the point of this function

        return ScriptedDns
