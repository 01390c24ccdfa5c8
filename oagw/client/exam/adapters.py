"""Adapter: a process that makes calls with the client under test, and reports on them, line by line.

One thread reads its reports and one drains its standard error, so that it never waits for us. Whoever writes
to its standard input has a deadline. Standard library only.
"""

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from queue import Empty, Full, Queue

# The longest line that an adapter may write, in bytes; and how many lines wait to be read before it has to.
MAX_LINE = 4 * 1024 * 1024
_LINES = 16

# How much of standard error is kept, in bytes, and how much of it is shown.
_KEPT = 16_384
_SHOWN_LINES = 20

# Seconds in which an adapter that has closed its standard output is expected to end.
_END = 0.5
# Seconds between two looks at whether a silent one still runs.
_LOOK = 0.25


class AdapterFailed(Exception):
    """The program of the adapter cannot be started; the message says why."""


class AdapterEnded(Exception):
    """The process has ended, or closed its standard output; the message says how, with its last words."""


class LineTooLong(Exception):
    """The process wrote a line that is longer than MAX_LINE; the argument is its beginning."""


class Adapter:
    """A running process of the program ``argv``, in a process group of its own.

    Raises AdapterFailed if there is no such program.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # its children are killed with it
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise AdapterFailed(f"cannot start the adapter {argv[0]!r}: {reason}") from None
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self._stdin = stdin.fileno()
        os.set_blocking(self._stdin, False)
        # A line, None for the end, or the beginning of a line that is too long.
        self._lines: Queue[bytes | LineTooLong | None] = Queue(_LINES)
        self._said = bytearray()  # the end of standard error
        self._total = 0  # how many bytes there were on standard error
        self._killed = False
        self._lock = threading.Lock()
        self._saying = threading.Lock()
        reader = threading.Thread(target=self._read_lines, args=(stdout.fileno(),), daemon=True)
        self._drainer = threading.Thread(target=self._drain, args=(stderr.fileno(),), daemon=True)
        # What is read, and by which thread.
        self._readers = {stdout: reader, stderr: self._drainer}
        for reader in self._readers.values():
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, line: bytes, until: float) -> None:
        """Write ``line``; give up at the time ``until``, or if the process no longer reads.

        In both cases there will be no report, which ``receive`` notices.
        """
        data = memoryview(line)
        while data:
            try:
                data = data[os.write(self._stdin, data) :]
            except BlockingIOError:
                left = until - time.monotonic()
                if left <= 0 or not _writable(self._stdin, left):
                    return
            except OSError:
                return

    def receive(self, until: float) -> bytes | None:
        """Return the next line, or None if there is none by the time ``until``.

        Raises AdapterEnded or LineTooLong.
        """
        while True:
            left = until - time.monotonic()
            try:
                line = self._lines.get(timeout=max(0.0, min(left, _LOOK)))
                break
            except Empty:
                # If its children hold the pipe, standard output does not end with it.
                if self._process.poll() is not None:
                    raise AdapterEnded(self._last_words()) from None
                if left <= _LOOK:
                    return None
        if isinstance(line, LineTooLong):
            raise line
        if line is None:
            self._put(None)  # for the next call
            raise AdapterEnded(self._last_words())
        return line

    @property
    def total(self) -> int:
        """How many bytes the process has written to standard error."""
        return self._total

    def said(self, since: int = 0) -> str:
        """Return the last lines of standard error, of what came after the first ``since`` bytes."""
        with self._saying:
            # Where ``since`` is in what is left.
            new = self._said[max(0, since - (self._total - len(self._said))) :]
        lines = bytes(new).decode(errors="replace").splitlines()
        return "\n".join(lines[-_SHOWN_LINES:]).strip()

    def end(self, within: float) -> None:
        """Close standard input, and wait so many seconds for the end. Kill what is left."""
        self._close_stdin()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, within))
        self.kill()

    def kill(self) -> None:
        """Kill the process and its children."""
        with self._lock:
            if self._killed:
                return
            self._killed = True
        # Even if the process itself has ended: its children may hold the pipes.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._close_stdin()
        for stream, reader in self._readers.items():
            reader.join(_END)
            # What left the group may still hold the pipe. Do not wait for it, nor close what a thread reads.
            if not reader.is_alive():
                stream.close()

    def _close_stdin(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _last_words(self) -> str:
        try:
            status = self._process.wait(_END)
        except subprocess.TimeoutExpired:
            how = "it closed its standard output without a report"
        else:
            how = f"it ended with status {status}" if status >= 0 else f"it was killed by {_name(-status)}"
            self._drainer.join(_END)
        said = self.said()
        return f"{how}:\n{said}" if said else f"{how}, without a word on standard error"

    def _read_lines(self, stream: int) -> None:
        # The pieces of the line that has not ended yet.
        pieces: list[bytes] = []
        size = 0
        while data := _read(stream):
            first, *rest = data.split(b"\n")
            pieces.append(first)
            size += len(first)
            for next_one in rest:
                if size > MAX_LINE:
                    break
                self._put(b"".join(pieces))
                pieces, size = [next_one], len(next_one)
            if size > MAX_LINE:
                self._put(LineTooLong(b"".join(pieces)[:1_000]))
                pieces, size = [], 0
        self._put(None)

    def _put(self, line: "bytes | LineTooLong | None") -> None:
        """Queue ``line``. While the queue is full, the process has to wait, unless it was killed."""
        while not self._killed:
            with contextlib.suppress(Full):
                self._lines.put(line, timeout=_END / 10)
                return

    def _drain(self, stream: int) -> None:
        while data := _read(stream):
            with self._saying:
                self._said += data
                self._total += len(data)
                del self._said[:-_KEPT]


def _read(stream: int) -> bytes:
    try:
        return os.read(stream, 65_536)
    except OSError:
        return b""


def _writable(fd: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1_000))


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
