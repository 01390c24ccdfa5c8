"""``--exit-with-parent``: notice that the parent has ended, even if it was killed.

There are two signs, and the first one to appear counts:

- End of file on standard input, if it is a pipe or a socket (Node uses sockets). It appears when the last
  process that holds the other end exits, which may be another child of the parent, long after the parent.
- The end of the parent process. This may be a launcher, such as a shell or ``uv run``, that sits between this
  process and the one that holds the pipe. The launcher must wait for this process or ``exec`` it: one that
  starts it in the background and exits stops it at once.

``--exit-with-parent=PID`` watches that process alone, which need not be the parent.
"""

import os
import select
import signal
import stat
import time
from collections.abc import Callable
from threading import Thread

from oagw.server.console import reopened
from oagw.server.listen import ListenError
from oagw.server.signals import GRACE

# Seconds between two checks of the parent process where the system has no pidfd_open(2).
_POLL_INTERVAL = 0.2


def _exit() -> None:
    os._exit(0)


class Watch:
    """Call ``gone`` in a thread when ``process`` ends, or else ``parent`` or standard input.

    ``gone`` can be replaced; by default, the process exits at once. If it still runs GRACE seconds after
    ``gone`` was called, it exits. A thread does the watching, so this works even when the event loop is busy
    or does not run yet. PR_SET_PDEATHSIG would not do: it fires when the *thread* that started this process
    ends, and test runners start servers from short-lived threads.
    """

    def __init__(self, parent: int, process: int | None, gone: Callable[[], object] = _exit) -> None:
        self.gone = gone
        Thread(target=self._wait, args=(parent, process), name="parent", daemon=True).start()

    def _wait(self, parent: int, process: int | None) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # leave signals to the main thread
        if process is None:
            _parent_ends(parent)
        else:
            _process_ends(process)
        self.gone()
        time.sleep(GRACE)
        _exit()


def _process_ends(process: int) -> None:
    """Block until ``process`` has ended."""
    try:
        descriptor = os.pidfd_open(process)  # becomes readable when the process ends, see pidfd_open(2)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        while runs(process):
            time.sleep(_POLL_INTERVAL)
    else:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.poll()


def check(parent: int, process: int | None) -> None:
    """Raise ListenError if what is to be watched has ended: ``process``, or else ``parent``.

    A process whose parent has ended has another parent, which has adopted it. That one is in another session,
    while a parent has the session of its child, unless the child has one of its own. Where all processes have
    the session of the one that adopts, as they may in a container, only a pipe or ``process`` can tell.
    """
    if process is not None:
        if not runs(process):
            raise ListenError(f"--exit-with-parent: there is no process {process}")
        return
    try:
        adopted = os.getsid(0) not in (os.getsid(parent), os.getpid())
    except ProcessLookupError:
        adopted = True
    except OSError:
        return  # we may not know
    if adopted:
        raise ListenError("--exit-with-parent: the parent process has already ended")


def runs(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it runs as another user
    return True


def _parent_ends(parent: int) -> None:
    """Block until the process ``parent`` or standard input has ended."""
    poll = select.poll()
    stdin = reopened(0, os.O_RDONLY) if _is_pipe(0) else None
    if stdin is not None:
        poll.register(stdin, select.POLLIN)
        # A named pipe that was closed before we reopened it reports end of file only to the first read.
        if stdin != 0 and _at_end(stdin):
            return
    timeout: int | None = None
    try:
        poll.register(os.pidfd_open(parent), select.POLLIN)
    except (AttributeError, OSError):
        timeout = round(1000 * _POLL_INTERVAL)
    # Check getppid() too: if the parent has already ended, its process id may have been reused.
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
        return not os.read(fd, 65536)  # ignore whatever the parent writes
    except BlockingIOError:
        return False
    except OSError:
        return True
