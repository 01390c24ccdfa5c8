"""Entries: the events that are reported to them, and who observes these."""

from itertools import count

from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN, SERVICE, STUB, TRUNCATED, Entry, Observer, Observers


class Recorder(Observer):
    """Records each event with a field that it changed."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def opened(self, entry: Entry) -> None:
        self.events.append(("opened", entry.number))

    def received(self, entry: Entry) -> None:
        self.events.append(("received", entry.body))

    def resolved(self, entry: Entry) -> None:
        self.events.append(("resolved", entry.alias))

    def answered(self, entry: Entry) -> None:
        self.events.append(("answered", entry.answered_by))

    def head_sent(self, entry: Entry) -> None:
        self.events.append(("head_sent", entry.response_head))

    def wrote(self, entry: Entry) -> None:
        self.events.append(("wrote", entry.sent))

    def ended(self, entry: Entry) -> None:
        self.events.append(("ended", entry.ended))


class Exchange:
    """An entry on a clock that a test moves."""

    def __init__(self, *observers: Observer) -> None:
        self.now = 10.0
        position = count(100).__next__
        told = Observers(observers, lambda: self.now, position)
        address = ("127.0.0.1", 1)
        self.entry = Entry(
            7, 9.0, b"GET", b"/x", b"Host: g", 1, 1, address, address, arrived=99, observers=told
        )


def test_observers_are_called_with_each_event_when_the_fields_are_up_to_date() -> None:
    recorder = Recorder()
    entry = Exchange(recorder, Observer()).entry
    entry.opened()
    entry.received(b"body", coded=False)
    entry.resolved("openai")
    entry.answered(SERVICE)
    entry.head_sent(b"HTTP/1.1 200 OK")
    entry.wrote(10.0, sent=5, events=1)
    entry.end(COMPLETE, 200, 5)
    assert recorder.events == [
        ("opened", 7),
        ("received", b"body"),
        ("resolved", "openai"),
        ("answered", SERVICE),
        ("head_sent", b"HTTP/1.1 200 OK"),
        ("wrote", 5),
        ("ended", COMPLETE),
    ]


def test_events_are_dated() -> None:
    exchange = Exchange()
    entry = exchange.entry
    entry.head_sent(b"HTTP/1.1 200 OK")
    exchange.now = 11.0
    entry.wrote(11.0, sent=5, events=1)
    exchange.now = 12.0
    entry.end(COMPLETE, 200, 9, wrote_end=True)
    assert (entry.first_byte, entry.last_byte, entry.closed) == (10.0, 12.0, 12.0)
    assert (entry.arrived, entry.began, entry.over) == (99, 100, 101)


def test_an_entry_ends_once() -> None:
    recorder = Recorder()
    entry = Exchange(recorder).entry
    assert entry.ended is OPEN
    entry.end(CLIENT_LEFT, None, 0)
    entry.ends(TRUNCATED)
    entry.end(COMPLETE, 200, 5)
    assert (entry.ended, entry.status, entry.sent) == (CLIENT_LEFT, None, 0)
    assert recorder.events == [("ended", CLIENT_LEFT)]


def test_how_it_is_being_ended_counts_more_than_how_the_connection_ends() -> None:
    entry = Exchange().entry
    entry.head_sent(b"HTTP/1.1 200 OK")
    entry.ends(TRUNCATED)
    entry.end(CLIENT_LEFT, 200, 3)
    assert (entry.ended, entry.status, entry.sent) == (TRUNCATED, 200, 3)


def test_the_first_time_that_the_client_closes_its_side_before_the_end_counts() -> None:
    exchange = Exchange()
    entry = exchange.entry
    before = entry.half_closed
    entry.half_close()
    exchange.now = 11.0
    entry.half_close()
    assert (before, entry.half_closed, entry.ended) == (None, 10.0, OPEN)
    answered = Exchange().entry
    answered.end(COMPLETE, 200)
    answered.half_close()
    assert answered.half_closed is None


def test_what_was_reported_as_sent_stays_when_the_end_does_not_say_otherwise() -> None:
    entry = Exchange().entry
    entry.head_sent(b"HTTP/1.1 200 OK")
    entry.wrote(10.0, sent=5, events=1)
    entry.end(COMPLETE, 200)
    assert (entry.sent, entry.events) == (5, 1)


def test_the_stub_stays_known_when_another_ends_the_answer() -> None:
    entry = Exchange().entry
    entry.answered(STUB, "id")
    entry.answered("fault")
    assert (entry.answered_by, entry.stub) == ("fault", "id")
