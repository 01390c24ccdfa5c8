"""The assertion message: what a test prints when a verification fails."""

from typing import Any

from oagw.model.document import converted
from oagw.model.entry import CLIENT_LEFT, GATEWAY
from oagw.verify.explanation import MAX_TEXT, differences, explain
from oagw.verify.verification import Verification
from tests.support.entries import CHAT, Entries
from tests.support.work import outcome_of

POST: dict[str, Any] = {"method": "POST", "urlPath": CHAT}


def text(entries: Entries, **spec: Any) -> str:
    outcome = outcome_of(converted({"request": POST, **spec}, Verification), entries)
    assert not outcome.verified
    return explain(outcome)


def test_too_few_are_told_with_what_came_and_what_nearly_did() -> None:
    entries = Entries()
    entries.add(0, body=b'{"model": "gpt-4"}')
    entries.add(0.25, url=CHAT + "s", body=b'{"model": "gpt-4"}', status=404)
    entries.add(1, "GET", "/health", answered_by=GATEWAY)
    expected = """\
Expected exactly 2 requests, but there was 1:

    POST [path] /api/oagw/v1/proxy/openai/v1/chat/completions

Requests received:

    1.     0.000 s               POST /api/oagw/v1/proxy/openai/v1/chat/completions -> 200 from openai

Nearest of 2 requests that did not match:

  POST /api/oagw/v1/proxy/openai/v1/chat/completionss -> 404 from openai
  id 0a6a0000-0000-4000-8000-000000000002

    method  POST
  ! url     expected  [path] /api/oagw/v1/proxy/openai/v1/chat/completions   <<<
            received         /api/oagw/v1/proxy/openai/v1/chat/completionss
                                                                          ^

  GET /health -> 200 from the gateway
  id 0a6a0000-0000-4000-8000-000000000003"""
    assert text(entries, times=2) == expected


def test_json_bodies_differ_by_member() -> None:
    entries = Entries()
    entries.add(body=b'{"model": "gpt-4", "messages": [{"role": "user", "content": "hi"}], "n": 1}')
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    lines = text(entries, request={**POST, "bodyPatterns": [{"equalToJson": body}]}).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  ! body"))
    assert lines[at:] == [
        '  ! body    $.model  expected "gpt-5", received "gpt-4"   <<<',
        "            $.stream  missing, expected true",
        "            $.n  not expected, received 1",
    ]


def test_regular_expressions_in_json_are_evaluated() -> None:
    entries = Entries()
    entries.add(body=b'{"id": "x1", "name": "ada"}')
    body = {"id": "${json-unit.regex}[0-9]+", "name": "${json-unit.regex}[a-z]+"}
    lines = text(entries, request={**POST, "bodyPatterns": [{"equalToJson": body}]}).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("  ! body"))
    assert lines[at:] == ['  ! body    $.id  expected "${json-unit.regex}[0-9]+", received "x1"   <<<']


def test_json_that_may_have_more_is_told_without_it() -> None:
    entries = Entries()
    entries.add(body=b'{"a": 1, "more": 1}')
    patterns = [{"equalToJson": '{"a": 2}', "ignoreExtraElements": True}]
    told = text(entries, request={**POST, "bodyPatterns": patterns})
    assert "$.a  expected 2, received 1" in told
    assert "$.more" not in told


def test_a_body_that_is_no_json_is_shown_as_it_is() -> None:
    entries = Entries()
    entries.add(body=b"model=gpt-4\nmore")
    told = text(entries, request={**POST, "bodyPatterns": [{"equalToJson": {"a": 1}}]})
    assert 'expected  [equalToJson] {"a": 1}   <<<' in told
    assert "model=gpt-4\\nmore" in told


def test_too_many_are_all_told_with_the_pauses_between_them() -> None:
    entries = Entries()
    for at in (0, 0.5, 2):
        entries.add(at)
    lines = text(entries, atMost=2).splitlines()
    assert lines[0] == "Expected at most 2 requests, but there were 3:"
    assert [line[:30].rstrip() for line in lines if line[4:6] in ("1.", "2.", "3.")] == [
        "    1.     0.000 s",
        "    2.     0.500 s    +0.500 s",
        "    3.     2.000 s    +1.500 s",
    ]


def test_what_came_too_soon_is_told_with_both_requests() -> None:
    entries = Entries()
    entries.add(0, status=429, answer=("Retry-After: 2",))
    entries.add(0.41)
    told = text(entries, after=POST, notSoonerThan=2)
    assert told.startswith("Expected a pause of at least 2 s, but the one request came too soon:\n")
    assert "429 from openai (Retry-After: 2)\n" in told
    assert told.endswith("<<< 0.410 s after request 1 was answered, expected at least 2 s")


def test_how_many_of_them_came_too_soon_is_told() -> None:
    entries = Entries()
    for at in (0, 0.5, 1):
        entries.add(at)
    told = text(entries, after=POST, notSoonerThan=2)
    assert told.startswith("Expected a pause of at least 2 s, but all 2 requests came too soon:\n")
    entries.add(5)
    told = text(entries, after=POST, notSoonerThan=2)
    assert told.startswith("Expected a pause of at least 2 s, but 2 of 3 requests came too soon:\n")


def test_what_came_before_the_answer_is_told_so() -> None:
    entries = Entries()
    entries.add(0, took=3)
    entries.add(1)
    told = text(entries, after=POST, notSoonerThan=2)
    assert "<<< not counted: the other request had not been answered yet" in told


def test_what_came_in_the_wrong_order_is_told_so() -> None:
    entries = Entries()
    entries.add(0)
    entries.add(1, "GET", "/x")
    told = text(entries, after={"method": "GET"})
    assert told.startswith(
        "Expected at least 1 request after the response to another, but there were none:\n"
    )
    assert "\n  after\n    GET [any URL]\n" in told
    assert "<<< not counted: the other request had not come yet" in told


def test_what_should_have_come_before_is_told_with_its_nearest_misses() -> None:
    entries = Entries()
    entries.add(0)
    told = text(entries, after={"urlPath": CHAT + "/x"})
    assert "No request matched `after`. The nearest:" in told
    assert f"expected  [path] {CHAT}/x   <<<" in told


def test_an_empty_journal_is_told() -> None:
    assert text(Entries()).endswith("No requests were received.")


def test_headers_are_compared_without_their_secrets() -> None:
    entries = Entries()
    entries.add(0, "POST", CHAT, "X-Api-Key: the-key-it-has", "Cookie: sid=the-cookie", "Accept: text/html")
    headers = {
        "X-Api-Key": {"equalTo": "the-key-wanted"},
        "Authorization": {"equalTo": "Bearer the-token-wanted"},
        "Accept": {"equalTo": "text/event-stream"},
        "X-Other": {"absent": True},
    }
    told = text(entries, request={**POST, "headers": headers})
    assert "  ! header Accept         expected  text/event-stream   <<<" in told
    assert "received  Bearer ****  (differs in a masked part)" in told
    assert "\n    header X-Other  " in told
    for secret in ("the-key", "the-cookie", "the-token", "test-integration-token"):
        assert secret not in told


def test_a_token_that_stands_elsewhere_is_masked_as_well() -> None:
    entries = Entries()
    entries.add(body=b'{"token": "test-integration-token"}', url=CHAT + "?x=test-integration-token")
    spec = {**POST, "bodyPatterns": [{"equalToJson": {"token": 1}}]}
    assert "test-integration-token" not in text(entries, request=spec)


def test_long_values_are_cut_around_the_place_where_they_differ() -> None:
    entries = Entries()
    entries.add(body=b"x" * 900 + b"A" + b"x" * 900)
    expected = "x" * 900 + "B" + "x" * 900
    lines = text(entries, request={**POST, "bodyPatterns": [{"equalTo": expected}]}).splitlines()
    (wanted,) = (line for line in lines if "expected  ..." in line)
    (caret,) = (line for line in lines if line.strip() == "^")
    assert wanted[caret.index("^")] == "B"
    assert all(len(line) < 300 for line in lines)


def test_the_text_is_bounded_however_much_there_is() -> None:
    entries = Entries()
    for at in range(500):
        entries.add(at, url=f"{CHAT}?{'x' * 3000}", body=b"[" + b"1," * 5000 + b"1]")
    lines = text(entries, times=501, request={"method": "POST"})
    assert len(lines) <= MAX_TEXT + 20
    assert "  500. " in lines
    assert "     ..." in lines
    body = {"a": {"b": {str(i): "y" * 200 for i in range(500)}}}
    assert len(text(entries, request={"bodyPatterns": [{"equalToJson": body}]})) <= MAX_TEXT + 20


def test_what_comes_too_soon_in_the_middle_of_many_is_not_left_out() -> None:
    entries = Entries()
    for at in range(100):
        entries.add(at * 5 - (4.5 if at == 50 else 0))
    assert "<<< 0.500 s after request 50 was answered" in text(entries, after=POST, notSoonerThan=2)


def test_control_characters_do_not_reach_the_terminal() -> None:
    entries = Entries()
    entries.add(url="/x", body=b"\x1b[31m\x00")
    assert "\x1b" not in text(entries, request={"bodyPatterns": [{"equalTo": "a"}]})


def test_how_an_answer_ended_is_told() -> None:
    entries = Entries()
    entries.add(ended=CLIENT_LEFT)
    entries.add(status=None, ended=CLIENT_LEFT)
    told = text(entries, times=0)
    assert "-> 200 from openai (client left)" in told
    assert "-> no answer (client left)" in told


def test_differences_are_there_for_programs_too() -> None:
    entries = Entries()
    entries.add(0, "GET")
    outcome = outcome_of(converted({"request": POST}, Verification), entries)
    assert differences(outcome) == [
        {"request": entries[0].id, "field": "method", "expected": "POST", "actual": "GET"}
    ]


def test_no_caret_points_into_an_expression() -> None:
    entries = Entries()
    entries.add(url="/items/x")
    told = text(entries, request={"urlPattern": "/items/[0-9]+"})
    assert "expected  [URL regex] /items/[0-9]+   <<<\n" in told
    assert "^" not in told


def test_a_secret_is_masked_in_what_an_operator_expects() -> None:
    entries = Entries()
    entries.add()
    told = text(entries, request={"headers": {"Authorization": {"matches": "Bearer hush.*"}}})
    assert "expected  [matches] Bearer ****   <<<" in told
    assert "hush" not in told
