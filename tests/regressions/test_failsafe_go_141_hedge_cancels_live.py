"""https://github.com/failsafe-go/failsafe-go/issues/141: an exhausted budget cancelled the request that was still running."""

import asyncio

import pytest

from outlast.errors import BudgetExhausted
from outlast.policy.budget import Budget
from outlast.policy.policy import Policy


def test_an_exhausted_budget_suppresses_only_the_new_attempt() -> None:
    """A hedge that gets no token leaves the live call alone, which ends with its own result."""
    policy = Policy("p", budget=Budget(ratio=0.0, floor=0.0, burst=1))
    policy.take()

    async def hedge() -> str:
        may_end = asyncio.Event()

        async def fetch() -> str:
            await may_end.wait()
            return "done"

        live = asyncio.create_task(policy.acall(fetch))
        await asyncio.sleep(0)
        with pytest.raises(BudgetExhausted):
            policy.take()
        may_end.set()
        return await live

    assert "done" == asyncio.run(hedge())
