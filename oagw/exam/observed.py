"""Rules over what the client did: its retries, pauses and connections, by the journal of its examination.

``visited`` has the rules over where its requests went, ``reported`` those over what it reports. Pauses and
delays are those of ``verify``, so that the exam, the report and verification agree.
"""

from collections.abc import Iterator, Sequence

from oagw.exam.sent import field, method, requests
from oagw.exam.situation import Evidence, ExamRule, Judgement
from oagw.exam.verdict import FAILED, NOT_JUDGED, PASSED
from oagw.model.entry import CLIENT_LEFT, OPEN, Entry
from oagw.verify.reaction import pause, reacts, too_soon, waited_at_most
from oagw.verify.report.finding import failed
from oagw.verify.report.stated_delay import least_pause, stated_delay

# Pauses up to this many seconds are none. On a busy machine, shorter ones cannot be told from none.
_AT_ONCE = 0.05

# Three pauses that differ by less than this part of their mean, and this many seconds, do not grow.
_CONSTANT = 0.05
_JITTER = 0.01

# A request may have been on its way for this many seconds.
_IN_FLIGHT = 0.2

# Methods of which a request may be repeated (RFC 9110 section 9.2.2).
_IDEMPOTENT = (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE")

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
            seconds = waited_at_most(retry, refused)
            text = f"The client waited {seconds:.3f} s; {delay.field} asked for {delay.seconds:.3f} s."
            if too_soon(seconds, least_pause(refused, delay)):
                return Judgement(FAILED, text, (refused, retry))
            waited.append(Judgement(PASSED, text, (refused, retry)))
        return waited[-1] if waited else _NO_RETRY

    return ExamRule("delay", judge)


def waits_if_it_knows(field_name: str, sdk: bytes | None = None) -> ExamRule:
    """The client waits as ``field_name`` asks, which is not a standard, or it does not know the field.

    Clients whose header fields begin with ``sdk`` know it.
    """

    def judge(evidence: Evidence) -> Judgement:
        for refused, retry in _retries(evidence.entries):
            delay, seconds = stated_delay(refused), waited_at_most(retry, refused)
            if delay is not None and not too_soon(seconds, delay.seconds):
                text = f"The client waited {seconds:.3f} s; {delay.field} asked for {delay.seconds:.3f} s."
                return Judgement(PASSED, text, (refused, retry))
            text = f"The client waited {seconds:.3f} s, which is not what {field_name} asked for."
            if sdk is not None and b"\n" + sdk in b"\n" + refused.head.lower():
                return Judgement(FAILED, text, (refused, retry))
            return Judgement(NOT_JUDGED, f"{text} The field is not a standard.", (refused, retry))
        sent = evidence.entries
        return Judgement(PASSED if sent else NOT_JUDGED, "The client does not retry.", sent)

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
        if len(pauses) >= 3 and max(pauses) - min(pauses) < _CONSTANT * mean + _JITTER:
            return Judgement(FAILED, f"{text} They do not grow.", proof)
        return Judgement(PASSED, text, proof)

    return ExamRule("backoff", judge)


def bounded(most: int = 12) -> ExamRule:
    """The client sends at most ``most`` requests, by default one and a few more than ten retries."""

    def judge(evidence: Evidence) -> Judgement:
        count = len(evidence.entries)
        text = f"The client sent {requests(count)}."
        if count > most:
            return Judgement(FAILED, f"{text} That is more than {most}.", evidence.entries)
        return Judgement(PASSED if count else NOT_JUDGED, text, evidence.entries)

    return ExamRule("number of requests", judge)


def once() -> ExamRule:
    """The client does not send a request again unless it changed it, such as its credentials."""

    def judge(evidence: Evidence) -> Judgement:
        count, calls = len(evidence.entries), len(evidence.reports)
        text = f"The client sent {requests(count)}."
        different = {(e.method, e.url, e.body, field(e, "authorization")) for e in evidence.entries}
        if count - len(different) >= calls:
            return Judgement(FAILED, f"{text} It can only fail again.", evidence.entries)
        return Judgement(PASSED if count else NOT_JUDGED, text, evidence.entries)

    return ExamRule("no retry", judge)


def repeats_only_with_key() -> ExamRule:
    """The client does not repeat a request that is not idempotent, unless it has an Idempotency-Key."""

    def judge(evidence: Evidence) -> Judgement:
        planned = sum(call.method.encode() not in _IDEMPOTENT for call in evidence.situation.calls)
        sent = [entry for entry in evidence.entries if entry.method not in _IDEMPOTENT]
        if len(sent) > planned and not all(field(one, _KEY) for one in sent):
            text = f"The client sent the {method(sent[0])} {len(sent)} times, without Idempotency-Key."
            return Judgement(FAILED, text, sent)
        text = f"The client sent the request {len(sent)} times, with its Idempotency-Key."
        if len(sent) <= planned:
            text = "The client did not repeat the request."
        return Judgement(PASSED if sent else NOT_JUDGED, text, sent)

    return ExamRule("no repeated side effect", judge)


def keeps_key() -> ExamRule:
    """If the client repeats a request, its Idempotency-Key stays the same."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return _NO_RETRY
        keys = [field(one, _KEY) for one in entries]
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


def reuses_connection() -> ExamRule:
    """Calls one after the other use one connection, unless the client said ``Connection: close``."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return Judgement(NOT_JUDGED, "The client made only one call.")
        if any("close" in (field(one, "connection") or "").lower() for one in entries):
            return Judgement(NOT_JUDGED, "The client closes its connections, and says so.", entries)
        count = len({one.connection for one in entries})
        text = f"{requests(len(entries))} came on {count} connection{'s' * (count > 1)}."
        return Judgement(PASSED if count == 1 else FAILED, text, entries)

    return ExamRule("reuse of the connection", judge)


def needs_http_1_1(rule: ExamRule) -> ExamRule:
    """Judge ``rule`` unless a request is HTTP/1.0, which knows neither chunks nor persistent connections."""

    def judge(evidence: Evidence) -> Judgement:
        old = [entry for entry in evidence.entries if entry.version == b"HTTP/1.0"]
        return Judgement(NOT_JUDGED, "The client speaks HTTP/1.0.", old) if old else rule.judge(evidence)

    return ExamRule(rule.name, judge)


def leaves_closed_connection() -> ExamRule:
    """After a response with ``Connection: close``, the client sends the next request on a new connection."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if len(entries) < 2:
            return Judgement(NOT_JUDGED, "The client made only one call.")
        again = _again(entries)
        if again:
            return Judgement(FAILED, "The client used a connection again that the server closed.", again)
        return Judgement(PASSED, "The client opened a new connection for each request.", entries)

    return ExamRule("new connection", judge)


def _again(entries: Sequence[Entry]) -> list[Entry]:
    """Return the requests on a connection of an earlier one.

    The first request on it may have a turn above 1: the client may have used it before this examination.
    """
    known: set[int] = set()
    again = []
    for entry in entries:
        if entry.connection in known:
            again.append(entry)
        known.add(entry.connection)
    return again


def asks_for_coding(coding: str) -> ExamRule:
    """The client says in Accept-Encoding that it understands ``coding``; otherwise, it is not judged."""

    def judge(evidence: Evidence) -> Judgement:
        if not any(coding in (field(one, "accept-encoding") or "").lower() for one in evidence.entries):
            return Judgement(NOT_JUDGED, f"The client does not ask for {coding}.", evidence.entries)
        return Judgement(PASSED, f"The client asks for {coding}.", evidence.entries)

    return ExamRule("content coding", judge)


def needs_reused_connection(rule: ExamRule) -> ExamRule:
    """Judge ``rule`` only if two requests of the examination came on the same connection."""

    def judge(evidence: Evidence) -> Judgement:
        if not _again(evidence.entries):
            return Judgement(NOT_JUDGED, "The client did not use a connection again.", evidence.entries)
        return rule.judge(evidence)

    return ExamRule(rule.name, judge)


def cancels() -> ExamRule:
    """When the client cancels a stream, it closes the connection, and does not ask again."""

    def judge(evidence: Evidence) -> Judgement:
        if not any(report.cancelled for report in evidence.reports):
            return Judgement(NOT_JUDGED, "The client did not cancel the stream.")
        return _closed(evidence, "after it cancelled the stream")

    return ExamRule("end of a cancelled stream", judge)


def gives_up() -> ExamRule:
    """When the client stops waiting for a response, it closes the connection."""
    return ExamRule("end of a silent connection", lambda evidence: _closed(evidence, "after its time-out"))


def holds_back() -> ExamRule:
    """While one call waits as a 429 or 503 asks, the others do not call."""

    def judge(evidence: Evidence) -> Judgement:
        entries = evidence.entries
        if any(report.outcome == "error" for report in evidence.reports):
            return Judgement(
                NOT_JUDGED, "The client reports the refusal; when to call again is up to its user."
            )
        refused = next((one for one in entries if stated_delay(one) is not None), None)
        delay = None if refused is None else stated_delay(refused)
        if refused is None or delay is None:
            return Judgement(NOT_JUDGED, "No call was refused.")
        after = [one for one in entries if pause(one, refused) > _IN_FLIGHT]
        early = [one for one in after if too_soon(waited_at_most(one, refused), delay.seconds)]
        if early:
            asked = f"{delay.seconds:g} s that the {refused.status} asked for"
            text = f"{requests(len(early))} came within the {asked}."
            return Judgement(FAILED, text, (refused, *early))
        return Judgement(PASSED, "No request came before the time was over.", entries)

    return ExamRule("shared limit", judge)


def _retries(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield the failed requests that were repeated, each with the next attempt."""
    for number, entry in enumerate(entries):
        if not failed(entry) and entry.status not in (403, 409, 413, 425):
            continue
        for later in entries[number + 1 :]:
            if (later.method, later.url) == (entry.method, entry.url) and reacts(later, entry):
                yield entry, later
                break


def _closed(evidence: Evidence, when: str) -> Judgement:
    entries = evidence.entries
    if not entries:
        return Judgement(NOT_JUDGED, "The client sent no request.")
    if any(report.outcome in ("none", "crash") for report in evidence.reports):
        return Judgement(NOT_JUDGED, "The connection ended with the client's process.", entries)
    for entry in entries:
        if entry.ended is OPEN:
            return Judgement(FAILED, f"The client left the connection open {when}.", (entry,))
    if entries[-1].ended is not CLIENT_LEFT:
        return Judgement(FAILED, "The client read the response to its end.", entries)
    return Judgement(PASSED, f"The client closed the connection {when}.", entries)
