"""The table, the summary, the document and the JUnit file of an exam."""

import io
import json
from typing import Any
from xml.etree import ElementTree

from oagw import __version__
from oagw.client.exam.junit import as_junit
from oagw.client.exam.results import (
    Progress,
    Result,
    as_json,
    document,
    listing,
    results,
    summary_line,
    table,
)
from oagw.client.exam.taking import Taken
from oagw.exam.explanation import printable
from tests.support.fake_exam import FakeExam, Posed

# What a client may have put into an error message.
WILD = "x\x00\x1b[2J\u2028\ud800<&>]]>\ufffe é"


def taken(name: str, verdict: str, text: str = "the reason") -> Taken:
    posed = Posed(judge=lambda _: verdict, text=text)
    with FakeExam({name: posed}) as exam:
        judgement = exam._judgement(name, [])
    return Taken(name, judgement, [{"id": f"{name}/1", "outcome": "error", "error": WILD}], 1.25)


def catalogue(*names: str) -> list[dict[str, Any]]:
    with FakeExam({name: Posed() for name in names}) as exam:
        situations: list[dict[str, Any]] = exam.answer("GET", "/__admin/exam", None)[1]["situations"]
    return situations


def three() -> list[Result]:
    """One that passed, one that failed, one that was not judged."""
    verdicts = {"one": "passed", "two": "failed", "three": "not judged"}
    return results(
        catalogue("one", "two", "three"),
        # They end in another order.
        [taken(name, verdict, f"why\n{name}") for name, verdict in reversed(verdicts.items())],
    )


def test_the_table_gives_the_reason_for_what_did_not_pass() -> None:
    lines = list(table(three(), colours=False))
    assert lines[:3] == [
        "retry  one    passed",
        "retry  two    failed      why two",
        "retry  three  not judged  why three",
    ]
    assert lines[3:5] == ["", "FAILED two"]
    assert lines[5:12] == [
        "  why two",
        "  What happens: A 503 states a delay.",
        "  What a correct client does: It waits. "
        "(RFC 9110 section 10.2.3, https://www.rfc-editor.org/rfc/rfc9110)",
        "  failed: waits: why two",
        "  +0.00 s  GET /v1/things -> 503 (connection 3, complete)",
        "  +0.25 s  GET /v1/things -> 200 (connection 3, complete) <-- evidence",
        f'  The client reported: {{"id": "two/1", "outcome": "error", "error": {json.dumps(WILD)}}}'.replace(
            r"\u00e9", "é"
        ),
    ]
    assert len(lines) == 12


def test_what_passed_has_the_reason_why_a_rule_was_not_judged() -> None:
    one = taken("one", "passed")
    rule = {"rule": "waits", "verdict": "not judged", "text": "The client\ndoes not retry.", "evidence": []}
    rules = [*one.judgement["rules"], rule, {**rule, "rule": "grows"}]
    one = one._replace(judgement={**one.judgement, "rules": rules})
    lines = list(table(results(catalogue("one"), [one]), colours=False))
    assert lines == ["retry  one  passed      The client does not retry."]


def test_what_stopped_the_exam_is_in_the_document_and_an_error_of_junit() -> None:
    assert document([], [], 1.0, "no\nJSON")["stopped"] == "no\nJSON"
    assert document([], [], 1.0)["stopped"] is None
    (suite,) = ElementTree.fromstring(as_junit([], 1.0, f"no\n{WILD}"))
    assert (suite.attrib["tests"], suite.attrib["errors"]) == ("1", "1")
    (error,) = suite[0]
    assert (error.tag, error.attrib["type"]) == ("error", "stopped")
    assert error.attrib["message"].startswith("no x\\x00")


def test_a_long_reason_is_cut_in_the_table_alone() -> None:
    lines = list(table(results(catalogue("one"), [taken("one", "failed", "x" * 300)]), colours=False))
    assert lines[0].endswith(f"  {'x' * 160}...")
    assert lines[3] == f"  {'x' * 300}"


def test_a_terminal_gets_colours_and_no_control_characters() -> None:
    plain = results(catalogue("one"), [taken("one", "failed", WILD)])
    assert not set("".join(table(plain, colours=False))) & set("\x00\x1b\u2028\ud800\ufffe")
    assert "\x1b[31mfailed    \x1b[0m" in next(table(plain, colours=True))
    assert printable("a\tb\nc\x9b") == "a\tb\nc\\x9b"


def test_the_summary_counts_verdicts() -> None:
    assert summary_line(three(), 14.24) == "1 passed, 1 failed, 1 not judged in 14.2 s"


def test_verdicts_that_differ_are_unstable_and_count_as_failed() -> None:
    runs = [taken("one", verdict, verdict) for verdict in ("passed", "failed", "passed")]
    (result,) = results(catalogue("one"), runs)
    assert (result.verdict, result.failed) == ("unstable", True)
    assert result.text == "passed 2, failed 1 of 3 times: failed"
    assert summary_line([result], 1) == "0 passed, 0 failed, 1 unstable, 0 not judged in 1.0 s"
    assert "UNSTABLE one" in list(table([result], colours=False))
    assert ElementTree.fromstring(as_junit([result], 1)).attrib["failures"] == "1"
    (same,) = results(catalogue("one"), [taken("one", "failed")] * 3)
    assert (same.verdict, same.seconds) == ("failed", 3.75)
    (unsure,) = results(catalogue("one"), [taken("one", "passed"), taken("one", "not judged")])
    assert unsure.failed


def test_the_document_has_verdicts_rules_and_reports() -> None:
    written = json.loads(as_json(document(["node", "a.mjs"], three(), 2.5)))
    assert (written["version"], written["adapter"], written["seconds"]) == (
        __version__,
        ["node", "a.mjs"],
        2.5,
    )
    assert written["summary"] == {"passed": 1, "failed": 1, "unstable": 0, "not judged": 1}
    first, second, _ = written["situations"]
    assert [one["name"] for one in written["situations"]] == ["one", "two", "three"]
    assert {key: second[key] for key in ("group", "kind", "verdict", "verdicts", "text")} == {
        "group": "retry",
        "kind": "call",
        "verdict": "failed",
        "verdicts": ["failed"],
        "text": "why two",
    }
    assert second["rules"] == [{"rule": "waits", "verdict": "failed", "text": "why\ntwo", "evidence": ["r2"]}]
    assert [one["id"] for one in second["requests"]] == ["r1", "r2"]
    assert first["reports"][0]["outcome"] == "error"


def test_the_junit_file_is_xml_whatever_the_client_said() -> None:
    found = [*three(), *results(catalogue("wild"), [taken("wild", "failed", WILD)])]
    root = ElementTree.fromstring(as_junit(found, 2.5))
    (suite,) = root
    for element in (root, suite):
        counts = {name: element.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time")}
        assert counts == {"tests": "4", "failures": "2", "errors": "0", "skipped": "1", "time": "2.500"}
    one, two, three_, wild = suite
    assert one.attrib == {"classname": "exam.retry", "name": "one", "time": "1.250"}
    assert len(one) == 0
    assert two[0].tag == "failure"
    assert two[0].attrib == {"message": "why two", "type": "failed"}
    assert "+0.25 s  GET /v1/things -> 200" in str(two[0].text)
    assert (three_[0].tag, three_[0].attrib) == ("skipped", {"message": "why three"})
    assert wild[0].attrib["message"] == "x\\x00\\x1b[2J \\ud800<&>]]>\\ufffe é"


def test_the_list_says_what_happens() -> None:
    assert list(listing(catalogue("a", "long-name"))) == [
        "retry  a          call  A 503 states a delay.",
        "retry  long-name  call  A 503 states a delay.",
    ]
    assert list(listing([])) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_and_only_on_a_terminal() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        progress = Progress(stream, 64)
        progress.step("retry-after-seconds")
        progress.step("cut")
        progress.clear()
    assert terminal.getvalue() == "\r\x1b[K1/64 retry-after-seconds\r\x1b[K2/64 cut\r\x1b[K"
    assert file.getvalue() == ""
