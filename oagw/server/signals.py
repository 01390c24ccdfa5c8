"""Stop on signals, even if they were inherited as ignored or the event loop is busy.

Uses the standard library only, because ``run`` needs it before it imports Twisted.
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

# Seconds that an orderly shutdown may take before the process exits anyway. It usually needs 0.2 s.
GRACE = 2.0

_STOP = (signal.SIGTERM, signal.SIGINT)


def accept_signals() -> None:
    """Unblock signals that the parent may have blocked, and ignore SIGHUP.

    Shells start background commands with SIGINT ignored; ``on_stop`` undoes that. A server that a script has
    started should end when Ctrl-C ends the script.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_STOP, signal.SIGHUP, signal.SIGALRM))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def on_stop(answer: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Set the action for SIGTERM and SIGINT."""
    for number in _STOP:
        signal.signal(number, answer)


def end_within_grace() -> None:
    """Exit with status 0 if the process still runs in GRACE seconds. Later calls do not extend this."""
    if not signal.getitimer(signal.ITIMER_REAL)[0]:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, GRACE)


def ignore_hangup(say: Callable[[str], None]) -> None:
    """On SIGHUP, only report to ``say`` that there is nothing to reload."""
    line = "ignoring SIGHUP: without --mappings there is nothing to reload"
    signal.signal(signal.SIGHUP, lambda *_: say(line))
