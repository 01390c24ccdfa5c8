"""Which lines of an adapter are reports, and what is said about the others."""

import json

import pytest

from oagw.client.exam.reports import InvalidReport, checked_report, complete, no_report, read_report

CALL = {"id": "a/1", "kind": "call", "token": "s3cret-of-a"}
STREAM = {"id": "s/1", "kind": "stream", "token": "s3cret-of-s"}
WAITING = {"a/1": CALL, "s/1": STREAM}


@pytest.mark.parametrize(
    "report",
    [
        {"id": "a/1", "outcome": "value", "value": None},
        {"id": "a/1", "outcome": "value", "value": {"deep": [1.5, "é", True]}},
        {"id": "s/1", "outcome": "text", "text": "", "cancelled": True},
        {"id": "s/1", "outcome": "error", "error": "TimeoutError", "text": "Mari"},
        {"id": "a/1", "outcome": "error", "error": "E", "status": None, "source": None, "message": ""},
        {"id": "a/1", "outcome": "error", "error": "E", "status": 503, "source": "upstream", "value": []},
        {"id": "a/1", "outcome": "unsupported"},
    ],
)
@pytest.mark.parametrize("end", ["", "\r", "  "])
def test_a_report_is_read(report: dict[str, object], end: str) -> None:
    assert read_report((json.dumps(report) + end).encode(), WAITING) == report


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "it is not JSON: Expecting value at column 1 (write debug output to standard error)"),
        (b"listening on port 80", "it is not JSON"),
        (
            b'{"id": "a/1", outcome}',
            "it is not JSON: Expecting property name enclosed in double quotes at column 15",
        ),
        (b'{"id": "a/1", "value": %s}' % (b"1" * 5_000), "a number with too many digits"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[]", "a report is a JSON object"),
        (b'{"outcome": "unsupported"}', 'the member "id"'),
        (b'{"id": 1, "outcome": "unsupported"}', 'the member "id"'),
        (b'{"id": "a/2", "outcome": "unsupported"}', 'no call with the id "a/2" waits'),
        (b'{"id": "a/1"}', 'the member "outcome" must be one of value, text, error, unsupported'),
        (b'{"id": "a/1", "outcome": ["value"]}', 'the member "outcome" must be one of'),
        (b'{"id": "a/1", "outcome": "crash"}', 'the member "outcome" must be one of'),
        (b'{"id": "a/1", "outcome": "value"}', 'the outcome "value" needs the member "value"'),
        (b'{"id": "a/1", "outcome": "text", "text": ""}', 'not for a call of the kind "call"'),
        (b'{"id": "s/1", "outcome": "value", "value": 1}', 'not for a call of the kind "stream"'),
        (b'{"id": "s/1", "outcome": "text", "text": null}', 'the member "text" must be a string'),
        (b'{"id": "s/1", "outcome": "text", "text": "", "cancelled": 1}', '"cancelled" must be true or'),
        (b'{"id": "a/1", "outcome": "error", "error": "E", "status": true}', '"status" must be a whole'),
        (b'{"id": "a/1", "outcome": "error", "error": "E", "status": "503"}', '"status" must be a whole'),
        (b'{"id": "a/1", "outcome": "error", "error": "E", "source": "proxy"}', '"source" must be'),
        (b'{"id": "a/1", "outcome": "error", "error": "%s"}' % (b"E" * 2_000), "at most 1000 characters"),
        (b'{"id": "a/1", "outcome": "value", "value": 1, "took": 2}', 'no member "took"'),
        (b'{"id": "a/1", "outcome": "value", "value": NaN}', "a number that JSON does not have"),
        (b'{"id": "a/1", "outcome": "value", "value": 1e999}', "a number that JSON does not have"),
    ],
)
def test_another_line_is_refused_with_the_reason_and_what_was_expected(line: bytes, why: str) -> None:
    with pytest.raises(InvalidReport) as refused:
        read_report(line, WAITING)
    text = str(refused.value)
    assert why in text
    assert '\n  expected: {"id": ID, "outcome": "' in text
    assert len(text) < 1_200


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"ready", '{"id": ID, "outcome": "value", "value": JSON}, or another outcome ("text", "error", "'),
        (b'{"id": "s/1"}', '{"id": ID, "outcome": "text", "text": TEXT}, or another outcome ("value", "er'),
        (b'{"id": "a/1", "outcome": "text", "text": ""}', '{"id": ID, "outcome": "value", "value": JSON}'),
        (b'{"id": "s/1", "outcome": "value"}', '{"id": ID, "outcome": "text", "text": TEXT}; it may also'),
        (
            b'{"id": "a/1", "outcome": "error"}',
            '{"id": ID, "outcome": "error", "error": CLASS}; it may also have cancelled, message, source, ',
        ),
        (b'{"id": "a/1", "outcome": "unsupported", "x": 1}', '{"id": ID, "outcome": "unsupported"}; it may'),
    ],
)
def test_the_form_of_that_outcome_is_shown(line: bytes, expected: str) -> None:
    with pytest.raises(InvalidReport) as refused:
        read_report(line, WAITING, "the situation a")
    assert f"\n  when:     the situation a\n  expected: {expected}" in str(refused.value)


def test_the_line_is_quoted_as_it_is_but_for_control_characters() -> None:
    with pytest.raises(InvalidReport, match=r'\n  the line: \\x1b\[2J{"a": "é\\"}\n'):
        read_report('\x1b[2J{"a": "é\\"}\r\n'.encode(), WAITING)
    with pytest.raises(InvalidReport, match=r"the line: got \*\*\*\*\n"):
        read_report(b"got s3cret-of-s", WAITING)
    with pytest.raises(InvalidReport, match=r"x\.\.\. \(5000 characters\)"):
        read_report(b"x" * 5_000, WAITING)


def test_half_of_a_surrogate_pair_can_be_sent_on() -> None:
    line = rb'{"id": "s/1", "outcome": "error", "error": "\udf38", "text": "a\ud83cb \ud83c\udf38"}'
    report = read_report(line, WAITING)
    assert (report["error"], report["text"]) == ("\ufffd", "a\ufffdb 🌸")
    value = {"\ud83c": ["\ud83c"]}
    assert checked_report({"outcome": "value", "value": value}, "call")["value"] == {"\ufffd": ["\ufffd"]}


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="must be JSON"):
        checked_report({"outcome": "value", "value": b"bytes"}, "call")


def test_a_report_stands_for_each_that_is_missing() -> None:
    calls = [{"id": "a/1"}, {"id": "a/2"}]
    came = {"a/2": {"id": "a/2", "outcome": "unsupported"}}
    assert complete(calls, came, lambda id: no_report(id, "crash", "why")) == [
        {"id": "a/1", "outcome": "crash", "message": "why"},
        {"id": "a/2", "outcome": "unsupported"},
    ]
    assert no_report("a/1", "none") == {"id": "a/1", "outcome": "none"}
