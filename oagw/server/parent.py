"""--exit-with-parent: notice that the parent is gone, even if it was killed and could not say so.

Two things tell, and the first of them counts. Standard input, if it is a pipe or a socket (Node's kind of
pipe), ends when the last process that holds its other end does; but a child that the parent has forked may
hold it for longer. The parent process itself may be a launcher such as a shell or ``uv run``, between us and
the one that holds the pipe; a launcher that is killed takes us along. So it has to wait for us, or ``exec``
us: one that starts us in the background and ends would stop us at once.
"""

import os
import select
import signal
import stat
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from oagw.server.console import reopened
from oagw.server.signals import GRACE

# Seconds between two looks at the parent where the system cannot tell by itself.
_LOOK = 0.2


def watch(reactor: Any, gone: Callable[[], None], parent: int) -> None:
    """Call ``gone`` on ``reactor`` when the process ``parent`` or standard input ends.

    The process ends GRACE seconds later if ``gone`` has not ended it: a thread watches, so that a busy event
    loop does not matter. The thread that started us does not count, as it would with PR_SET_PDEATHSIG: test
    runners start servers from threads that end early.
    """

    def wait() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the main thread
        _wait(parent)
        reactor.callFromThread(gone)
        time.sleep(GRACE)
        os._exit(0)

    Thread(target=wait, name="parent", daemon=True).start()


def _wait(parent: int) -> None:
    """Return when the parent or standard input has ended."""
    poll = select.poll()
    stdin = reopened(0, os.O_RDONLY) if _is_pipe(0) else None
    if stdin is not None:
        poll.register(stdin, select.POLLIN)
        if stdin != 0 and _at_end(stdin):  # a named pipe that ended before it was opened anew tells once
            return
    timeout: int | None = None
    try:
        process = os.pidfd_open(parent)  # readable when the process has ended, pidfd_open(2)
        poll.register(process, select.POLLIN)
    except (AttributeError, OSError):
        timeout = round(1000 * _LOOK)
    # If it ended before we looked, its number may be another's by now; but then we have another parent.
    while os.getppid() == parent:
        for descriptor, _ in poll.poll(timeout):
            if descriptor != stdin or _at_end(stdin):
                return


def _is_pipe(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _at_end(fd: int) -> bool:
    try:
        return not os.read(fd, 65536)  # whatever the parent writes is of no interest
    except BlockingIOError:
        return False
    except OSError:
        return True
