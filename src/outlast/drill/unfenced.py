"""Takes the fence out of a role, for the test that shows what it is worth. Nothing else uses this.

The prerequisites of each transaction are replaced by whatever stands at the provider at the moment of sending, so that
they always hold: what is left is a writer that trusts its own decision, as in October 2025.
"""

from outlast.traffic.driver import CarryOut
from outlast.traffic.messages import Commit, Effect, Event, LiveRead, ReadLive


def unfenced(carry_out: CarryOut) -> CarryOut:
    """Wrap a carry-out step so that its transactions are refused for nothing."""

    async def carry_out_unfenced(effect: Effect) -> Event | None:
        if not isinstance(effect, Commit):
            return await carry_out(effect)
        found = await carry_out(ReadLive(effect.transaction.provider, effect.transaction.endpoint))
        if not isinstance(found, LiveRead):
            return await carry_out(effect)
        return await carry_out(Commit(effect.transaction._replace(seen=found.live)))

    return carry_out_unfenced
