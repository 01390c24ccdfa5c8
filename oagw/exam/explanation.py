"""Say in text what a judgement is based on: the rules, the requests and the reports."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PASSED, FAILED, NOT_JUDGED = "passed", "failed", "not judged"

# The largest number of requests that are shown, and of characters of a report.
_REQUESTS = 20
_REPORT = 500

# Control characters, and what XML does not allow.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def printable(text: str) -> str:
    r"""Return ``text`` with escapes such as ``\x1b`` instead of characters that terminals or XML cannot show.

    Tabs and line feeds stay.
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """Return ``text`` on one line."""
    return printable(" ".join(text.split()))


def explained(situation: Mapping[str, Any], judgement: Mapping[str, Any], reports: Sequence[Any]) -> str:
    """Return lines about a ``judgement`` on a ``situation`` of the catalogue and the client's ``reports``.

    A report that is a string is shown as it is.
    """
    return printable("\n".join(_lines(situation, judgement, reports)))


def _lines(
    situation: Mapping[str, Any], judgement: Mapping[str, Any], reports: Sequence[Any]
) -> Iterator[str]:
    yield one_line(judgement["text"])
    yield f"What happens: {one_line(situation['happens'])}"
    source = situation["source"]
    yield f"What a correct client does: {one_line(situation['correct'])} ({source['text']}, {source['url']})"
    if situation.get("legitimate"):
        yield f"What is legitimate, too: {one_line(situation['legitimate'])}"
    proof: set[str] = set()
    for rule in judgement["rules"]:
        yield f"{rule['verdict']}: {rule['rule']}: {one_line(rule['text'])}"
        if rule["verdict"] == FAILED:
            proof |= set(rule.get("evidence", ()))
    requests = judgement["requests"]
    if not requests:
        yield "No requests were received."
    for event in requests[:_REQUESTS]:
        yield _request(event, requests[0]) + (" <-- evidence" if event["id"] in proof else "")
    if len(requests) > _REQUESTS:
        yield f"... and {len(requests) - _REQUESTS} more requests"
    for report in reports:
        text = report if isinstance(report, str) else json.dumps(report, ensure_ascii=False)
        yield f"The client reported: {text[:_REPORT]}{'...' * (len(text) > _REPORT)}"


def _request(event: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    request = event["request"]
    path = re.sub(r"^.*/proxy/[^/]+(?=/)", "", request["url"])
    about = request.get("oagw") or {}
    begin = (first["request"].get("oagw") or {}).get("time")
    when = f"{about['time'] - begin:+.2f} s  " if begin and "time" in about else ""
    more = [f"connection {about['connection']}"] if "connection" in about else []
    if about.get("ended"):
        more.append(about["ended"])
    status = about.get("status") or "no answer"
    return f"{when}{request['method']} {path} -> {status}" + (f" ({', '.join(more)})" if more else "")
