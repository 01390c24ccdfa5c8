import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import tty
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from launched import SERVER, Launched, free_port, until

# Each request writes a line of a good 800 bytes to the access log: a pipe is full after 80 of them.
REQUESTS = 2000
PATH = "/" + "x" * 800

needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="a pipe is opened anew through /proc")


def flood(server: Launched) -> None:
    """Many requests over one connection, each answered."""
    batch = 50
    with server.connect() as connection:
        for _ in range(REQUESTS // batch):
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: mock\r\n\r\n".encode() * batch)
            answered, tail = 0, b""
            while answered < batch:
                piece = connection.recv(65536)
                assert piece
                answered += (tail + piece).count(b"HTTP/1.1 404 ")
                tail = piece[-12:]


def non_blocking(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK)


@contextlib.contextmanager
def ends(read: int, write: int) -> Iterator[tuple[int, int]]:
    """Both ends of a pipe, closed afterwards unless a test has done so."""
    try:
        yield read, write
    finally:
        for descriptor in (read, write):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def a_pipe() -> AbstractContextManager[tuple[int, int]]:
    return ends(*os.pipe())


def a_socket_pair() -> AbstractContextManager[tuple[int, int]]:
    ours, theirs = socket.socketpair()
    return ends(ours.detach(), theirs.detach())


def a_terminal() -> AbstractContextManager[tuple[int, int]]:
    return ends(*os.openpty())


def a_raw_terminal() -> AbstractContextManager[tuple[int, int]]:
    read, write = os.openpty()
    tty.setraw(write)
    return ends(read, write)


OUTPUTS = pytest.mark.parametrize("output", [a_pipe, a_socket_pair, a_terminal, a_raw_terminal])


@OUTPUTS
def test_a_parent_that_never_reads_stalls_nothing_and_keeps_its_own_flags(output: Any) -> None:
    with output() as (_, write), Launched("0", "--access-log", stderr=write) as server:
        flood(server)
        assert server.get()[0] == 200
        assert not non_blocking(write)
        assert server.stop() == 0
        assert not non_blocking(write)


def test_lines_that_find_no_room_are_left_out_and_the_others_are_whole() -> None:
    with a_pipe() as (read, write), Launched("0", "--access-log", stderr=write) as server:
        flood(server)
        assert server.stop() == 0
        os.close(write)
        with open(read, closefd=False) as file:
            first, *lines = file.read().splitlines()
    assert first.startswith("oagw-mock-server listens on ")
    assert {line.rsplit(" ", 1)[0] for line in lines} == {f"127.0.0.1 GET {PATH} 404"}
    assert 50 < len(lines) < REQUESTS


def test_lines_are_written_again_once_the_parent_reads() -> None:
    with a_pipe() as (read, write), Launched("0", "--access-log", stderr=write) as server:
        flood(server)
        while select.select([read], [], [], 0)[0]:
            os.read(read, 65536)
        server.get("/read-again")
        lines = bytearray()

        def written() -> bool:
            while select.select([read], [], [], 0)[0]:
                lines.extend(os.read(read, 65536))
            return b"/read-again" in lines

        until(written)  # an answer is out before its line


@OUTPUTS
def test_a_parent_that_closes_its_end_stalls_and_kills_nothing(output: Any) -> None:
    with output() as (read, write), Launched("0", "--access-log", stderr=write) as server:
        server.get()
        os.close(write)
        if output in (a_terminal, a_raw_terminal):
            # The end of a terminal is no matter of writing: who owns it gets SIGHUP, and this has no owner.
            os.read(read, 65536)
        os.close(read)
        flood(server)
        assert server.get()[0] == 200
        assert server.stop() == 0


def test_output_that_is_closed_from_the_start_stalls_and_kills_nothing() -> None:
    port = free_port()
    with a_pipe() as (read, write):
        os.close(read)
        with Launched(str(port), "--access-log", announces=False, stdout=write, stderr=write) as server:
            until(server.accepts)
            flood(server)
            assert server.stop() == 0


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null"])
def test_a_device_that_takes_nothing_stalls_and_kills_nothing(path: str) -> None:
    port = free_port()
    with (
        open(path, "wb") as device,
        Launched(str(port), "--access-log", announces=False, stdout=device, stderr=device) as server,
    ):
        until(server.accepts)
        flood(server)
        assert server.stop() == 0


@needs_proc
@pytest.mark.parametrize("output", [a_pipe, a_socket_pair, a_terminal])
def test_standard_input_is_watched_without_a_change_of_the_parents_flags(output: Any) -> None:
    with output() as (theirs, ours):
        options = ("0", "--exit-with-parent")
        with Launched(*options, stdin=theirs) as server:
            assert server.get()[0] == 200
            assert (non_blocking(theirs), non_blocking(ours)) == (False, False)
            assert server.stop() == 0
            assert (non_blocking(theirs), non_blocking(ours)) == (False, False)


def closing(redirections: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *SERVER)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("options", [[], ["--exit-with-parent"]], ids=["", "exit with parent"])
def test_standard_streams_may_be_closed(closed: Any, options: list[str]) -> None:
    port = str(free_port())
    with Launched(port, "--access-log", *options, command=closing(closed), announces=False) as server:
        until(server.accepts)
        flood(server)
        assert server.get("/logged")[0] == 404
        for descriptor, mark in ((1, ">&-"), (2, "2>&-")):
            # Else what is written for people would end up in a pipe or socket of the server's own.
            link = f"/proc/{server.process.pid}/fd/{descriptor}"
            if mark in closed.split() and os.path.lexists(link):
                assert os.readlink(link) == os.devnull
        assert server.stop() == 0
        assert ("GET /logged 404" in server.said()) == ("2>&-" not in closed)
        assert '"event"' not in server.said()
        assert (b'"event"' in server.rest()) == (">&-" not in closed.split())


def test_with_standard_input_closed_what_it_says_still_arrives_through_a_pipe() -> None:
    port = str(free_port())
    options = ("--access-log", "--exit-with-parent")
    with (
        a_pipe() as (read, write),
        Launched(port, *options, command=closing("<&-"), stderr=write, announces=False) as server,
    ):
        until(server.accepts)
        for _ in range(5):
            server.get("/logged")
        assert server.stop(signal.SIGTERM) == 0
        os.close(write)
        with open(read, "rb", closefd=False) as file:
            assert file.read().count(b"GET /logged 404") == 5
