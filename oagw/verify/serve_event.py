"""Convert entries of the journal to WireMock's JSON: LoggedRequest and ServeEvent.

Additional data is in the member ``oagw`` of the request, because WireMock's Java client rejects unknown
members of a ServeEvent, but ignores those of a LoggedRequest.
"""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from oagw.model.entry import SERVICE, Entry
from oagw.model.redacted import Redacted, by_name


def logged_request(entry: Entry) -> dict[str, Any]:
    """Return WireMock's LoggedRequest of ``entry``, masked, with additional data in its member ``oagw``."""
    return _logged(Redacted(entry))


def _logged(shown: Redacted) -> dict[str, Any]:
    entry = shown.entry
    host, port = shown.call.authority
    return {
        "url": shown.url,
        "absoluteUrl": f"http://{shown.host}{shown.url}",
        "method": shown.method,
        "clientIp": entry.client[0],
        "headers": by_name(shown.fields),
        "cookies": {name: v if len(v) > 1 else v[0] for name, v in shown.cookies.items()},
        "browserProxyRequest": False,
        "loggedDate": milliseconds(entry.date),
        "bodyAsBase64": b64encode(shown.body).decode(),
        "body": shown.text,
        "protocol": entry.version.decode("latin-1"),
        "scheme": "http",
        "host": shown.known.masked(host),
        "port": port,
        "loggedDateString": _date(entry.date),
        "queryParams": _parameters(shown.query),
        "formParams": _parameters(shown.form),
        "oagw": _ours(shown),
    }


def serve_event(entry: Entry, mapping: Any = None) -> dict[str, Any]:
    """Return WireMock's ServeEvent of ``entry``; ``mapping`` is the JSON of the stub that answered it."""
    shown = Redacted(entry)
    status = {} if entry.status is None else {"status": entry.status}
    event = {
        "id": entry.id,
        "request": _logged(shown),
        # WireMock's clients infer from this whether the request was matched.
        "responseDefinition": status if entry.matched else {**status, "fromConfiguredStub": False},
        "response": {**status, "headers": by_name(shown.response_fields)} if status else {},
        "wasMatched": entry.matched,
        "timing": _timing(entry),
        "subEvents": [],
    }
    return event if mapping is None else {**event, "stubMapping": mapping}


def milliseconds(time: float) -> int:
    """Convert seconds (a duration, or since 1970) to whole milliseconds, as WireMock has them."""
    return int(time * 1000)


def _ours(shown: Redacted) -> dict[str, Any]:
    entry, sent = shown.entry, shown.sent_body
    return {
        "id": entry.id,
        "connection": entry.connection,
        "turn": entry.turn,
        "alias": shown.alias,
        "answeredBy": entry.answered_by,
        "stub": entry.stub,
        "status": entry.status,
        "errorSource": entry.source,
        "time": entry.date,
        "firstByte": None if entry.first_byte is None else entry.date_of(entry.first_byte),
        "lastByte": None if entry.last_byte is None else entry.date_of(entry.last_byte),
        "halfClosed": None if entry.half_closed is None else entry.date_of(entry.half_closed),
        "bodySize": entry.body_size,
        "rawBodyAsBase64": None if sent is None else b64encode(sent).decode(),
        "bytesSent": entry.sent,
        "eventsSent": entry.events,
        "ended": entry.ended,
        "toxics": list(entry.toxics),
        "timeBudgetExceeded": _exceeded(entry),
    }


def _exceeded(entry: Entry) -> dict[str, Any] | None:
    if not entry.undecided:
        return None
    return {
        "stubs": [name for kind, name in entry.undecided if kind == "stub"],
        "toxics": [name for kind, name in entry.undecided if kind == "toxic"],
        "serviceAnsweredInstead": entry.answered_by is SERVICE and entry.undecided[0][0] == "stub",
    }


def _timing(entry: Entry) -> dict[str, int]:
    first = entry.time if entry.first_byte is None else entry.first_byte
    last = first if entry.last_byte is None else entry.last_byte
    return {
        "addedDelay": 0,
        "processTime": milliseconds(first - entry.time),
        "responseSendTime": milliseconds(last - first),
        "serveTime": milliseconds(last - entry.time),
        "totalTime": milliseconds(last - entry.time),
    }


def _parameters(values: dict[str, list[str]]) -> dict[str, Any]:
    return {name: {"key": name, "values": found} for name, found in values.items()}


def _date(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
