"""What a role needs before it says that it has started: keys that can be read, and a name that nobody else runs under."""

import contextlib
from collections.abc import Callable, Iterator

from outlast.config import wire
from outlast.config.settings import Settings
from outlast.errors import InvalidConfig, Refused, Unavailable

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


@contextlib.contextmanager
def alone(settings: Settings, *names: str) -> Iterator[None]:
    """Let no other role of these names and this realm start beside the same files until the block ends.

    A role is known by its name: in sentinels, signals and plans, and by the file in which an enactor keeps its copy. The
    lock lies where that copy does; the kernel lifts it when the process ends, however it ends. Where no file can be made
    the role runs without, since a disk that is full or may not be written must not keep it from DNS.

    Raises:
        Refused: A role of such a name runs.

    """
    from outlast.data.lock import FileLock, InUse

    folder = settings.enactor.copy.parent if settings.enactor.copy is not None else wire.state_folder(settings)
    with contextlib.ExitStack() as stack:
        for name in names:
            path = folder / f"{settings.realm}.{name}.lock"
            try:
                stack.callback(FileLock(path, noun="role").close)
            except InUse as error:
                hint = "stop that one, or give this one a name of its own: --name"
                raise Refused(f"{name} runs already: process {error.holder} holds {path}", hint=hint) from error
            except (Unavailable, OSError):
                continue
        yield
