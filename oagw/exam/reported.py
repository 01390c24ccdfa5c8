"""Rules over what the client reports: whether its answer is the one that was sent, and its errors are true.

``observed`` has the rules over what the client did.
"""

import json
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from msgspec import UNSET

from oagw.exam.situation import TEXT, THING, CallReport, Evidence, ExamRule, Judgement, Situation
from oagw.exam.verdict import FAILED, NOT_JUDGED, PASSED

# The longest excerpt of a value in a text, in characters.
_EXCERPT = 200


class _Said(NamedTuple):
    """A report, and the situation that it is about."""

    report: CallReport
    situation: Situation


def gets(value: Any = THING) -> ExamRule:
    """The client returns ``value``; of THING and the like, the word in it will do."""
    return _each("answer", lambda said: _unfinished(said) or _not_an_error(said) or _equal(said, value))


def fails(*statuses: int) -> ExamRule:
    """The client reports an error, and if it shows a status, one of ``statuses``."""
    return _each("error", lambda said: _unfinished(said) or _error(said, statuses))


def fails_on_page(page: str, *statuses: int) -> ExamRule:
    """The client reports an error, as in ``fails``. One that returns ``page`` as text is not judged."""

    def judge(said: _Said) -> Judgement:
        other = _unfinished(said)
        if other is None and _got(said) == page:
            return Judgement(NOT_JUDGED, "The client returns the page as text, for its caller to judge.")
        return other or _error(said, statuses)

    return _each("error", judge)


def gets_or_fails(*statuses: int, value: Any = THING) -> ExamRule:
    """The client returns ``value``, or reports an error as ``fails`` does."""

    def judge(said: _Said) -> Judgement:
        succeeded = said.report.outcome in ("value", "text")
        return _unfinished(said) or (_equal(said, value) if succeeded else _error(said, statuses))

    return _each("outcome", judge)


def then_gets(value: Any = THING) -> ExamRule:
    """If the client succeeds in its first call, it returns ``value`` from the later calls."""

    def judge(evidence: Evidence) -> Judgement:
        first, *later = (_Said(report, evidence.situation) for report in evidence.reports)
        if first.report.outcome == "error" or not later:
            return Judgement(NOT_JUDGED, "The first call did not succeed.")
        judged = [_unfinished(said) or _not_an_error(said) or _equal(said, value) for said in later]
        return next((one for one in judged if one.verdict != PASSED), judged[-1])

    return ExamRule("later calls", judge)


def in_call(number: int, rule: ExamRule) -> ExamRule:
    """Judge ``rule`` on the report of this call only, from 1 on."""
    return ExamRule(
        f"{rule.name} of call {number}",
        lambda evidence: rule.judge(evidence._replace(reports=evidence.reports[number - 1 : number])),
    )


def streams() -> ExamRule:
    """The client returns the complete text of the stream."""
    return _each("text", lambda said: _unfinished(said) or _not_an_error(said) or _equal(said, TEXT))


def breaks_off(sent: str) -> ExamRule:
    """The client reports that the stream was incomplete, and delivered no more text than ``sent``, once."""

    def judge(said: _Said) -> Judgement:
        if said.report.outcome != "error":
            return _unfinished(said) or _error(said, ())
        return _delivered(said, sent)

    return _each("incomplete stream", judge)


def streams_or_breaks_off(sent: str = TEXT) -> ExamRule:
    """The client returns the complete text, or reports an error after a part of ``sent``, without repeats."""

    def judge(said: _Said) -> Judgement:
        if said.report.outcome != "error":
            return _unfinished(said) or _equal(said, TEXT)
        return _delivered(said, sent)

    return _each("text", judge)


def returns_part(sent: str) -> ExamRule:
    """The client that cancels a stream has got a part of its text ``sent``, and no other."""

    def judge(said: _Said) -> Judgement:
        other = _unfinished(said)
        if other is None and not said.report.cancelled:
            other = Judgement(NOT_JUDGED, "The client did not cancel the stream.")
        return other or _delivered(said, sent, "before it cancelled the stream")

    return _each("text until the end", judge)


def gets_nothing() -> ExamRule:
    """The client returns that there is no content: no value, or an empty one."""

    def judge(said: _Said) -> Judgement:
        other = _unfinished(said) or _not_an_error(said)
        if other is not None:
            return other
        if not _got(said):
            return Judgement(PASSED, "The client returns that there is no content.")
        return Judgement(FAILED, f"The client returns {_shown(_got(said))}; no content was sent.")

    return _each("no content", judge)


def shows_source(source: str | None) -> ExamRule:
    """If the client shows who sent an error, it says ``source``; None if the response did not say."""

    def judge(said: _Said) -> Judgement:
        shown = said.report.source
        if said.report.outcome != "error":
            return _unfinished(said) or Judgement(NOT_JUDGED, "There is no error to be attributed.")
        if shown is UNSET:
            return Judgement(NOT_JUDGED, "The client does not show X-OAGW-Error-Source.")
        if shown == source:
            return Judgement(PASSED, f"The client attributes the error to {_name(source)}.")
        return Judgement(
            FAILED, f"The client attributes the error to {_name(shown)}; it came from {_name(source)}."
        )

    return _each("source of the error", judge)


def message_without_token() -> ExamRule:
    """The message of the client's error does not contain the token."""

    def judge(evidence: Evidence) -> Judgement:
        messages = [one.message for one in evidence.reports if isinstance(one.message, str)]
        if not messages:
            return Judgement(NOT_JUDGED, "The client reports no message.")
        if any(evidence.token.decode() in message for message in messages):
            return Judgement(FAILED, "The message of the client's error contains the token.")
        return Judgement(PASSED, "The message of the client's error does not contain the token.")

    return ExamRule("message", judge)


def unfinished(evidence: Evidence) -> Judgement | None:
    """Return the judgement if the client cannot take the situation, did not return, or crashed."""
    judged = (_unfinished(_Said(report, evidence.situation)) for report in evidence.reports)
    return next((one for one in judged if one is not None), None)


def _each(name: str, judge: Callable[[_Said], Judgement]) -> ExamRule:
    """Return a rule that every report must satisfy."""

    def judge_all(evidence: Evidence) -> Judgement:
        judged = [judge(_Said(report, evidence.situation)) for report in evidence.reports]
        for verdict in (FAILED, NOT_JUDGED):
            for number, one in enumerate(judged, 1):
                if one.verdict == verdict:
                    which = f"Call {number}: " if len(judged) > 1 else ""
                    return one._replace(text=which + one.text)
        return judged[-1]

    return ExamRule(name, judge_all)


def _unfinished(said: _Said) -> Judgement | None:
    report, situation = said
    if report.outcome == "none" and situation.may_wait:
        return Judgement(NOT_JUDGED, f"The client still waited after {situation.deadline:g} s, as asked.")
    if report.outcome == "none":
        return Judgement(FAILED, f"The client did not return within {situation.deadline:g} s.")
    if report.outcome == "crash":
        reason = "" if report.message is UNSET else f": {_cut(report.message)}"
        return Judgement(FAILED, f"The client crashed{reason}")
    if report.outcome == "unsupported":
        return Judgement(NOT_JUDGED, "The client does not support this.")
    return None


def _not_an_error(said: _Said) -> Judgement | None:
    if said.report.outcome != "error":
        return None
    return Judgement(FAILED, f"The client reports {_class(said)}, although the answer was complete.")


def _equal(said: _Said, expected: Any) -> Judgement:
    got = _got(said)
    if got == _word(expected) or _includes(got, expected):
        return Judgement(PASSED, "The client returns what was sent.")
    return Judgement(FAILED, f"The client returns {_shown(got)}; {_shown(expected)} was sent.")


def _got(said: _Said) -> Any:
    return said.report.text if said.report.outcome == "text" else said.report.value


def _includes(got: Any, sent: Any) -> bool:
    """Return whether ``got`` is what was ``sent``; clients with types of their own may add members."""
    if isinstance(sent, dict):
        return isinstance(got, dict) and all(
            name in got and _includes(got[name], value) for name, value in sent.items()
        )
    if isinstance(sent, list):
        return isinstance(got, list) and len(got) == len(sent) and all(map(_includes, got, sent))
    return bool(got == sent)


def _word(value: Any) -> Any:
    """Return the word in ``value`` if that is a chat completion, as THING is, else ``value``."""
    return (
        value["choices"][0]["message"]["content"] if isinstance(value, dict) and "choices" in value else value
    )


def _error(said: _Said, statuses: Collection[int]) -> Judgement:
    report = said.report
    if report.outcome != "error":
        text = f"The client returns {_shown(_got(said))} as if it were the complete answer."
        return Judgement(FAILED, text)
    if statuses and isinstance(report.status, int) and report.status not in statuses:
        expected = " or ".join(map(str, sorted(statuses)))
        return Judgement(FAILED, f"The client shows the status {report.status}; {expected} was sent.")
    return Judgement(PASSED, f"The client reports {_class(said)}.")


def _delivered(said: _Said, sent: str, when: str = "before its error") -> Judgement:
    text = said.report.text
    if isinstance(text, str) and not sent.startswith(text):
        return Judgement(FAILED, f"The client delivered {_shown(text)} {when}; {_shown(sent)} was sent.")
    if said.report.outcome == "error":
        return Judgement(PASSED, f"The client reports {_class(said)}.")
    return Judgement(PASSED, f"The client delivered what was sent {when}.")


def _class(said: _Said) -> str:
    return "an error" if said.report.error is UNSET else f"the error {_cut(said.report.error)}"


def _name(source: object) -> str:
    return "nobody" if source is None else f"the {_cut(str(source))}"


def _shown(value: object) -> str:
    return "nothing" if value is UNSET else _cut(json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "..."
