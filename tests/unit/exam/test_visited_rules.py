"""Rules over where the client went, and over its later calls, on journals made by hand."""

from typing import Any

from oagw.exam.reported import then_gets
from oagw.exam.situation import GET, WORD, CallReport, Evidence, ExamRule, Situation, rfc
from oagw.exam.visited import (
    arrives_as,
    if_asked,
    keeps_from_other_host,
    sends_token,
    stops,
    token_only_in_authorization,
)
from oagw.model.entry import COMPLETE, TRUNCATED, Entry
from tests.support.entries import TOKEN, Entries

URL = "/api/oagw/v1/proxy/exam/v1/things"
MOVED = "/v1/moved"
BEARER = f"Bearer {TOKEN}"


def judged(rule: ExamRule, entries: Entries, *reports: CallReport) -> str:
    situation = Situation(
        name="x", happens="X.", correct="X.", source=rfc(9110, "1"), calls=(GET,), stubs=(), rules=(rule,)
    )
    evidence = Evidence(situation, entries, reports or [CallReport("value")], TOKEN.encode())
    return rule.judge(evidence).verdict


def visit(entries: Entries, host: str = "gateway", url: str = URL, *fields: str, **more: Any) -> Entry:
    """Add a request to ``host``."""
    authorization = more.pop("authorization", BEARER)
    lines = [f"Host: {host}", *fields, *([f"Authorization: {authorization}"] if authorization else [])]
    return entries.add(0, more.pop("method", "GET"), url, head="\r\n".join(lines).encode(), **more)


class TestToken:
    def test_it_is_sent(self) -> None:
        for authorization in (BEARER, f"bearer {TOKEN}"):
            entries = Entries()
            visit(entries, authorization=authorization)
            assert judged(sends_token(), entries) == "passed"

    def test_it_is_missing(self) -> None:
        for authorization in (None, "Bearer other", f"token {TOKEN}", TOKEN):
            entries = Entries()
            visit(entries)
            visit(entries, authorization=authorization)
            assert judged(sends_token(), entries) == "failed"

    def test_another_host_does_not_count(self) -> None:
        entries = Entries()
        visit(entries)
        visit(entries, "elsewhere", authorization=None)
        assert judged(sends_token(), entries) == "passed"

    def test_it_is_elsewhere(self) -> None:
        for arguments in (
            {"url": f"{URL}?key={TOKEN}"},
            {"body": TOKEN.encode()},
        ):
            entries = Entries()
            visit(entries, **arguments)
            assert judged(token_only_in_authorization(), entries) == "failed"
        entries = Entries()
        visit(entries, "gateway", URL, f"X-Api-Key: {TOKEN}")
        assert judged(token_only_in_authorization(), entries) == "failed"

    def test_it_is_in_its_place(self) -> None:
        entries = Entries()
        visit(entries)
        assert judged(token_only_in_authorization(), entries) == "passed"

    def test_without_requests_they_are_not_judged(self) -> None:
        for rule in (sends_token(), token_only_in_authorization(), keeps_from_other_host("Authorization")):
            assert judged(rule, Entries()) == "not judged"


class TestOtherHost:
    def verdict(self, first: str | None, second: str | None, host: str = "elsewhere") -> str:
        entries = Entries()
        visit(entries, authorization=first)
        visit(entries, host, URL + MOVED, authorization=second)
        return judged(keeps_from_other_host("Authorization"), entries)

    def test_the_field_is_not_sent(self) -> None:
        assert self.verdict(BEARER, None) == "passed"

    def test_the_field_is_sent(self) -> None:
        assert self.verdict(BEARER, BEARER) == "failed"

    def test_the_client_stays(self) -> None:
        assert self.verdict(BEARER, BEARER, "gateway") == "not judged"

    def test_the_client_never_sends_it(self) -> None:
        assert self.verdict(None, None) == "not judged"


class TestRedirects:
    def verdict(self, rule: ExamRule, method: str, body: bytes = b"", url: str = URL + MOVED) -> str:
        entries = Entries()
        visit(entries, method="POST", body=b"{}", status=307)
        visit(entries, url=url, method=method, body=body)
        return judged(rule, entries)

    def test_method_and_body(self) -> None:
        rule = arrives_as("POST", MOVED, True)
        assert self.verdict(rule, "POST", b"{}") == "passed"
        assert self.verdict(rule, "GET") == "failed"
        assert self.verdict(rule, "POST") == "failed"
        assert self.verdict(rule, "POST", b"{}", URL) == "not judged"

    def test_a_rule_for_those_that_follow(self) -> None:
        rule = if_asked(MOVED, ExamRule("r", lambda evidence: sends_token().judge(evidence)))
        assert self.verdict(rule, "GET") == "passed"
        assert self.verdict(rule, "GET", url=URL) == "not judged"


class TestPages:
    def verdict(self, *pages: str, outcome: Any = "value", ended: Any = COMPLETE) -> str:
        entries = Entries()
        for page in pages:
            visit(entries, url=f"{URL}?after={page}", ended=ended)
        return judged(stops(), entries, CallReport(outcome))

    def test_each_page_once(self) -> None:
        assert self.verdict("a", "b", "c") == "passed"

    def test_once_more_to_notice(self) -> None:
        assert self.verdict("a", "b", "b") == "passed"

    def test_again_and_again(self) -> None:
        assert self.verdict("a", "b", "b", "b") == "failed"
        assert self.verdict("a", "b", "a", "b") == "failed"

    def test_a_limit_of_pages(self) -> None:
        assert self.verdict("a", *["b"] * 50, outcome="error") == "passed"
        assert self.verdict("a", *["b"] * 200, outcome="error") == "failed"

    def test_a_page_that_was_cut_may_be_asked_for_again(self) -> None:
        assert self.verdict("a", "a", "a", ended=TRUNCATED) == "not judged"


class TestLaterCalls:
    def verdict(self, *reports: CallReport) -> str:
        return judged(then_gets(), Entries(), *reports)

    def test_they_succeed(self) -> None:
        value = CallReport("value", value=WORD)
        assert self.verdict(value, value) == "passed"

    def test_they_fail(self) -> None:
        value = CallReport("value", value=WORD)
        assert self.verdict(value, value, CallReport("error")) == "failed"
        assert self.verdict(value, CallReport("value", value="other")) == "failed"
        assert self.verdict(value, CallReport("none")) == "failed"

    def test_the_first_failed(self) -> None:
        assert self.verdict(CallReport("error"), CallReport("error")) == "not judged"
