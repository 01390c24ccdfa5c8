"""The catalogue of stream cases against the reference parser, and what of it arrives in memory."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from oagw.web.stream import TICK
from tests.support.event_stream import EventStreamParser, in_pieces
from tests.support.stream_cases import CASES, Case, body, expected, frame, is_chunked, outcome, writes
from tests.support.wire import BEARER, Wire, request

# At least as many cases as the catalogue promises.
LEAST = 60

# A stream may be this many seconds early or late in memory, where nothing else takes time.
LEEWAY = 2 * TICK


def listed() -> list[Case]:
    """The catalogue, as the gateway lists it."""
    return Wire().ask("GET", CASES).json()["cases"]


CATALOGUE: dict[str, Case] = {case["name"]: case for case in listed()}

every_case = pytest.mark.parametrize("name", CATALOGUE)


@cache
def dispatched(name: str) -> EventStreamParser:
    """A reference parser that was fed the whole body of a case at once."""
    parser = EventStreamParser()
    parser.events = parser.feed(body(CATALOGUE[name]))
    return parser
