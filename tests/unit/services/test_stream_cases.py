"""The catalogue of stream cases: it expects what the standard says, and plays what it lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.services.stream_test.deviations import DEVIATIONS
from oagw.timing.ticker import TICK
from tests.support.event_stream import EventStreamParser, Received, in_pieces
from tests.support.stream_cases import CASES, Case, body, expected, frame, header, is_chunked, outcome, writes
from tests.support.wire import BEARER, Connection, Wire, request

# The catalogue promises at least so many cases.
LEAST = 60

# In memory, where nothing else takes time, a write is at most this many seconds early or late.
LEEWAY = 1.01 * TICK

# Streams up to this length are also read byte by byte.
SHORT = 100_000


def listed() -> dict[str, Case]:
    """The catalogue by name, as the gateway lists it."""
    return {case["name"]: case for case in Wire().ask("GET", CASES).json()["cases"]}


CATALOGUE = listed()

every_case = pytest.mark.parametrize("name", CATALOGUE)


def events(stream: bytes, cuts: list[int]) -> list[Received]:
    """The events of ``stream`` when it arrives in pieces, cut at ``cuts``."""
    parser = EventStreamParser()
    return [event for piece in in_pieces(stream, cuts) for event in parser.feed(piece)]


def test_the_catalogue_has_at_least_sixty_cases_each_with_a_name_of_its_own() -> None:
    names = [case["name"] for case in Wire().ask("GET", CASES).json()["cases"]]
    assert len(set(names)) == len(names) >= LEAST


def test_deviations_belong_to_cases() -> None:
    assert DEVIATIONS.keys() <= CATALOGUE.keys()


@every_case
def test_what_a_case_expects_is_what_the_standard_says(name: str) -> None:
    ours, theirs = outcome(name, CATALOGUE), expected(CATALOGUE[name])
    same = ours == theirs  # not in the assertion: pytest would compare megabytes
    assert same, f"the standard says {str(ours)[:1000]}\nthe catalogue says {str(theirs)[:1000]}"


@every_case
def test_a_case_has_the_same_events_in_any_pieces(name: str) -> None:
    stream = body(CATALOGUE[name])
    whole = events(stream, [])
    if len(stream) <= SHORT:
        assert events(stream, list(range(len(stream)))) == whole

    @given(st.lists(st.integers(0, len(stream)), max_size=20))
    @settings(max_examples=20 if len(stream) <= SHORT else 3)
    def in_any_pieces(cuts: list[int]) -> None:
        same = events(stream, cuts) == whole
        assert same, cuts

    in_any_pieces()


class Played:
    """A case, played in memory to its end: each write with its time, in seconds after the request."""

    def __init__(self, name: str) -> None:
        self.wire = Wire()
        self.connection: Connection = self.wire.connect()
        asked = self.wire.clock.seconds()
        arrived = [(0.0, self.connection.send(request(f"GET {CASES}/{name} HTTP/1.1", "Host: g", BEARER)))]
        while self.wire.gateway.streams.open:
            self.wire.clock.advance(TICK)
            written = self.connection.take()
            if written:
                arrived.append((self.wire.clock.seconds() - asked, written))
        self.ends = self._ending()
        self.connection.leave()
        whole = b"".join(written for _, written in arrived)
        # Where the body begins, unless there is not even a head.
        self.head, separator, self.body = whole.partition(b"\r\n\r\n")
        offset = len(self.head) + len(separator)
        self.times: list[tuple[int, float]] = []  # how much of the body has arrived by when
        seen = -offset
        for time, written in arrived:
            seen += len(written)
            self.times.append((seen, time))

    def _ending(self) -> str:
        transport = self.connection.transport
        if transport.disconnected:
            return "reset"
        return "truncate" if transport.disconnecting else "close"

    def time(self, offset: int) -> float:
        """When the body had arrived up to ``offset``."""
        return next(time for seen, time in self.times if seen >= offset)


@every_case
def test_a_case_is_played_as_it_is_listed(name: str) -> None:
    case = CATALOGUE[name]
    played = Played(name)

    assert played.ends == case["ends"]
    if case["headers"] is None:
        assert played.head == b""
        return
    status_line, *fields = played.head.decode("latin-1").split("\r\n")
    assert status_line.split(" ")[1] == str(case["status"])
    assert {f"{name}: {value}".lower() for name, value in case["headers"].items()} <= {
        field.lower() for field in fields
    }
    types = [field for field in fields if field.lower().startswith("content-type:")]
    assert types == [f"Content-Type: {header(case, 'Content-Type')}"] * ("Content-Type" in case["headers"])
    frames = [frame(case, write) for write in writes(case)]
    if is_chunked(case) and case["ends"] == "close":
        frames.append(b"0\r\n\r\n")
    same = played.body == b"".join(frames)
    assert same, f"{played.body[:500]!r} in place of {b''.join(frames)[:500]!r}"
    due, offset = 0.0, 0
    for write, framed in zip(writes(case), frames, strict=False):
        due += write.pause
        offset += len(framed)
        assert abs(played.time(offset) - due) <= LEEWAY, (offset, due)


def test_a_case_that_is_not_in_the_catalogue_is_not_found() -> None:
    answer = Wire().ask("GET", f"{CASES}/lfcr")
    assert answer.status == 404
    start = 'Unknown case: lfcr, did you mean "lf"? There are lf, cr, crlf, '
    assert answer.json()["error"].startswith(start)
    assert len(answer.json()["error"]) < 700
