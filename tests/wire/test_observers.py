"""Observers of a gateway: what they are told of requests from the wire."""

from collections import Counter

from oagw.app import Gateway
from oagw.config import Config
from oagw.model.entry import Entry, Observer
from tests.support.wire import BEARER, Connection, request
from tests.support.wire_case import WireTestCase


class AnswersByStatus(Observer):
    """Counts answers by their status."""

    def __init__(self) -> None:
        self.counts: Counter[int | None] = Counter()

    def ended(self, entry: Entry) -> None:
        self.counts[entry.status] += 1


class ObserversTests(WireTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.answers = AnswersByStatus()
        self.wire.gateway = Gateway(Config(seed=1), self.wire.clock, observers=[self.answers])

    def test_every_answer_is_counted_once(self) -> None:
        self.wire.ask("GET", "/health", token=None)
        self.wire.ask("GET", "/oagw/v1/proxy/stream-test/events")
        self.wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Oslo", token="wrong")
        self.wire.ask("GET", "/oagw/v1/proxy/none/x")
        self.wire.admin("GET", "/mappings")
        self.assertEqual(self.answers.counts, {200: 3, 403: 1, 404: 1})

    def test_so_is_what_was_refused_and_what_was_cut(self) -> None:
        events = request("GET /oagw/v1/proxy/stream-test/events HTTP/1.1", "Host: g", BEARER)
        upload = request("POST /oagw/v1/status HTTP/1.1", "Host: g", BEARER, "Content-Length: 5")
        for sent in (b"NOT HTTP\r\n\r\n", events, upload):
            connection = Connection(self.wire.gateway)
            connection.send(sent)
            connection.leave()
        self.wire.clock.advance(60)
        self.assertEqual(self.answers.counts, {400: 1, 200: 1, None: 1})
