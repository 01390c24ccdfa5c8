"""What the report says of streams that a test cancelled."""

import pytest

from oagw.model.ending import Ending
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN, TRUNCATED
from oagw.verify.report.streams import stream_read_after_cancel
from tests.support.entries import CHAT, Entries
from tests.support.work import findings

EVENTS = ("Content-Type: text/event-stream",)


def test_a_stream_that_the_client_left_is_fine() -> None:
    entries = Entries()
    entries.add(ended=CLIENT_LEFT, answer=EVENTS)
    entries.add(1)
    assert findings(stream_read_after_cancel, entries) == []


@pytest.mark.parametrize(("ended", "words"), [(COMPLETE, "read to its end (99 bytes)"), (OPEN, "still open")])
def test_a_stream_that_was_read_on_is_found(ended: Ending, words: str) -> None:
    entries = Entries()
    entries.add(ended=ended, answer=EVENTS, sent=99)
    (found,) = findings(stream_read_after_cancel, entries)
    assert found.entries == [entries[0].id]
    assert words in found.text


def test_a_stream_that_is_asked_for_again_is_found() -> None:
    entries = Entries()
    for at in (0, 1):
        entries.add(at, ended=CLIENT_LEFT, answer=EVENTS)
    (found,) = findings(stream_read_after_cancel, entries)
    assert found.entries == [entry.id for entry in entries]
    assert "requested it again 1.000 s after" in found.text


def test_another_stream_is_another_stream() -> None:
    entries = Entries()
    for at in (0, 1):
        entries.add(at, "GET", f"{CHAT}?{at}", ended=CLIENT_LEFT, answer=EVENTS)
    assert findings(stream_read_after_cancel, entries) == []


def test_what_we_ended_is_not_what_the_client_cancelled() -> None:
    entries = Entries()
    entries.add(ended=TRUNCATED, answer=EVENTS)
    entries.add(1, answer=("Content-Type: application/json",))
    assert findings(stream_read_after_cancel, entries) == []
