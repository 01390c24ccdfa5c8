"""Taking a situation with a function: calls in turn and at once, deadlines, and what is no report."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from oagw.client.exam.fixture import SituationOfTest
from oagw.testing import RunningGateway
from tests.support.fake_exam import FakeExam, Posed, Reports


def take(exam: FakeExam, client: Any) -> Mapping[str, Any]:
    return SituationOfTest(RunningGateway(exam.url), "a").take(client)


def only(exam: FakeExam) -> Reports:
    (reports,) = exam.reports["a"]
    return reports


def test_calls_are_made_in_turn_and_the_judgement_is_returned() -> None:
    running: list[int] = []

    def client(call: dict[str, Any]) -> dict[str, Any]:
        running.append(1)
        overlap = len(running)
        time.sleep(0.01)
        running.pop()
        return {"outcome": "value", "value": overlap}

    with FakeExam({"a": Posed(calls=3)}) as exam:
        assert take(exam, client)["verdict"] == "passed"
    assert only(exam) == [{"id": f"a/{n}", "outcome": "value", "value": 1} for n in (1, 2, 3)]


def test_calls_at_once_meet() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def client(call: dict[str, Any]) -> dict[str, Any]:
        meeting.wait()
        return {"outcome": "value", "value": call["id"]}

    with FakeExam({"a": Posed(calls=3, at_once=True, stagger=0.01)}) as exam:
        take(exam, client)
    assert [(report["id"], report["value"]) for report in only(exam)] == [
        (f"a/{n}", f"a/{n}") for n in (1, 2, 3)
    ]


def test_a_failure_has_the_evidence() -> None:
    with (
        FakeExam({"a": Posed()}) as exam,
        pytest.raises(AssertionError, match=r"^a: the reason\n") as failed,
    ):
        take(exam, lambda call: {"outcome": "error", "error": f"Oops: {call['token']}"})
    assert "+0.25 s  GET /v1/things -> 200 (connection 3, complete) <-- evidence" in str(failed.value)
    assert 'The client reported: {"outcome": "error", "error": "Oops: ****", "id": "a/1"}' in str(
        failed.value
    )


def test_what_is_not_judged_is_skipped() -> None:
    with (
        FakeExam({"a": Posed()}) as exam,
        pytest.raises(pytest.skip.Exception, match="not judged: the reason"),
    ):
        take(exam, lambda call: {"outcome": "unsupported"})


@pytest.mark.parametrize("at_once", [False, True])
def test_a_client_that_hangs_fails_at_the_deadline(at_once: bool) -> None:
    end = threading.Event()

    def client(call: dict[str, Any]) -> dict[str, Any]:
        if call["id"] == "a/2":
            end.wait(60)
        return {"outcome": "value", "value": 1}

    try:
        posed = Posed(calls=3, at_once=at_once, deadline=0.3)
        with FakeExam({"a": posed}) as exam, pytest.raises(AssertionError, match='"outcome": "none"'):
            take(exam, client)
    finally:
        end.set()
    last = "value" if at_once else "none"
    assert [report["outcome"] for report in only(exam)] == ["value", "none", last]


def test_what_the_client_raises_is_raised() -> None:
    def client(call: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("a bug")

    with FakeExam({"a": Posed()}) as exam:
        with pytest.raises(KeyError, match="a bug"):
            take(exam, client)
        assert exam.reports == {}


@pytest.mark.parametrize(
    "returned", [None, "text", {}, {"outcome": "value"}, {"outcome": "value", "value": b"x"}]
)
def test_what_is_no_report_is_refused(returned: object) -> None:
    with FakeExam({"a": Posed()}) as exam, pytest.raises(ValueError, match="which is not a report: "):
        take(exam, lambda call: returned)
