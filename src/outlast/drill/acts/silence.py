"""For a while nothing listens in the east: connections break, and new ones are refused.

So it is with a region whose load balancers are gone. Addresses that a client remembers are of no use then, however well
it remembers them.
"""

import http.client
import time
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

from outlast.drill import scale
from outlast.drill.addresses import EAST
from outlast.drill.stage import Stage
from outlast.drill.tail import Line

TIMEOUT = 30.0
"""Seconds in which the servers must be back: the DynamoDB stand-in loads all of moto."""
ANSWER_TIMEOUT = 0.5


class Silence(NamedTuple):
    """When the east's service did not listen: told to end at `begin`, `gone` once it had answered what it had accepted."""

    begin: float
    gone: float
    end: float

    def spares(self, call: Line) -> bool:
        """Whether a call had nothing to do with it, nor with what was left of it when it was over."""
        return not self.begin <= float(call["scheduled"]) < self.end + scale.DEADLINE

    def covers(self, call: Line) -> bool:
        """Whether a call had no chance: one that comes shortly before the end is answered after it, in time."""
        return self.gone <= float(call["scheduled"]) < self.end - scale.DEADLINE


def fall_silent(stage: Stage) -> Silence:
    """End the east's service and its DynamoDB stand-in, and start them again after the time that the pace says.

    Raises:
        NotReached: They did not come back.

    """
    stage.phase("nothing listens in the east")
    world = stage.world
    begin = time.monotonic()
    world.stop_listening(EAST)
    gone = time.monotonic()
    stage.tell("The east's listeners are gone, too: whoever remembers its addresses is refused there.")
    stage.wait(stage.pace.stopped)
    end = time.monotonic()
    world.listen_again(EAST)
    for group in ("plain", "boto3"):
        place = world.servers.places(group)[EAST]
        stage.until("the east to listen again", partial(_answers, place), timeout=TIMEOUT)
        if group == "plain":
            end = time.monotonic()
    stage.tell("The east listens again. Its record is still empty.")
    return Silence(begin, gone, end)


def _answers(place: tuple[str, int]) -> bool:
    # The sockets accept from the moment they are bound; only an answer says that somebody serves.
    connection = http.client.HTTPConnection(*place, timeout=ANSWER_TIMEOUT)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
