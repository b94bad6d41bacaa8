"""`outlast.toml` → typed settings (`parse`) → a wired world (`wire`) → running roles (`run`)."""

from outlast.config.parse import load
from outlast.config.settings import Settings

__all__ = ["Settings", "load"]
