"""Rules over where the client went: redirects, pages, and the hosts to which it sent its token."""

from oagw.exam.sent import field, host, method, path, requests, token
from oagw.exam.situation import Evidence, ExamRule, Judgement
from oagw.exam.verdict import FAILED, NOT_JUDGED, PASSED
from oagw.model.entry import COMPLETE, Entry

# A client that gives up a loop of pages with an error may have asked for this many pages again.
_MAX_PAGES = 100


def sends_token() -> ExamRule:
    """Every request to the gateway has the token in Authorization."""

    def judge(evidence: Evidence) -> Judgement:
        home = [one for one in evidence.entries if host(one) == host(evidence.entries[0])]
        without = [one for one in home if token(one) != evidence.token]
        if without:
            return Judgement(FAILED, f"{requests(len(without))} came without the token.", without)
        return Judgement(PASSED if home else NOT_JUDGED, "Every request has the token.", home)

    return ExamRule("token", judge)


def token_only_in_authorization() -> ExamRule:
    """The token is not in URLs, bodies or other header fields."""

    def judge(evidence: Evidence) -> Judgement:
        def misplaced(entry: Entry) -> bool:
            fields = (line for line in entry.head.split(b"\r\n") if not _names(line, b"authorization"))
            return any(evidence.token in part for part in (entry.url, entry.body, *fields))

        wrong = list(filter(misplaced, evidence.entries))
        if wrong:
            return Judgement(FAILED, "The token is in a URL, a body or another header field.", wrong)
        return Judgement(PASSED if evidence.entries else NOT_JUDGED, "The token is in Authorization only.")

    return ExamRule("place of the token", judge)


def keeps_from_other_host(name: str) -> ExamRule:
    """Requests to another host do not have the header field ``name``, which the first request has."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if not entries or field(entries[0], name.lower()) is None:
            return Judgement(NOT_JUDGED, f"The client does not send {name} at all.", entries[:1])
        away = [one for one in entries if host(one) != host(entries[0])]
        sent = [one for one in away if field(one, name.lower()) is not None]
        if sent:
            return Judgement(FAILED, f"The client sent {name} to another host.", sent)
        if not away:
            return Judgement(NOT_JUDGED, "The client did not go to the other host.")
        return Judgement(PASSED, f"The client went to the other host without {name}.", away)

    return ExamRule(f"{name} for one host", judge)


def arrives_as(expected: str, at: str, with_body: bool) -> ExamRule:
    """If the client follows a redirect to a path that ends with ``at``, it uses the ``expected`` method."""

    def judge(evidence: Evidence) -> Judgement:
        there = _asked(evidence, at)
        if not there:
            return Judgement(NOT_JUDGED, "The client does not follow the redirect.")
        for one in there:
            if method(one) != expected or bool(one.body) != with_body:
                body = "a" if one.body else "no"
                text = f"The client followed the redirect with {method(one)} and {body} body."
                return Judgement(FAILED, text, (one,))
        return Judgement(PASSED, f"The client followed the redirect with {expected}.", there)

    return ExamRule("redirected request", judge)


def if_asked(at: str, rule: ExamRule) -> ExamRule:
    """Judge ``rule`` only if the client followed a redirect to a path that ends with ``at``."""

    def judge(evidence: Evidence) -> Judgement:
        if not _asked(evidence, at):
            return Judgement(NOT_JUDGED, "The client does not follow the redirect.")
        return rule.judge(evidence)

    return ExamRule(rule.name, judge)


def stops() -> ExamRule:
    """The client asks for no page again after it has got it, but to notice a loop.

    A client that gives up with an error may have a limit of pages.
    """

    def judge(evidence: Evidence) -> Judgement:
        got: set[bytes] = set()
        again = []
        for entry in evidence.entries:
            if entry.url in got:
                again.append(entry)
            if entry.status is not None and entry.status < 300 and entry.ended is COMPLETE:
                got.add(entry.url)
        gave_up = all(report.outcome == "error" for report in evidence.reports)
        if len(again) > (_MAX_PAGES if gave_up else 1):  # once, because a client may notice a loop only then
            return Judgement(FAILED, f"The client asked {len(again)} times for pages that it had.", again)
        return Judgement(PASSED if got else NOT_JUDGED, "The client noticed the loop.", again)

    return ExamRule("end of the pages", judge)


def _asked(evidence: Evidence, at: str) -> list[Entry]:
    return [one for one in evidence.entries if path(one).endswith(at)]


def _names(line: bytes, name: bytes) -> bool:
    return line.partition(b":")[0].strip().lower() == name
