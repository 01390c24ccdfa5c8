"""What is a retry and what is not, on real sockets: nothing waits here, so time tells nothing.

The server is a process of its own, as in the tests of its users; the clients are plain sockets.
"""

import json
import socket
from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest

from oagw.testing import MockGateway, Sandbox
from tests.support.wire import parse, request

TIMES = 16
LIMITED = "POST stripe/v1/charges"


@pytest.fixture
def sandbox(gateway: MockGateway) -> Iterator[Sandbox]:
    """A sandbox in which ``LIMITED`` is answered 429, and is to be asked again after five seconds."""
    with gateway.sandbox() as sandbox:
        sandbox.stub(LIMITED, status=429, headers={"Retry-After": "5"})
        yield sandbox


def connected(sandbox: Sandbox) -> socket.socket:
    host, _, port = sandbox.base_url.removeprefix("http://").partition(":")
    client = socket.create_connection((host, int(port)), timeout=20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def charge(sandbox: Sandbox, *fields: str, path: str = "stripe/v1/charges") -> bytes:
    line = f"POST /api/oagw/v1/proxy/{path} HTTP/1.1"
    authorization = f"Authorization: Bearer {sandbox.token}"
    return request(line, "Host: g", authorization, "Content-Length: 2", *fields) + b"{}"


def read(client: socket.socket, status: int = 429, count: int = 1) -> None:
    """Read ``count`` answers, each with this status."""
    data = bytearray()
    while count:
        data += client.recv(1 << 16)
        while b"\r\n\r\n" in data:
            try:
                answer, rest = parse(bytes(data))
            except AssertionError:
                break  # the body is not there yet
            assert answer.status == status
            data[:] = rest
            count -= 1


def retries(sandbox: Sandbox) -> int:
    """How many retries the report finds; verification sees the same ones."""
    report = sandbox.report()
    found = [one for one in report["findings"] if one["rule"] == "retry-after-not-honoured"]
    with_a_pause: dict[str, Any] = {"after": LIMITED, "not_sooner_than": 5}
    if found:
        with pytest.raises(
            AssertionError, match=f"(all {len(found)} requests|the one request) came too soon"
        ):
            sandbox.verify(LIMITED, **with_a_pause)
    else:
        sandbox.verify(LIMITED, times=0, **with_a_pause)
    return len(found)


def test_retries_at_once_on_the_same_connection(sandbox: Sandbox) -> None:
    with connected(sandbox) as client:
        for _ in range(TIMES + 1):
            client.sendall(charge(sandbox))
            read(client)
    assert retries(sandbox) == TIMES


@pytest.mark.parametrize("kept", [False, True])
def test_retries_at_once_on_new_connections(sandbox: Sandbox, kept: bool) -> None:
    clients = []
    for _ in range(TIMES + 1):
        client = connected(sandbox)
        client.sendall(charge(sandbox))
        read(client)
        clients.append(client)
        if not kept:
            client.close()
    assert retries(sandbox) == TIMES
    for client in clients:
        client.close()


def test_retries_at_once_on_another_connection_of_a_pool(sandbox: Sandbox) -> None:
    sandbox.stub("POST stripe/v1/other", status=200)
    with connected(sandbox) as one, connected(sandbox) as other:
        for client in (one, other):
            client.sendall(charge(sandbox, path="stripe/v1/other"))
            read(client, 200)
        for _ in range(TIMES // 2):
            for client in (one, other):
                client.sendall(charge(sandbox))
                read(client)
    assert retries(sandbox) == TIMES - 1


@pytest.mark.parametrize("used", [False, True])
def test_requests_that_were_sent_together_are_no_retries(sandbox: Sandbox, used: bool) -> None:
    sandbox.stub("POST stripe/v1/other", status=200)
    clients = [connected(sandbox) for _ in range(TIMES)]
    if used:
        for client in clients:
            client.sendall(charge(sandbox, path="stripe/v1/other"))
            read(client, 200)
    for client in clients:
        client.sendall(charge(sandbox)[:-2])
    for client in clients:
        client.sendall(b"{}")
    for client in clients:
        read(client)
        client.close()
    assert retries(sandbox) == 0


def test_callers_in_threads_are_no_retries_of_each_other(sandbox: Sandbox) -> None:
    started = Barrier(TIMES)

    def call() -> None:
        with connected(sandbox) as client:
            started.wait()
            client.sendall(charge(sandbox))
            read(client)

    threads = [Thread(target=call) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert retries(sandbox) == 0


def test_pipelined_requests_are_no_retries(sandbox: Sandbox) -> None:
    with connected(sandbox) as client:
        client.sendall(charge(sandbox) * TIMES)
        read(client, count=TIMES)
    assert retries(sandbox) == 0


def test_a_request_whose_beginning_came_with_the_first_is_no_retry(sandbox: Sandbox) -> None:
    with connected(sandbox) as client:
        client.sendall(charge(sandbox) + charge(sandbox)[:50])
        read(client)
        client.sendall(charge(sandbox)[50:])
        read(client)
    assert retries(sandbox) == 0


@pytest.mark.parametrize("fault", ["reset_peer", "limit_data; bytes=20"])
def test_retries_at_once_after_a_cut_answer(sandbox: Sandbox, fault: str) -> None:
    for _ in range(TIMES):
        with connected(sandbox) as client:
            client.sendall(charge(sandbox, f"X-OAGW-Mock-Fault: {fault}"))
            with pytest.raises(ConnectionResetError) if fault == "reset_peer" else pytest.raises(EOFError):
                while client.recv(1 << 16):
                    pass
                raise EOFError
    report = sandbox.report(retry_due=True)
    (storm, cut) = report["findings"][::-1]
    assert (storm["rule"], len(storm["entries"])) == ("retries-without-backoff", TIMES)
    assert (cut["rule"], len(cut["entries"])) == ("incomplete-answer-accepted", 1)  # the last
    assert json.dumps(report).count("retry-after") == 0
