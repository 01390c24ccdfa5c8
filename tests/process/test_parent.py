import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from launched import PATIENCE, ROOT, SERVER, Launched, free_port, until

# Starts the server with the kind of standard input that is named first and then does nothing more.
PARENT = """
import signal, socket, subprocess, sys
ours, theirs = socket.socketpair()
kinds = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL, "socket": theirs}
server = subprocess.Popen(sys.argv[2:], stdin=kinds[sys.argv[1]])
theirs.close()
signal.pause()
"""

# The same from a thread that ends at once, as a runner of tests with many workers does.
THREAD = """
import signal, subprocess, sys, threading
def start():
    global server
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
thread = threading.Thread(target=start)
thread.start()
thread.join()
signal.pause()
"""

# Starts the server with a pipe, and then a child that holds the pipe's other end for as long as it lives.
FORKING = """
import os, signal, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
if not os.fork():
    os.close(1)
    os.close(2)
signal.pause()
"""

# The server where the system cannot tell when a process ends.
WITHOUT_PIDFD = (
    "import os, sys; del os.pidfd_open; from oagw.server.run import main; sys.exit(main(sys.argv[1:]))"
)

# A launcher that waits for the server, which has the launcher's standard input.
LAUNCHER = ("/bin/sh", "-c", 'exec 3<&0; "$@" <&3 & wait', "sh")

INPUTS = pytest.mark.parametrize("stdin", ["pipe", "null", "socket"])
WATCHING = ("0", "--exit-with-parent")


def parent(stdin: str) -> tuple[str, ...]:
    return (sys.executable, "-c", PARENT, stdin, *SERVER)


def kill_the_parent(server: Launched) -> None:
    assert server.event["pid"] != server.process.pid
    server.process.kill()
    server.process.wait(PATIENCE)


@INPUTS
def test_a_server_ends_when_its_parent_is_killed(stdin: Any) -> None:
    with Launched(*WATCHING, command=parent(stdin)) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        server.rest()  # ends with the last process that holds standard output
        assert not server.accepts()
        assert server.said().count("\n") == 1


@INPUTS
def test_a_server_ends_when_its_parent_is_killed_as_soon_as_it_listens(stdin: Any) -> None:
    with Launched(*WATCHING, command=parent(stdin)) as server:
        kill_the_parent(server)
        server.rest()
        assert not server.accepts()


@INPUTS
def test_without_the_option_a_server_outlives_its_parent(stdin: Any) -> None:
    with Launched("0", command=parent(stdin)) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        assert [server.get()[0] for _ in range(5)] == [200] * 5


def test_the_end_of_the_thread_that_started_it_is_not_the_end_of_the_parent() -> None:
    with Launched(*WATCHING, command=(sys.executable, "-c", THREAD, *SERVER)) as server:
        assert [server.get()[0] for _ in range(5)] == [200] * 5
        kill_the_parent(server)
        server.rest()


def test_a_server_ends_with_its_parent_though_a_child_of_that_still_holds_the_pipe() -> None:
    with Launched(*WATCHING, command=(sys.executable, "-c", FORKING, *SERVER)) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        server.rest()
        assert not server.accepts()


def test_a_server_ends_with_its_launcher_though_the_test_still_holds_the_pipe() -> None:
    with Launched(*WATCHING, command=(*LAUNCHER, *SERVER), stdin=subprocess.PIPE) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        server.rest()
        assert not server.accepts()


def test_a_server_ends_with_the_pipe_though_its_launcher_lives() -> None:
    with Launched(*WATCHING, command=(*LAUNCHER, *SERVER), stdin=subprocess.PIPE) as server:
        assert server.get()[0] == 200
        server.process.stdin.close()
        server.rest()
        assert not server.accepts()
        assert server.process.wait(PATIENCE) == 0


@INPUTS
def test_where_the_system_cannot_tell_a_server_still_ends_with_its_parent(stdin: Any) -> None:
    command = (*parent(stdin)[:4], sys.executable, "-c", WITHOUT_PIDFD)
    with Launched(*WATCHING, command=command, cwd=ROOT) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        server.rest()
        assert not server.accepts()


def test_with_standard_input_closed_the_parent_is_watched() -> None:
    command = ("/bin/sh", "-c", '"$@" <&- & sleep 60', "sh", *SERVER)
    with Launched(*WATCHING, command=command) as server:
        assert server.get()[0] == 200
        kill_the_parent(server)
        until(lambda: not server.accepts())


def test_open_streams_end_cleanly_when_the_parent_does() -> None:
    with Launched(*WATCHING, "--stream-interval-scale", "1000", stdin=subprocess.PIPE) as server:
        with server.stream() as stream:
            server.process.stdin.close()
            assert stream.recv(100) == b"0\r\n\r\n"
            assert stream.recv(100) == b""
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("when", ["before it starts", "as soon as it listens", "when it answers"])
@pytest.mark.parametrize("kind", ["pipe", "named pipe"])
def test_a_server_ends_with_its_standard_input(kind: str, when: Any, tmp_path: Path) -> None:
    if kind == "pipe":
        descriptors = os.pipe()
    else:
        os.mkfifo(tmp_path / "input")
        reading = os.open(tmp_path / "input", os.O_RDONLY | os.O_NONBLOCK)
        descriptors = reading, os.open(tmp_path / "input", os.O_WRONLY)
        os.set_blocking(reading, True)
    with open(descriptors[0], "rb", 0) as read, open(descriptors[1], "wb", 0) as write:
        if when == "before it starts":
            write.close()
        with Launched(*WATCHING, stdin=read) as server:
            read.close()
            if when == "when it answers":
                assert server.get()[0] == 200
            write.close()
            assert server.process.wait(PATIENCE) == 0
            assert server.said().count("\n") == 1


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_the_parent_writes_to_standard_input_stops_nothing(kind: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Launched(*WATCHING, stdin=subprocess.PIPE if kind == "pipe" else theirs) as server:
        theirs.close()
        end = server.process.stdin.fileno() if kind == "pipe" else ours.fileno()
        os.set_blocking(end, False)
        left = 400_000  # more than fits into either: it has to be read

        def written() -> bool:
            nonlocal left
            with contextlib.suppress(BlockingIOError):
                left -= os.write(end, b"x" * min(left, 10_000))
            return left == 0

        until(written)
        assert [server.get()[0] for _ in range(5)] == [200] * 5
        (server.process.stdin if kind == "pipe" else ours).close()
        assert server.process.wait(PATIENCE) == 0


def test_without_the_option_the_end_of_standard_input_stops_nothing() -> None:
    with Launched(str(free_port()), stdin=subprocess.PIPE) as server:
        assert server.get()[0] == 200
        server.process.stdin.close()
        assert [server.get()[0] for _ in range(5)] == [200] * 5
        assert server.stop(signal.SIGTERM) == 0
