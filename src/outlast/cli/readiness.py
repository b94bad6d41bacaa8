"""What a role needs before it says that it has started: keys, passwords and certificates that can be read."""

from collections.abc import Callable

from outlast.config.settings import Settings
from outlast.errors import InvalidConfig

Need = Callable[[Settings], object]


def check_needs(settings: Settings, *needs: Need) -> None:
    """Try all of them once. Nothing is opened by it, and the role does it anew.

    Raises:
        InvalidConfig: Some failed; lists every fault.

    """
    faults: list[str] = []
    for need in needs:
        try:
            need(settings)
        except InvalidConfig as error:
            faults += error.faults
    if faults:
        raise InvalidConfig(tuple(dict.fromkeys(faults)))
