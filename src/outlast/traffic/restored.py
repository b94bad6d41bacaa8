"""Notices that the registry has gone back: an older backup was put in its place, or it was emptied."""

from outlast.traffic.messages import InputsRead, Note


class Restored:
    """Remembers the newest plan that was ever read, for as long as its process lives.

    The plan protocol heals an older registry by itself. Orders, pins and the audit log it cannot know: what people have
    said since then is gone, and what they had taken back is there again.
    """

    def __init__(self) -> None:
        self._newest = 0

    def __repr__(self) -> str:
        return f"<newest plan read: {self._newest}>"

    def look(self, inputs: InputsRead) -> tuple[Note, ...]:
        """Take note of what was read; an alarm if the registry is older than it was."""
        generation = inputs.plan.generation if inputs.plan is not None else 0
        newest, self._newest = self._newest, max(self._newest, generation)
        if generation >= newest:
            return ()
        what = f"its newest plan is {generation}, and was {newest}: it was put back, or has lost what it knew"
        detail = f"{what}; orders, pins and audit log are as old: look at outlast plan show, and give them again"
        return (Note("the registry is an older one", detail, alarm=True),)
