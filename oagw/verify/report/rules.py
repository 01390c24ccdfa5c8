"""The rules of the report: what each finds, its severity, and its conditions.

docs/verify.md repeats this table, as does the OpenAPI document.
"""

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]


class Rule(NamedTuple):
    """A description of a rule. A rule with several severities yields a finding for each."""

    severities: tuple[Severity, ...]
    finds: str
    needs: str


RULES = {
    "retry-after-not-honoured": Rule(
        ("error",),
        "a request with the same method and URL, sooner than the response allowed",
        "a 403, 408, 409, 413, 425, 429 or 5xx that was read to its end and states a delay",
    ),
    "client-error-retried": Rule(
        ("warning",),
        "the same request again, unchanged, although the request itself is at fault",
        "a 4xx that states no delay, other than 408, 409, 421, 423, 425, 429 and the 404 of a GET; "
        "a retry within 10 s",
    ),
    "retries-without-backoff": Rule(
        ("warning",),
        "a failed request that is retried immediately, several times",
        "three consecutive retries, each within 50 ms of a 408, 429, 5xx, reset or truncated response, "
        "and sooner than that requested",
    ),
    "connections-not-reused": Rule(
        ("warning",),
        "consecutive requests, each on a new connection",
        "three such requests from one address and `User-Agent`, and fewer that reused a connection; "
        "the previous response left an HTTP/1.1 connection open, at most 5 s before",
    ),
    "credentials-misplaced": Rule(
        ("error", "note"),
        "a token in the URL, the body, a cookie or another header field; the token of another sandbox; "
        "Basic credentials; as a note, `Authorization` where it is not required",
        "nothing; only tokens of at least 8 characters are searched for",
    ),
    "incomplete-answer-accepted": Rule(
        ("error",),
        "a response that was truncated or reset, and not retried",
        "`retryDue=true`: the client must retry every truncated response",
    ),
    "stream-read-after-cancel": Rule(
        ("error",),
        "a stream that was read to its end, is still open, or was requested again within 10 s",
        "`streamsCancelled=true`: the test cancelled every stream",
    ),
}
