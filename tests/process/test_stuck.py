"""A server that is busy, or whose parent and clients do not read, ends all the same when it is told to."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from launched import PATIENCE, ROOT, SERVER, TOKEN, Launched, free_port, until

# The server, whose event loop never goes on once /health is asked for.
BUSY = """
import os, sys
from oagw.gateway.status import Health
from oagw.server.run import main

def spin(self, request):
    os.write(2, b"busy\\n")
    while True:
        pass

Health.render_GET = spin
sys.exit(main(sys.argv[1:]))
"""

# Starts a command with our standard input, and waits for it.
PARENT = "import subprocess, sys; sys.exit(subprocess.Popen(sys.argv[1:]).wait())"

EVENTS = "/oagw/v1/proxy/stream-test/events?count=100000&interval=0&size=1000"


def terminated(server: Launched) -> None:
    server.process.terminate()


def input_closed(server: Launched) -> None:
    server.process.stdin.close()


def parent_killed(server: Launched) -> None:
    server.process.kill()


HOW = pytest.mark.parametrize("end", [terminated, input_closed, parent_killed])


def launched(
    end: Callable[[Launched], None], *args: str, command: tuple[str, ...] = SERVER, **popen: object
) -> Launched:
    """A server; it has a parent of its own if that is to be killed."""
    if end is parent_killed:
        command = (sys.executable, "-c", PARENT, *command)
    options = {"stdin": subprocess.PIPE, "cwd": ROOT, **popen}
    return Launched(*(args or ("0",)), "--exit-with-parent", command=command, **options)


def assert_over(server: Launched, end: Callable[[Launched], None]) -> None:
    """The server has ended, or does so soon, with status 0 if the test can see that."""
    if end is not parent_killed:
        assert server.process.wait(PATIENCE) == 0
    until(lambda: not server.accepts())


def asking(server: Launched, path: str) -> socket.socket:
    """A connection on which ``path`` was asked for, and nothing is read."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", "", ""]
    connection = server.connect()
    connection.sendall("\r\n".join(lines).encode())
    return connection


@HOW
def test_a_server_whose_event_loop_does_not_go_on_ends(end: Any) -> None:
    with launched(end, command=(sys.executable, "-c", BUSY)) as server, asking(server, "/health"):
        until(lambda: "busy" in server.said())
        end(server)
        assert_over(server, end)


def test_signals_that_come_again_do_not_put_off_the_end() -> None:
    with launched(terminated, command=(sys.executable, "-c", BUSY)) as server, asking(server, "/health"):
        until(lambda: "busy" in server.said())
        again = threading.Event()

        def terminate() -> None:
            while not again.wait(0.1):
                server.process.terminate()

        thread = threading.Thread(target=terminate)
        thread.start()
        try:
            assert_over(server, terminated)
        finally:
            again.set()
            thread.join()


@HOW
def test_a_server_ends_while_it_lists_its_journal(end: Any) -> None:
    with launched(end) as server, ExitStack() as stack:
        body = b"a=" + b"&b=%41" * 150_000
        for _ in range(20):
            server.ask("POST", "/nowhere", body, Content_Type="application/x-www-form-urlencoded")
        for _ in range(3):
            stack.enter_context(asking(server, "/__admin/requests"))
        end(server)
        assert_over(server, end)


@HOW
def test_a_server_ends_though_nobody_reads_what_it_streams(end: Any) -> None:
    with launched(end) as server, ExitStack() as stack:
        connections = [stack.enter_context(asking(server, EVENTS)) for _ in range(5)]
        for connection in connections:
            assert connection.recv(1000)
        end(server)
        assert_over(server, end)


@contextmanager
def full_pipe() -> Iterator[int]:
    """The end of a pipe that takes nothing more."""
    read, write = os.pipe()
    try:
        os.set_blocking(write, False)
        with suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 4096)
        os.set_blocking(write, True)
        yield write
    finally:
        os.close(read)
        os.close(write)


@contextmanager
def stopped_reader() -> Iterator[int]:
    """The end of a pipe whose reader was stopped by SIGSTOP."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        reader.send_signal(signal.SIGSTOP)
        try:
            yield reader.stdin.fileno()
        finally:
            reader.kill()


@HOW
@pytest.mark.parametrize("output", [full_pipe, stopped_reader])
def test_a_server_ends_though_nobody_reads_its_output(end: Any, output: Any) -> None:
    port = str(free_port())
    with (
        output() as write,
        launched(end, port, "--access-log", announces=False, stdout=write, stderr=write) as server,
    ):
        until(server.accepts)
        for _ in range(100):
            server.get("/" + "x" * 1000)  # each is a line
        end(server)
        assert_over(server, end)
