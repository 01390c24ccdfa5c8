"""The report as a whole."""

from oagw.model.entry import CLIENT_LEFT, GATEWAY, RESET, TRUNCATED
from oagw.verify.report.build import MAX_FINDINGS, text
from tests.support.entries import CHAT, TOKEN, Entries
from tests.support.work import report_of

EVENTS = ("Content-Type: text/event-stream",)


def well_behaved() -> Entries:
    """A client that does all that can be asked: it waits, pools, retries what was cut, cancels streams."""
    entries = Entries()
    entries.add(0, "GET", "/health", answered_by=GATEWAY, authorization=None)
    entries.add(1, body=b"1", status=429, answer=("Retry-After: 2",))
    entries.add(3, body=b"1")
    entries.add(4, body=b"2", status=503)
    entries.add(4.5, body=b"2", status=503)
    entries.add(5.5, body=b"2")
    entries.add(6, body=b"3", ended=TRUNCATED)
    entries.add(6.5, body=b"3", connection=2)
    entries.add(7, body=b"4", status=400, connection=2)
    entries.add(8, "GET", "/oagw/v1/proxy/github/users/missing", status=404, connection=2)
    entries.add(9, body=b"5", answer=EVENTS, ended=CLIENT_LEFT, connection=2)
    entries.add(10, body=b"6", connection=3, took=1)
    entries.add(10.5, body=b"7", connection=4)
    return entries


def test_a_well_behaved_client_has_a_clean_card() -> None:
    told = report_of(well_behaved(), retry_due=True, streams_cancelled=True)
    assert told.findings == []
    assert told.requests == 13
    assert told.not_checked == []


def test_what_the_journal_cannot_show_alone_is_said() -> None:
    told = report_of(Entries())
    assert [one.rule for one in told.not_checked] == [
        "incomplete-answer-accepted",
        "stream-read-after-cancel",
    ]
    assert all(one.reason for one in told.not_checked)


def test_how_many_answers_were_cut_is_said_where_that_is_not_looked_into() -> None:
    entries = Entries()
    entries.add(0, ended=TRUNCATED)
    assert "\n  1 answer was truncated: set retryDue=true" in text(report_of(entries), entries)
    entries.add(1, ended=RESET)
    cut, cancelled = report_of(entries).not_checked
    assert cut.reason.startswith("2 answers were truncated: set retryDue=true")
    assert cancelled.reason.startswith("set streamsCancelled=true")
    (left,) = report_of(entries, retry_due=True).not_checked
    assert left == cancelled


def test_one_request_is_one_request() -> None:
    entries = Entries()
    entries.add()
    assert text(report_of(entries), entries).startswith("1 request, 0 findings\n")


def test_the_gravest_come_first_and_the_text_has_the_proof() -> None:
    entries = Entries()
    entries.add(0, "GET", "/health", answered_by=GATEWAY)
    entries.add(1, status=400)
    entries.add(2, status=429, answer=("Retry-After: 2",))
    entries.add(2.5, answer=EVENTS)
    told = report_of(entries)
    assert [found.severity for found in told.findings] == ["error", "warning", "note"]
    lines = text(told, entries)
    assert lines.startswith("4 requests, 3 findings\n\nerror: retry-after-not-honoured\n")
    assert f"   +0.500 s  POST {CHAT} -> 200 from openai\n" in lines
    assert f"connection 1, request 4, id {entries[3].id}\n" in lines
    assert "\nnot checked: stream-read-after-cancel\n  1 answer was a stream: set" in lines
    assert "incomplete-answer-accepted" not in lines  # no answer was cut
    assert TOKEN not in lines


def test_a_card_is_bounded() -> None:
    entries = Entries()
    for at in range(2 * MAX_FINDINGS):
        entries.add(at * 20, url=f"/api/oagw/v1/x?{at}", status=429, answer=("Retry-After: 2",))
        entries.add(at * 20 + 1, url=f"/api/oagw/v1/x?{at}")
    assert len(report_of(entries).findings) == MAX_FINDINGS
