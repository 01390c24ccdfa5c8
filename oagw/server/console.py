"""Lines to the parent process that can never stall or kill this one.

A parent may pipe our output and never read it, or close its end. A line that does not fit into the pipe
at once is dropped, and so is every line to a pipe that is closed.
"""

import os
import select
import stat

# What POSIX lets a pipe take in one piece: a shorter line is written whole or not at all.
_ATOMIC = 4096


def fill_standard_streams() -> None:
    """Let no pipe or socket of our own become descriptor 0, 1 or 2 where the parent has closed one."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


class Console:
    """Writes lines to the descriptor ``fd``, or drops them."""

    def __init__(self, fd: int) -> None:
        self._fd = reopened(fd, os.O_WRONLY)

    def line(self, text: str) -> None:
        """Write ``text``, cut to one atomic write, as a line."""
        data = text.replace("\n", " ").encode("utf-8", "backslashreplace")[: _ATOMIC - 1] + b"\n"
        try:
            poll = select.poll()
            poll.register(self._fd, select.POLLOUT)
            if any(events & select.POLLOUT for _, events in poll.poll(0)):
                os.write(self._fd, data)
        except OSError:
            pass  # closed, or full after all


def reopened(fd: int, mode: int) -> int:
    """For a pipe, a descriptor of our own that does not block; elsewhere ``fd`` itself.

    ``mode`` is O_RDONLY or O_WRONLY. O_NONBLOCK belongs to the open file description, which is shared with
    the parent: set on ``fd``, it would change the parent's own input or output. Linux opens a pipe anew
    through /proc. Where that fails, the callers' ``poll`` has to do, which errs only if another process
    uses up the pipe in between.
    """
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode) or os.isatty(fd):
            return os.open(f"/proc/self/fd/{fd}", mode | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        pass
    return fd
