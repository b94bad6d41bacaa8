"""One shortened drill for all tests that only look at its result."""

import pytest
from drill_process import Finished, finished


@pytest.fixture(scope="session")
def both_acts(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The acts of the empty record, both in one world."""
    return finished(tmp_path_factory.mktemp("both"), seed=20, acts=["history", "fenced"])
