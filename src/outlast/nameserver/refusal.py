"""An UPDATE that is answered with an error. Raising it ends the transaction before anything is changed."""

from dns.rcode import Rcode


class Refusal(Exception):
    """Why an UPDATE is not carried out.

    Args:
        rcode: What the sender is told.
        reason: The same in words, for the journal.
        is_told: Whether the words go to the sender too, as an extended error (RFC 8914).

    """

    def __init__(self, rcode: Rcode, reason: str, *, is_told: bool = False) -> None:
        super().__init__(reason)
        self.rcode = rcode
        self.reason = reason
        self.is_told = is_told
