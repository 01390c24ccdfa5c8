"""The catalogue of stream cases as its readers see it, and what the WHATWG standard makes of a case.

``Case`` is the JSON of one case, ``outcome`` an EventSource that has read the reference parser's standard:
it takes the head and the writes of a case, and does not look at what the catalogue expects.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.support.event_stream import EventStreamParser, Received

CASES = "/api/oagw/v1/proxy/stream-test/cases"

Case = Mapping[str, Any]

_REDIRECTS = (301, 302, 303, 307, 308)


class Outcome(NamedTuple):
    """What an EventSource dispatches for a case, and whether it connects again afterwards."""

    events: list[Received]
    retry: int | None
    reconnects: bool


class Write(NamedTuple):
    """One write of the server: ``data`` after ``pause`` seconds, below the chunked coding if ``raw``."""

    pause: float
    data: bytes
    raw: bool


def expected(case: Case) -> Outcome:
    """What the catalogue expects of ``case``, written out in full."""
    claimed = case["expected"]
    events = [
        Received(event["type"], event["data"] * event.get("repeat", 1), event["id"])
        for event in claimed["events"]
        for _ in range(event.get("times", 1))
    ]
    return Outcome(events, claimed["retry"], claimed["reconnects"])


def writes(case: Case) -> list[Write]:
    """The writes of ``case``, written out in full."""
    return [
        Write(chunk["pause"], b64decode(chunk["data"]) * chunk.get("repeat", 1), chunk.get("raw", False))
        for chunk in case["chunks"]
    ]


def header(case: Case, name: str) -> str | None:
    """The value of a header field of ``case``, whose name is in any case."""
    fields = {key.lower(): value for key, value in (case["headers"] or {}).items()}
    return fields.get(name.lower())


def is_chunked(case: Case) -> bool:
    """Whether the body is sent in the chunked coding: it has no length of its own."""
    return header(case, "Content-Length") is None and case["status"] not in (204, 304)


def frame(case: Case, write: Write) -> bytes:
    """``write`` as it is on the wire."""
    if write.raw or not is_chunked(case) or not write.data:
        return write.data
    return b"%x\r\n%b\r\n" % (len(write.data), write.data)


def body(case: Case) -> bytes:
    """What an HTTP client hands on of the body, however the response is cut."""
    wire = b"".join(frame(case, write) for write in writes(case))
    length = header(case, "Content-Length")
    if length is not None:
        return wire[: int(length)]
    return _unchunked(wire) if is_chunked(case) else b""


def outcome(name: str, catalogue: Mapping[str, Case]) -> Outcome:
    """What the standard's EventSource does with the case ``name``, from its head and its writes."""
    case = catalogue[name]
    if case["headers"] is None:
        return Outcome([], None, True)  # a network error
    if case["status"] in _REDIRECTS:
        return outcome(header(case, "Location") or "", catalogue)
    essence = (header(case, "Content-Type") or "").partition(";")[0].strip(" \t").lower()
    if case["status"] != 200 or essence != "text/event-stream":
        return Outcome([], None, False)
    parser = EventStreamParser()
    return Outcome(parser.feed(body(case)), parser.retry, True)


def _unchunked(wire: bytes) -> bytes:
    """The body that arrived in the chunked coding, up to where it is cut or breaks."""
    found: list[Any] = []
    while True:
        size, end, wire = wire.partition(b"\r\n")
        try:
            length = int(size, 16) if end else 0
        except ValueError:
            length = 0
        if length == 0:
            return b"".join(found)
        found.append(wire[:length])
        wire = wire[length + 2 :]
