"""Write lines to standard output and standard error without ever blocking or failing.

A parent may pipe our output and never read it, or close its end. Lines that do not fit into the pipe
at once, and lines to a closed pipe, are dropped.
"""

import os
import select
import stat

# PIPE_BUF on Linux. POSIX guarantees that a write of at most this many bytes to a pipe is atomic.
_ATOMIC = 4096


def fill_standard_streams() -> None:
    """Open /dev/null for each of the descriptors 0, 1 and 2 that the parent has closed.

    Otherwise, the next file or socket that this process opens would become, say, its standard output.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


class Console:
    """Write lines to the file descriptor ``fd``, and drop those that cannot be written at once."""

    def __init__(self, fd: int) -> None:
        self._fd = reopened(fd, os.O_WRONLY)

    def line(self, text: str) -> None:
        """Write ``text`` as one line, truncated to the size of an atomic write (4,096 bytes)."""
        data = text.replace("\n", " ").encode("utf-8", "backslashreplace")[: _ATOMIC - 1] + b"\n"
        try:
            poll = select.poll()
            poll.register(self._fd, select.POLLOUT)
            if any(events & select.POLLOUT for _, events in poll.poll(0)):
                os.write(self._fd, data)
        except OSError:
            pass  # the pipe is closed, or another process has filled it


def reopened(fd: int, mode: int) -> int:
    """Return a new non-blocking descriptor for the pipe or terminal ``fd``, or ``fd`` if there is none.

    ``mode`` is O_RDONLY or O_WRONLY. O_NONBLOCK belongs to the open file description, which is shared with
    the parent, so setting it on ``fd`` would change the parent's input or output too. On Linux, opening the
    pipe through /proc creates a separate description. Where that fails, callers rely on ``poll``, which is
    wrong only if another process uses the pipe between ``poll`` and the read or write.
    """
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode) or os.isatty(fd):
            return os.open(f"/proc/self/fd/{fd}", mode | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        pass
    return fd
