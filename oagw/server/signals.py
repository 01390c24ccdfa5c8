"""Signals: they stop the server even if they were inherited as ignored, or the event loop is busy.

Standard library only: ``run`` uses this before it imports Twisted.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

# Seconds that an orderly stop may take; it needs a fifth of one. What is still busy then is cut off.
GRACE = 2.0

_STOP = (signal.SIGTERM, signal.SIGINT)


def accept_signals() -> None:
    """Undo what a parent may have left to us: blocked signals, and SIGHUP that would end the process.

    Shells start background commands with SIGINT ignored; ``on_stop`` takes it back. A server that a script
    has started should end when Ctrl-C ends the script.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_STOP, signal.SIGHUP, signal.SIGALRM))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def on_stop(answer: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Answer the signals that ask us to stop."""
    for number in _STOP:
        signal.signal(number, answer)


def end_within_grace() -> None:
    """End the process in GRACE seconds, with status 0, if it has not ended by then.

    A later call does not postpone that.
    """
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, GRACE)


def ignore_hangup(say: Callable[[str], None]) -> None:
    """Ignore SIGHUP but for a line to ``say``: there is nothing to read again."""
    line = "SIGHUP is ignored: there is nothing to read again without --mappings"
    signal.signal(signal.SIGHUP, lambda *_: say(line))
