"""--exit-with-parent: notice that the parent is gone, even if it was killed and could not say so."""

import os
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from oagw.console import reopened

# Seconds between two looks at the parent where the system cannot tell by itself.
_LOOK = 0.2


def watch(reactor: Any, gone: Callable[[], None], parent: int) -> None:
    """Call ``gone`` when standard input ends, where that is a pipe (or a socket: Node's kind of pipe).

    Elsewhere the parent's process is watched. The thread that started us does not count, as it would with
    PR_SET_PDEATHSIG: test runners start servers from threads that end early. ``gone`` may be called twice.
    """
    if _is_pipe(0):
        fd = reopened(0, os.O_RDONLY)
        stdin = _Watch(reactor, fd, _at_end, gone)
        reactor.addReader(stdin)
        if fd != 0:  # a named pipe that ended before it was opened anew does not report its end
            reactor.callWhenRunning(stdin.doRead)
        return
    try:
        process = os.pidfd_open(parent)  # readable when the process has ended, pidfd_open(2)
    except (AttributeError, OSError):
        look = LoopingCall(lambda: None if os.getppid() == parent else gone())
        look.clock = reactor
        look.start(_LOOK)
    else:
        reactor.addReader(_Watch(reactor, process, lambda fd: True, gone))
        if os.getppid() != parent:  # it ended before we looked, and its number may be another's
            reactor.callWhenRunning(gone)


@implementer(IReadDescriptor)
class _Watch:
    """Calls ``gone`` once the descriptor ``fd`` is readable and ``ended`` says so of it."""

    def __init__(self, reactor: Any, fd: int, ended: Callable[[int], bool], gone: Callable[[], None]) -> None:
        self._reactor = reactor
        self._fd = fd
        self._ended = ended
        self._gone = gone

    def fileno(self) -> int:
        return self._fd

    def logPrefix(self) -> str:
        return "parent"

    def doRead(self) -> None:
        if self._ended(self._fd):
            self._reactor.removeReader(self)
            self._gone()

    def connectionLost(self, reason: Failure) -> None:
        # How the reactor reports a pipe whose other end is closed.
        self._gone()


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
