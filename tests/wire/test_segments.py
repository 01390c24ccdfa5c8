"""How a request is cut into segments changes nothing: not its answer, not its entry in the journal.

The requests are those that other wire tests send, collected by running them.
"""

import unittest
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import pairwise
from random import Random
from types import ModuleType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from tests.support.wire import Connection, Wire

SOURCES = [
    import_module(f"tests.wire.test_{name}")
    for name in (
        *("arrivals", "faults", "journal", "line_ends", "pipelining"),
        *("refusals", "requests", "strictness", "stubs"),
    )
]

# Bytes up to which a request is cut at each place, and byte by byte.
SHORT, MEDIUM = 60, 2_000

# A client that waits before it sends a body is told to go on; one that does not wait is not.
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class SegmentTests(SynchronousTestCase):
    def sent(self, modules: Iterable[ModuleType]) -> list[bytes]:
        """What the tests in ``modules`` send, each once."""
        sent: dict[bytes, None] = {}
        send = Connection.send

        def recorded(connection: Connection, data: bytes, *, piece: int | None = None) -> bytes:
            sent[data] = None
            return send(connection, data, piece=piece)

        self.patch(Connection, "send", recorded)
        for module in modules:
            unittest.defaultTestLoader.loadTestsFromModule(module).run(unittest.TestResult())
        self.flushLoggedErrors()
        return list(sent)

    def outcome(self, data: bytes, cuts: Iterable[int] = ()) -> tuple[Any, ...]:
        """What comes of ``data`` that arrives with these ``cuts``: all that the client or the author sees."""
        wire = Wire(Config(seed=1, access_log=True))
        connection = wire.connect()
        for start, end in pairwise((0, *cuts, len(data))):
            connection.protocol.dataReceived(data[start:end])
        wire.clock.turns(10_000)  # pipelined requests take one each
        transport = connection.transport
        # If the client has sent more than is answered, the connection ends more gently.
        ended = transport.half_closed or transport.disconnecting or transport.disconnected
        answer = connection.take().replace(CONTINUE, b"")
        connection.leave()
        entries = [
            (
                (entry.method, entry.url, entry.version, entry.head, entry.body, entry.body_size),
                (entry.status, entry.response_head, entry.sent, entry.ended, entry.source, entry.matched),
            )
            for entry in wire.gateway.sandboxes.default.journal
        ]
        return answer, ended, entries, wire.log

    def cuts(self, data: bytes, random: Random) -> Iterator[Iterable[int]]:
        """Ways to cut ``data``."""
        places = range(1, len(data))
        if len(data) <= SHORT:
            yield from ((place,) for place in places)
        if len(data) <= MEDIUM:
            yield places
        for most in (1, 3, 10):
            yield sorted(random.sample(places, min(most, len(places))))

    def test_every_request_has_one_outcome_however_it_is_cut(self) -> None:
        random = Random(1)
        requests = self.sent(SOURCES)
        self.assertGreater(len(requests), 500)
        for data in requests:
            whole = self.outcome(data)
            for cuts in self.cuts(data, random):
                self.assertEqual(self.outcome(data, cuts), whole, (data[:1000], list(cuts)[:20]))
        self.flushLoggedErrors()
