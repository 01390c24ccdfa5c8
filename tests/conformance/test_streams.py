"""Behaviours 112, 113, 157 and 158: streams, and what goes wrong after the head."""

import json
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.client import Client, parsed, rest
from tests.conformance.lab import Lab, Peer, Received

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n"


def connected(client: Client) -> socket.socket:
    parts = urlsplit(client.rig.url)
    return socket.create_connection((str(parts.hostname), parts.port or 80), 15)


def until(connection: socket.socket, end: bytes) -> bytes:
    """Read up to ``end``."""
    found = b""
    while end not in found:
        piece = connection.recv(65536)
        assert piece, found
        found += piece
    return found


def silent(lab: Lab, head: bytes, body: bytes) -> None:
    """Fall silent after ``body``."""

    def script(request: Received, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)
        peer.wait_until_left()

    lab.script = script


def test_112_events_arrive_as_they_are_sent(root: Client, lab: Lab) -> None:
    step = threading.Semaphore(0)

    def script(request: Received, peer: Peer) -> None:
        peer.send(STREAM)
        for event in (b"data: 1\n\n", b"data: \xc3", b"\xa9\r\n\r\n", b"data: [DONE]\n\n"):
            assert step.acquire(timeout=10)
            peer.send(event)

    lab.script = script
    alias = root.at(lab.port)
    with connected(root) as connection:
        connection.sendall(root.head(alias))
        received = until(connection, b"\r\n\r\n")
        for event in (b"data: 1\n\n", b"data: \xc3", b"\xa9\r\n\r\n", b"data: [DONE]\n\n"):
            step.release()
            received += until(connection, event)
        answer = parsed(received + rest(connection))
    assert answer.header("content-type") == "text/event-stream; charset=utf-8"
    assert (answer.source, answer.complete) == ("upstream", True)
    assert answer.body == b"data: 1\n\ndata: \xc3\xa9\r\n\r\ndata: [DONE]\n\n"


@pytest.mark.double
def test_113_idle_stream(patient: Any, lab: Lab) -> None:
    client, advance = patient
    silent(lab, STREAM.rstrip().removeprefix(b"HTTP/1.1 200 OK\r\n"), b"data: 1\n\n")
    alias = client.at(lab.port)
    with connected(client) as connection:
        connection.sendall(client.head(alias))
        received = until(connection, b"data: 1\n\n")
        advance(9)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.setblocking(True)
        advance(1)
        answer = parsed(received + rest(connection))
    assert (answer.body, answer.complete) == (b"data: 1\n\n", True)


def test_157_silence_after_the_head(root: Client, lab: Lab) -> None:
    silent(lab, b"Transfer-Encoding: chunked", b"5\r\nbegin\r\n")
    alias = root.at(lab.port)
    answer = root.call(f"{alias}/v1?q=1")
    assert (answer.status, answer.source, answer.complete) == (200, "upstream", True)
    document = json.loads(answer.body.removeprefix(b"begin"))
    assert (document["status"], document["detail"]) == (504, "upstream read timed out")
    assert document["type"].endswith("deadline_exceeded.v1~")
    assert (document["instance"], "trace_id" in document) == (f"/{alias}/v1?q=1", False)


def test_158_the_document_may_fill_the_length(root: Client, lab: Lab) -> None:
    silent(lab, b"Content-Length: 15", b"begin")
    answer = root.call(root.at(lab.port))
    assert (answer.complete, answer.body, answer.header("content-length")) == (True, b'begin{"type":"g', "15")
