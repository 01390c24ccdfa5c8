"""The proxy between Chromium and the gateway adds the token, and changes neither pieces nor ends."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.parsers.in_node import SCRIPTS

# Listens in front of the URL in its argument, says where, and ends with its standard input.
SCRIPT = """
import { listenWithToken } from "./with-token.mjs";
console.log(await listenWithToken(process.argv[1], "let-me-in"));
process.stdin.on("end", () => process.exit()).resume();
"""

ASKED = b"GET /api/stream HTTP/1.1\r\nHost: page\r\nConnection: keep-alive\r\n\r\n"

LINGER_NOT = b"\1\0\0\0\0\0\0\0"  # to close with it set is to reset


@contextmanager
def passed_on() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection through the proxy; the request has arrived."""
    node = shutil.which("node")
    if node is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node is not on the PATH")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [node, "--input-type=module", "--eval", SCRIPT, url]
        with subprocess.Popen(command, cwd=SCRIPTS, stdin=-1, stdout=-1) as proxy, ExitStack() as stack:
            stack.callback(proxy.kill)
            assert proxy.stdout is not None
            port = int(proxy.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(ASKED)
                server, _ = listening.accept()
                with server:
                    server.settimeout(20)
                    yield client, server
            proxy.communicate(timeout=20)


def head(server: socket.socket) -> list[bytes]:
    """The lines of the request that ``server`` gets."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += server.recv(65536)
    return received.split(b"\r\n")[:-2]


def test_the_request_has_the_token_and_asks_for_a_connection_of_its_own() -> None:
    with passed_on() as (_, server):
        line, *fields = head(server)

    assert line == b"GET /api/stream HTTP/1.1"
    assert fields == [b"Host: page", b"Connection: close", b"Authorization: Bearer let-me-in"]


def test_pieces_arrive_one_by_one_and_a_fin_after_them() -> None:
    with passed_on() as (client, server):
        head(server)
        for piece in (b"HTTP/1.1 200 OK\r\n\r\n", b"da", b"ta: \xe2", b"\x82", b"\xac"):
            server.sendall(piece)
            assert client.recv(65536) == piece
        server.shutdown(socket.SHUT_WR)
        assert client.recv(65536) == b""


def test_a_reset_is_passed_on_as_a_reset() -> None:
    with passed_on() as (client, server):
        head(server)
        server.sendall(b"data: tw")
        assert client.recv(65536) == b"data: tw"
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        server.close()
        with pytest.raises(ConnectionResetError):
            client.recv(65536)
