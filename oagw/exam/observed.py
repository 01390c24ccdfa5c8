"""Rules over what the client did: the requests in the journal of its examination.

``reported`` has the rules over what the client reports. Pauses and delays are those of ``verify``, so that
the exam, the report and verification agree.
"""

from collections.abc import Iterator, Sequence

from oagw.exam.situation import FAILED, NOT_JUDGED, PASSED, Evidence, ExamRule, Judgement
from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN, Entry
from oagw.model.secret import bearer
from oagw.verify.reaction import ended, pause, reacts, too_soon
from oagw.verify.report.finding import failed
from oagw.verify.report.stated_delay import least_pause, stated_delay

# Pauses up to this many seconds are none.
_AT_ONCE = 0.05

# Three pauses that differ by less than this part of their mean do not grow.
_CONSTANT = 0.2

# A request may have been on its way for this many seconds.
_IN_FLIGHT = 0.05

_NO_RETRY = Judgement(NOT_JUDGED, "The client does not retry.")
_KEY = "idempotency-key"


def waits() -> ExamRule:
    """The client waits as long as the response asks before it repeats the request."""

    def judge(evidence: Evidence) -> Judgement:
        waited = []
        for refused, retry in _retries(evidence.entries):
            delay = stated_delay(refused)
            if delay is None:
                continue
            seconds = pause(retry, refused)
            text = f"The client waited {seconds:.3f} s; {delay.field} asked for {delay.seconds:.3f} s."
            if too_soon(seconds, least_pause(refused, delay)):
                return Judgement(FAILED, text, (refused, retry))
            waited.append(Judgement(PASSED, text, (refused, retry)))
        return waited[-1] if waited else _NO_RETRY

    return ExamRule("delay", judge)


def backs_off() -> ExamRule:
    """The pauses between retries without a stated delay exist, and are not constant."""

    def judge(evidence: Evidence) -> Judgement:
        pairs = list(_retries(evidence.entries))
        pauses = [pause(retry, refused) for refused, retry in pairs]
        if not pauses:
            return _NO_RETRY
        text = "The client paused for " + ", ".join(f"{one:.3f}" for one in pauses) + " s."
        proof = [*dict.fromkeys(entry for pair in pairs for entry in pair)]
        if len(pauses) < 2:
            return Judgement(NOT_JUDGED, f"{text} One pause cannot grow.", proof)
        if max(pauses) <= _AT_ONCE:
            return Judgement(FAILED, f"{text} That is no backoff.", proof)
        mean = sum(pauses) / len(pauses)
        if len(pauses) >= 3 and max(pauses) - min(pauses) < _CONSTANT * mean:
            return Judgement(FAILED, f"{text} They do not grow.", proof)
        return Judgement(PASSED, text, proof)

    return ExamRule("backoff", judge)


def bounded(most: int = 8) -> ExamRule:
    """The client sends at most ``most`` requests."""

    def judge(evidence: Evidence) -> Judgement:
        count = len(evidence.entries)
        text = f"The client sent {_requests(count)}."
        if count > most:
            return Judgement(FAILED, f"{text} {most} should be enough.", evidence.entries)
        return Judgement(PASSED if count else NOT_JUDGED, text, evidence.entries)

    return ExamRule("number of requests", judge)


def once() -> ExamRule:
    """The client sends each request once."""

    def judge(evidence: Evidence) -> Judgement:
        count, calls = len(evidence.entries), len(evidence.reports)
        text = f"The client sent {_requests(count)}."
        if count > calls:
            return Judgement(FAILED, f"{text} It can only fail again.", evidence.entries)
        return Judgement(PASSED if count else NOT_JUDGED, text, evidence.entries)

    return ExamRule("no retry", judge)


def repeats_only_with_key() -> ExamRule:
    """The client does not repeat a request that is not idempotent, unless it has an Idempotency-Key."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) > len(evidence.reports) and not all(_field(one, _KEY) for one in entries):
            text = f"The client sent the {_method(entries[0])} {len(entries)} times, without Idempotency-Key."
            return Judgement(FAILED, text, entries)
        return Judgement(PASSED if entries else NOT_JUDGED, f"The client sent {_requests(len(entries))}.")

    return ExamRule("no repeated side effect", judge)


def keeps_key() -> ExamRule:
    """If the client repeats a request, its Idempotency-Key stays the same."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return _NO_RETRY
        keys = [_field(one, _KEY) for one in entries]
        if None in keys or len(set(keys)) > 1:
            return Judgement(FAILED, "The Idempotency-Key is not the same in all attempts.", entries)
        return Judgement(PASSED, "The Idempotency-Key is the same in all attempts.", entries)

    return ExamRule("idempotency key", judge)


def same_body() -> ExamRule:
    """If the client repeats a request, its body is complete again."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return _NO_RETRY
        if len({one.body for one in entries}) > 1:
            sizes = ", ".join(str(one.body_size) for one in entries)
            return Judgement(FAILED, f"The bodies of the attempts differ; they have {sizes} bytes.", entries)
        return Judgement(PASSED, "The body is the same in all attempts.", entries)

    return ExamRule("body of the retry", judge)


def sends_token() -> ExamRule:
    """Every request to the gateway has the token in Authorization."""

    def judge(evidence: Evidence) -> Judgement:
        home = [one for one in evidence.entries if _host(one) == _host(evidence.entries[0])]
        without = [one for one in home if _token(one) != evidence.token]
        if without:
            return Judgement(FAILED, f"{_requests(len(without))} came without the token.", without)
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


def keeps_from_other_host(field: str) -> ExamRule:
    """Requests to another host do not have this header ``field``."""

    def judge(evidence: Evidence) -> Judgement:
        away = [one for one in evidence.entries if _host(one) != _host(evidence.entries[0])]
        sent = [one for one in away if _field(one, field.lower()) is not None]
        if sent:
            return Judgement(FAILED, f"The client sent {field} to another host.", sent)
        if not away:
            return Judgement(NOT_JUDGED, "The client did not go to the other host.")
        return Judgement(PASSED, f"The client went to the other host without {field}.", away)

    return ExamRule(f"{field} for one host", judge)


def arrives_as(method: str, at: str, with_body: bool) -> ExamRule:
    """If the client follows a redirect to a path that ends with ``at``, it uses this ``method``."""

    def judge(evidence: Evidence) -> Judgement:
        there = [one for one in evidence.entries if _path(one).endswith(at)]
        if not there:
            return Judgement(NOT_JUDGED, "The client does not follow the redirect.")
        for one in there:
            if _method(one) != method or bool(one.body) != with_body:
                body = "a" if one.body else "no"
                text = f"The client followed the redirect with {_method(one)} and {body} body."
                return Judgement(FAILED, text, (one,))
        return Judgement(PASSED, f"The client followed the redirect with {method}.", there)

    return ExamRule("redirected request", judge)


def reuses_connection() -> ExamRule:
    """Calls one after the other use one connection, unless the client said ``Connection: close``."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return Judgement(NOT_JUDGED, "The client made only one call.")
        if any("close" in (_field(one, "connection") or "").lower() for one in entries):
            return Judgement(NOT_JUDGED, "The client closes its connections, and says so.", entries)
        count = len({one.connection for one in entries})
        text = f"{_requests(len(entries))} came on {count} connection{'s' * (count > 1)}."
        return Judgement(PASSED if count == 1 else FAILED, text, entries)

    return ExamRule("reuse of the connection", judge)


def leaves_closed_connection() -> ExamRule:
    """After a response with ``Connection: close``, the client sends the next request on a new connection."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return Judgement(NOT_JUDGED, "The client made only one call.")
        if len({one.connection for one in entries}) < len(entries):
            return Judgement(FAILED, "The client used a connection that the server closes.", entries)
        return Judgement(PASSED, "The client opened a new connection for each request.", entries)

    return ExamRule("new connection", judge)


def asks_for_coding(coding: str) -> ExamRule:
    """The client says in Accept-Encoding that it understands ``coding``; otherwise, it is not judged."""

    def judge(evidence: Evidence) -> Judgement:
        if not any(coding in (_field(one, "accept-encoding") or "").lower() for one in evidence.entries):
            return Judgement(NOT_JUDGED, f"The client does not ask for {coding}.", evidence.entries)
        return Judgement(PASSED, f"The client asks for {coding}.", evidence.entries)

    return ExamRule("content coding", judge)


def needs_reused_connection(rule: ExamRule) -> ExamRule:
    """Judge ``rule`` only if two requests of the examination came on the same connection."""

    def judge(evidence: Evidence) -> Judgement:
        if len({entry.connection for entry in evidence.entries}) == len(evidence.entries):
            return Judgement(NOT_JUDGED, "The client did not use a connection again.", evidence.entries)
        return rule.judge(evidence)

    return ExamRule(rule.name, judge)


def cancels() -> ExamRule:
    """When the client cancels a stream, it closes the connection, and does not ask again."""

    def judge(evidence: Evidence) -> Judgement:
        if not any(report.cancelled for report in evidence.reports):
            return Judgement(NOT_JUDGED, "The client did not cancel the stream.")
        return _closed(evidence.entries, "after it cancelled the stream")

    return ExamRule("end of a cancelled stream", judge)


def gives_up() -> ExamRule:
    """When the client stops waiting for a response, it closes the connection."""
    return ExamRule(
        "end of a silent connection", lambda evidence: _closed(evidence.entries, "after its time-out")
    )


def holds_back() -> ExamRule:
    """While one call waits as a 429 asks, the others do not call."""

    def judge(evidence: Evidence) -> Judgement:
        if evidence.reports[0].outcome == "error":
            return Judgement(NOT_JUDGED, "The client reports the 429; when to call again is up to its user.")
        for refused in evidence.entries:
            delay = stated_delay(refused)
            if delay is None:
                continue
            end = ended(refused)
            early = [
                one
                for one in evidence.entries
                if one.number > refused.number
                and one.time - end > _IN_FLIGHT
                and too_soon(one.time - end, delay.seconds)
            ]
            if early:
                text = f"{_requests(len(early))} came within the {delay.seconds:g} s that the 429 asked for."
                return Judgement(FAILED, text, (refused, *early))
            return Judgement(PASSED, "No request came before the time was over.", evidence.entries)
        return Judgement(NOT_JUDGED, "There was no 429.")

    return ExamRule("shared limit", judge)


def stops() -> ExamRule:
    """The client asks for no page again after it has got it."""

    def judge(evidence: Evidence) -> Judgement:
        got: set[bytes] = set()
        again = []
        for entry in evidence.entries:
            if entry.url in got:
                again.append(entry)
            if entry.status is not None and entry.status < 300 and entry.ended is COMPLETE:
                got.add(entry.url)
        if len(again) > 1:  # once, because a client may notice a loop only then
            return Judgement(FAILED, f"The client asked {len(again)} times for pages that it had.", again)
        return Judgement(PASSED if got else NOT_JUDGED, "The client asked for each page once.")

    return ExamRule("each page once", judge)


def _retries(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield the failed requests that were repeated, each with the next attempt."""
    for number, entry in enumerate(entries):
        if not failed(entry) and entry.status not in (403, 409, 413, 425):
            continue
        for later in entries[number + 1 :]:
            if (later.method, later.url) == (entry.method, entry.url) and reacts(later, entry):
                yield entry, later
                break


def _closed(entries: Sequence[Entry], when: str) -> Judgement:
    if not entries:
        return Judgement(NOT_JUDGED, "The client sent no request.")
    for entry in entries:
        if entry.ended is OPEN:
            return Judgement(FAILED, f"The client left the connection open {when}.", (entry,))
    if entries[-1].ended is not CLIENT_LEFT:
        return Judgement(FAILED, "The client read the response to its end.", entries)
    return Judgement(PASSED, f"The client closed the connection {when}.", entries)


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def _method(entry: Entry) -> str:
    return entry.method.decode("latin-1")


def _path(entry: Entry) -> str:
    return entry.url.partition(b"?")[0].decode("latin-1")


def _field(entry: Entry, name: str) -> str | None:
    return next(iter(entry.call().headers.get(name, ())), None)


def _host(entry: Entry) -> str | None:
    return _field(entry, "host")


def _token(entry: Entry) -> bytes:
    return bearer((_field(entry, "authorization") or "").encode("latin-1", "replace"))


def _names(line: bytes, name: bytes) -> bool:
    return line.partition(b":")[0].strip().lower() == name
