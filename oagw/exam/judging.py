"""Judge a situation: apply its rules to what happened, and sum up their verdicts."""

from collections.abc import Iterable

from msgspec import Struct

from oagw.exam.reported import unfinished
from oagw.exam.situation import Evidence, ExamRule, Judgement
from oagw.exam.verdict import FAILED, NOT_JUDGED, PASSED, Verdict

# The largest number of entries that prove the verdict of one rule.
MAX_EVIDENCE = 20


class JudgedRule(Struct, frozen=True):
    """The verdict of one rule, in words, and the ids of the requests that prove it."""

    rule: str
    verdict: Verdict
    text: str
    evidence: list[str]


class Judged(Struct, frozen=True):
    """The ``verdict`` on a client in one situation. ``text`` says why."""

    verdict: Verdict
    text: str
    rules: list[JudgedRule]


def judge(evidence: Evidence) -> Judged:
    """Judge ``evidence`` by the rules of its situation.

    The client fails if it fails a rule, did not return, or crashed. Otherwise it is not judged if one of
    ``rules`` cannot be judged, the client does not support the kind of call, or it sent no request. Otherwise
    it passes.
    """
    situation = evidence.situation
    end = unfinished(evidence)
    if end is not None and any(report.outcome == "unsupported" for report in evidence.reports):
        return Judged(NOT_JUDGED, end.text, [])
    needed = [rule.judge(evidence) for rule in situation.rules]
    optional = [rule.judge(evidence) for rule in situation.if_retried]
    every = [*needed, *optional]
    rules = list(map(_shown, (*situation.rules, *situation.if_retried), every))
    first = () if end is None else (end,)
    worst = _first(FAILED, (*first, *every)) or _first(NOT_JUDGED, (*first, *needed))
    if worst is not None:
        return Judged(worst.verdict, worst.text, rules)
    if not evidence.entries:
        return Judged(NOT_JUDGED, "The client sent no request.", rules)
    return Judged(PASSED, " ".join(one.text for one in every), rules)


def _first(verdict: Verdict, judged: Iterable[Judgement]) -> Judgement | None:
    return next((one for one in judged if one.verdict == verdict), None)


def _shown(rule: ExamRule, judgement: Judgement) -> JudgedRule:
    proof = [entry.id for entry in judgement.entries[:MAX_EVIDENCE]]
    return JudgedRule(rule.name, judgement.verdict, judgement.text, proof)
