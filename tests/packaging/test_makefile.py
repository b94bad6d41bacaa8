"""The Makefile works with GNU make 3.81, the one macOS has, and its targets say what they do."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()
RULES = "\n".join(line for line in TEXT.splitlines() if not line.startswith("\t"))

NEWER = {
    r"::+=": "3.82/4.0: use :=",
    r"!=": "4.0: use $(shell …)",
    r"^\s*(undefine|private|load)\b": "3.82 and 4.0",
    r"^\.(ONESHELL|RECIPEPREFIX|SHELLFLAGS|EXTRA_PREREQS|WAIT|NOTINTERMEDIATE)\b": "3.82 and later",
    r"\$\((file|guile|intcmp|let) ": "4.0 and later",
    r"&:": "4.3: grouped targets",
    r"^define \w+ [:?+]?=": "3.82",
}
PROMISED = {"bench", "check", "drill", "lock", "setup", "test", "test-all"}


@pytest.mark.parametrize("feature", sorted(NEWER))
def test_nothing_is_newer_than_make_3_81(feature: str) -> None:
    """No feature of a later GNU make is used."""
    assert [] == re.findall(f".*{feature}.*", RULES, re.MULTILINE), NEWER[feature]


def test_every_target_is_explained() -> None:
    """`make` alone lists every target that is no file, each with what it does."""
    phony = set(re.findall(r"^\.PHONY: (.*)$", TEXT, re.MULTILINE)[0].split())
    done = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, timeout=30, check=True)

    assert phony == set(re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.MULTILINE))
    assert set() == PROMISED - phony
