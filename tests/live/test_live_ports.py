"""One gateway at two ports, on the running reactor."""

import socket
from typing import Any

import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.threads import deferToThread

from oagw.app import Gateway
from oagw.config import Config
from oagw.model.entry import Entry, Observer
from oagw.server.listen import open_socket
from oagw.verify.reaction import reacts
from tests.support.wire import BEARER, request

reactor: Any = installed_reactor

HEALTH = request("GET /health HTTP/1.1", "Host: g", "Connection: close")
MISSING = request("GET /oagw/v1/proxy/github/users/missing HTTP/1.1", "Host: g", BEARER, "Connection: close")


def opened(gateway: Gateway) -> int:
    """The number of another port of ``gateway``."""
    listening = open_socket(Config(port=0), {})
    port: int = listening.getsockname()[1]
    gateway.listen(reactor, listening)
    return port


def ask(port: int, sends: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(sends)
        return client.makefile("rb").read()


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest_twisted.ensureDeferred
async def test_numbers_are_unique_over_both_ports_and_stop_closes_both() -> None:
    gateway = Gateway(Config(port=0), reactor)
    ports = [opened(gateway), opened(gateway)]
    try:
        for port in ports * 2:
            assert b" 200 " in await deferToThread(ask, port, HEALTH)
        entries = list(gateway.sandboxes.default.journal)
        assert [entry.number for entry in entries] == [1, 2, 3, 4]
        assert [entry.connection for entry in entries] == [1, 2, 3, 4]
        assert [entry.local[1] for entry in entries] == ports * 2
    finally:
        await gateway.stop()
    assert [await deferToThread(accepts, port) for port in ports] == [False, False]


class AsksMeanwhile(Observer):
    """Sends a request to ``port`` while the first one is being answered."""

    def __init__(self) -> None:
        self.port = 0
        self.clients: list[socket.socket] = []

    def answered(self, entry: Entry) -> None:
        if not self.clients:
            self.clients.append(socket.create_connection(("127.0.0.1", self.port), 10))
            self.clients[0].sendall(MISSING)


@pytest_twisted.ensureDeferred
async def test_a_request_that_waits_at_the_other_port_is_no_reaction_to_a_failure() -> None:
    other = AsksMeanwhile()
    gateway = Gateway(Config(port=0), reactor, observers=[other])
    port, other.port = opened(gateway), opened(gateway)
    try:
        assert b" 404 " in await deferToThread(ask, port, MISSING)
        (client,) = other.clients
        assert b" 404 " in await deferToThread(client.recv, 65536)
        client.close()
        await deferToThread(ask, port, MISSING)
        first, waited, later = gateway.sandboxes.default.journal
        assert not reacts(waited, first)
        assert reacts(later, first)
    finally:
        await gateway.stop()
