"""Say in text what a judgement is based on: the rules, the requests and the reports."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oagw.exam.verdict import FAILED

# The largest number of requests that are shown, and of characters of a report, of a URL, and of what an
# adapter wrote to standard error.
_REQUESTS = 20
_REPORT = 500
_URL = 200
_SAID = 4_000

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

    A report that is a string is shown as it is. The message of a process that died or did not report is the
    end of its standard error, and is shown line by line.
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
    said = ""
    for report in reports:
        words = ""
        if isinstance(report, Mapping) and report.get("outcome") in ("none", "crash"):
            words = str(report.get("message") or "")
            report = {name: value for name, value in report.items() if name != "message"}
        text = report if isinstance(report, str) else json.dumps(report, ensure_ascii=False)
        yield f"The client reported: {_cut(text, _REPORT)}"
        if words not in ("", said):  # one process made all calls
            said = words
            crashed = report["outcome"] == "crash"
            yield "The adapter died:" if crashed else "Meanwhile, the adapter wrote to standard error:"
            yield from (f"  {line}" for line in words[-_SAID:].splitlines())


def _request(event: Mapping[str, Any], first: Mapping[str, Any]) -> str:
    request, answer = event["request"], event.get("response") or {}
    url = _below_the_alias(request["url"])
    about = request.get("oagw") or {}
    begin = (first["request"].get("oagw") or {}).get("time")
    when = f"{about['time'] - begin:+.2f} s  " if begin and "time" in about else ""
    more = []
    host = _host(request)
    if host != _host(first["request"]):
        url = f"http://{host}{url}"
        more += [f"{name} sent" for name in ("Authorization", "Cookie") if _field(request, name) is not None]
    status = about.get("status") or "no answer"
    location = _field(answer, "Location")
    if location is not None and str(status).startswith("3"):
        more.append(f"Location: {_cut(_below_the_alias(location), _URL)}")
    if "connection" in about:
        more.append(f"connection {about['connection']}")
    if about.get("ended"):
        more.append(about["ended"])
    line = f"{when}{request['method']} {_cut(url, _URL)} -> {status}"
    return f"{line} ({', '.join(more)})" if more else line


def _below_the_alias(url: str) -> str:
    """Return ``url`` without the path of the sandbox and of the alias, which is the same in all."""
    return re.sub(r"/__sandbox/[^/]+|/api/oagw/v1/proxy/[^/]+(?=/)", "", url)


def _host(request: Mapping[str, Any]) -> str:
    """Return host and port to which ``request`` was sent; empty if the journal does not say."""
    return str(request.get("absoluteUrl", "")).partition("://")[2].partition("/")[0]


def _field(message: Mapping[str, Any], name: str) -> str | None:
    """Return the value of the header field ``name`` of a request or response in the journal."""
    for each, value in (message.get("headers") or {}).items():
        if each.lower() == name.lower():
            return str(value[0] if isinstance(value, list) else value)
    return None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."
