"""The rules over connections and the ends of responses."""

from oagw.exam.judging import judge
from oagw.exam.observed import (
    asks_for_coding,
    cancels,
    gives_up,
    leaves_closed_connection,
    needs_http_1_1,
    needs_reused_connection,
    reuses_connection,
)
from oagw.exam.reported import fails
from oagw.exam.situation import CallReport, Evidence, ExamRule, Situation, answer, rfc
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN
from tests.support.entries import Entries

SITUATION = Situation(
    name="x", happens="x", correct="x", source=rfc(9110, "15"), stubs=(answer(),), rules=(fails(),)
)


def evidence(entries: Entries, report: CallReport) -> Evidence:
    return Evidence(SITUATION, entries, [report], b"token")


def verdict(rule: ExamRule, entries: Entries, *, cancelled: bool = False) -> str:
    return rule.judge(evidence(entries, CallReport("error", cancelled=cancelled))).verdict


def on(*connections: int, fields: tuple[str, ...] = ()) -> Entries:
    """Requests on these connections, one after the other."""
    entries = Entries()
    for at, connection in enumerate(connections):
        entries.add(float(at), "GET", "/x", *fields, connection=connection)
    return entries


def test_a_client_that_stops_waiting_closes_the_connection() -> None:
    for end, expected in ((OPEN, "failed"), (CLIENT_LEFT, "passed"), (COMPLETE, "failed")):
        entries = Entries()
        entries.add(ended=end)
        assert verdict(gives_up(), entries) == expected
        assert verdict(cancels(), entries, cancelled=True) == expected
        assert verdict(cancels(), entries) == "not judged"
    assert verdict(gives_up(), Entries()) == "not judged"


def test_each_attempt_is_closed() -> None:
    entries = Entries()
    entries.add(ended=OPEN)
    entries.add(1.0, ended=CLIENT_LEFT, connection=2)
    assert verdict(gives_up(), entries) == "failed"


def test_calls_in_turn_share_a_connection() -> None:
    assert verdict(reuses_connection(), on(4, 4, 4)) == "passed"
    assert verdict(reuses_connection(), on(4, 5, 5)) == "failed"
    assert verdict(reuses_connection(), on(4, 5, fields=("Connection: close",))) == "not judged"
    assert verdict(reuses_connection(), on(4)) == "not judged"


def test_http_1_0_has_neither_chunks_nor_persistent_connections() -> None:
    for version, expected in ((b"HTTP/1.0", "not judged"), (b"HTTP/1.1", "failed")):
        entries = on(4, 5)
        for entry in entries:
            entry.version = version
        assert verdict(needs_http_1_1(reuses_connection()), entries) == expected


def test_a_connection_may_come_from_an_earlier_examination() -> None:
    entries = Entries()
    entries.add(0.0, "GET", "/x", connection=4, turn=7)
    entries.add(1.0, "GET", "/x", connection=5, turn=1)
    assert verdict(leaves_closed_connection(), entries) == "passed"
    assert verdict(needs_reused_connection(fails()), entries) == "not judged"


def test_a_closed_connection_is_not_used_again() -> None:
    assert verdict(leaves_closed_connection(), on(1, 2)) == "passed"
    assert verdict(leaves_closed_connection(), on(1, 1)) == "failed"
    assert verdict(leaves_closed_connection(), on(1)) == "not judged"


def test_a_rule_may_need_a_connection_that_is_used_again() -> None:
    assert verdict(needs_reused_connection(fails()), on(1, 1)) == "passed"
    assert verdict(needs_reused_connection(fails()), on(1, 1, 2)) == "passed"
    assert verdict(needs_reused_connection(fails()), on(1, 2)) == "not judged"


def test_a_coding_is_judged_if_it_is_asked_for() -> None:
    for field in ("Accept-Encoding: gzip", "accept-encoding: br, GZIP;q=0.5"):
        assert verdict(asks_for_coding("gzip"), on(1, fields=(field,))) == "passed"
    assert verdict(asks_for_coding("gzip"), on(1, fields=("Accept-Encoding: br",))) == "not judged"
    assert verdict(asks_for_coding("gzip"), on(1)) == "not judged"


def test_an_error_without_a_request_is_not_judged() -> None:
    judged = judge(evidence(Entries(), CallReport("error")))
    assert (judged.verdict, judged.text) == ("not judged", "The client sent no request.")
    assert judge(evidence(on(1), CallReport("error"))).verdict == "passed"
    assert judge(evidence(Entries(), CallReport("value"))).verdict == "failed"
    assert judge(evidence(Entries(), CallReport("none"))).verdict == "failed"
