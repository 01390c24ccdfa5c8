"""The rules over what the client reports."""

from typing import Any

import pytest

from oagw.exam.reported import (
    breaks_off,
    fails,
    gets,
    gets_nothing,
    gets_or_fails,
    in_call,
    returns_part,
    shows_source,
    streams,
    streams_or_breaks_off,
)
from oagw.exam.situation import TEXT, THING, WORD, CallReport, Evidence, ExamRule, Situation, answer, rfc

SITUATION = Situation(
    name="x", happens="x", correct="x", source=rfc(9110, "15"), stubs=(answer(),), rules=(), deadline=4.0
)


def report(outcome: Any, **more: Any) -> CallReport:
    return CallReport(outcome, **more)


def verdict(rule: ExamRule, *reports: CallReport) -> str:
    return rule.judge(Evidence(SITUATION, [], reports, b"token")).verdict


def reason(rule: ExamRule, *reports: CallReport) -> str:
    return rule.judge(Evidence(SITUATION, [], reports, b"token")).text


ERROR = report("error", error="Error")
OTHER_WORD = {**THING, "choices": [{"message": {"content": "rose"}}]}


@pytest.mark.parametrize(
    "rule",
    [gets(), fails(), gets_or_fails(), streams(), breaks_off(""), streams_or_breaks_off(), gets_nothing()],
    ids=lambda rule: rule.name,
)
def test_no_rule_passes_a_client_that_hangs_or_crashes(rule: ExamRule) -> None:
    assert verdict(rule, report("none")) == "failed"
    assert reason(rule, report("none")) == "The client did not return within 4 s."
    assert verdict(rule, report("crash", message="Segmentation fault")) == "failed"
    assert verdict(rule, report("unsupported")) == "not judged"


def test_a_chat_completion_may_be_returned_as_its_word() -> None:
    assert verdict(gets(), report("value", value=dict(THING))) == "passed"
    assert verdict(gets(), report("value", value=WORD)) == "passed"
    assert verdict(gets(OTHER_WORD), report("value", value="rose")) == "passed"
    assert verdict(gets(OTHER_WORD), report("value", value=WORD)) == "failed"
    assert verdict(gets([1, 2]), report("value", value=[1, 2])) == "passed"
    for wrong in (report("value"), report("value", value=""), report("value", value={}), ERROR):
        assert verdict(gets(), wrong) == "failed"


def test_members_that_the_client_adds_do_no_harm() -> None:
    sent = {"a": {"b": [{"c": 1}]}}
    right: list[Any] = [sent, {"a": {"b": [{"c": 1, "d": None}], "e": 2}, "url": "x"}]
    wrong: list[Any] = [
        {},
        {"a": {}},
        {"a": {"b": []}},
        {"a": {"b": [{"c": 1}, 2]}},
        {"a": {"b": [{"c": 2}]}},
    ]
    for value in right:
        assert verdict(gets(sent), report("value", value=value)) == "passed"
    for value in [*wrong, [sent]]:
        assert verdict(gets(sent), report("value", value=value)) == "failed"


def test_the_status_of_an_error_may_be_missing_but_not_wrong() -> None:
    for right in (ERROR, report("error", status=None), report("error", status=502)):
        assert verdict(fails(502, 503), right) == "passed"
        assert verdict(gets_or_fails(502, 503), right) == "passed"
    wrong = report("error", status=200)
    assert verdict(fails(502, 503), wrong) == "failed"
    assert reason(fails(502, 503), wrong) == "The client shows the status 200; 502 or 503 was sent."
    assert verdict(fails(), wrong) == "passed"
    assert verdict(fails(), report("value", value=dict(THING))) == "failed"


def test_a_text_is_complete_or_wrong() -> None:
    assert verdict(streams(), report("text", text=TEXT)) == "passed"
    for wrong in (report("text", text=TEXT[1:]), report("text"), ERROR, report("error", text=TEXT)):
        assert verdict(streams(), wrong) == "failed"


def test_an_incomplete_stream_delivers_a_part_of_what_was_sent() -> None:
    rule = breaks_off("Mari")
    for right in (ERROR, report("error", text=""), report("error", text="Ma"), report("error", text="Mari")):
        assert verdict(rule, right) == "passed"
    assert verdict(rule, report("error", text="MariMari")) == "failed"
    assert reason(rule, report("error", text="x")) == (
        'The client delivered "x" before its error; "Mari" was sent.'
    )
    assert reason(rule, report("text", text="Mari")) == (
        'The client returns "Mari" as if it were the complete answer.'
    )


def test_a_retried_stream_is_complete_or_a_part() -> None:
    rule = streams_or_breaks_off()
    for right in (report("text", text=TEXT), ERROR, report("error", text=TEXT[:5])):
        assert verdict(rule, right) == "passed"
    for wrong in (report("text", text=TEXT[:5]), report("text", text=TEXT[:5] + TEXT)):
        assert verdict(rule, wrong) == "failed"


def test_a_cancelled_stream_has_a_part_of_the_text() -> None:
    rule = returns_part("Marigolds")
    for right in (
        report("text", text="Mari", cancelled=True),
        report("error", text="Mari", cancelled=True),
        report("error", cancelled=True),
    ):
        assert verdict(rule, right) == "passed"
    assert verdict(rule, report("text", text="golds", cancelled=True)) == "failed"
    assert verdict(rule, report("text", text="Marigolds")) == "not judged"
    assert verdict(rule, report("none", cancelled=True)) == "failed"


def test_no_content_is_no_value_and_no_error() -> None:
    for right in (
        report("value"),
        report("value", value=None),
        report("value", value={}),
        report("text", text=""),
    ):
        assert verdict(gets_nothing(), right) == "passed"
    assert verdict(gets_nothing(), report("value", value="x")) == "failed"
    assert (
        reason(gets_nothing(), report("value", value="x")) == 'The client returns "x"; no content was sent.'
    )
    assert verdict(gets_nothing(), ERROR) == "failed"


def test_the_source_of_an_error_is_judged_if_it_is_shown() -> None:
    for sent in ("gateway", "upstream", None):
        assert verdict(shows_source(sent), ERROR) == "not judged"
        assert verdict(shows_source(sent), report("value", value=1)) == "not judged"
        for shown in ("gateway", "upstream", None):
            judged = verdict(shows_source(sent), report("error", source=shown))
            assert judged == ("passed" if shown == sent else "failed")


def test_every_call_must_satisfy_a_rule() -> None:
    good = report("value", value=WORD)
    assert verdict(gets(), good, good) == "passed"
    assert verdict(gets(), good, ERROR, good) == "failed"
    assert reason(gets(), good, ERROR).startswith("Call 2: ")
    assert verdict(gets(), good, report("unsupported")) == "not judged"


def test_a_rule_may_be_about_one_call() -> None:
    got = report("value", value=WORD)
    assert verdict(in_call(1, fails()), ERROR, got) == "passed"
    assert verdict(in_call(2, gets()), ERROR, got) == "passed"
    assert verdict(in_call(2, gets()), got, ERROR) == "failed"
    assert verdict(in_call(2, gets()), ERROR, report("none")) == "failed"
