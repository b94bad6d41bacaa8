"""docs/PROOF.md is current: its table of guards is the code's."""

import proof_table

from outlast.simulator.plan_guards import GUARDS


def test_the_table_of_guards_is_current() -> None:
    """The page is what `make docs` writes, with at least twenty guards."""
    text = proof_table.PAGE.read_text(encoding="utf-8")

    assert proof_table.page(text) == text
    assert 20 <= len(GUARDS)
