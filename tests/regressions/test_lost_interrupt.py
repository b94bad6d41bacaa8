"""A Ctrl-C that Python raised within a callback of the import system was printed and forgotten: the drill played to its end."""

import signal
from pathlib import Path

import pytest

from outlast.drill.processes import Crew
from outlast.interrupts import uninterrupted


def test_an_interrupt_waits_until_the_imports_are_done() -> None:
    """It comes after the block, not within it, where it could be lost."""
    done: list[str] = []

    def load() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append("imports")

    with pytest.raises(KeyboardInterrupt):
        load()

    assert ["imports"] == done


def test_a_lost_interrupt_is_found_at_the_next_look(tmp_path: Path) -> None:
    """The drill looks after its children many times a second; an interrupt that was noted ends it there."""
    noted: list[int] = []
    crew = Crew(tmp_path, is_interrupted=lambda: bool(noted))
    crew.check()
    noted.append(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        crew.check()
