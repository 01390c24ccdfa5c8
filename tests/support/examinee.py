"""Examinee: a client in memory that takes the exam at the level of bytes, on the fake clock.

``Client`` is correct; its options are legitimate variations. A test plants a fault by overriding a method.
"""

import json
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from tests.support.wire import Answer, Connection, Wire, parse, request


class Failure(Exception):
    """What the client reports: a status, or a lost connection."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Sent(NamedTuple):
    """A request, to be sent as often as needed."""

    method: str
    url: str
    fields: dict[str, str]
    body: bytes


class Client:
    """Retries, waits and follows as a correct client does; ``retries`` overrides the number of the call."""

    def __init__(
        self,
        wire: Wire,
        *,
        retries: int | None = None,
        follows: bool = True,
        keeps: bool = True,
        backoff: Callable[[int], float] = lambda attempt: 0.1 * 2**attempt,
        own_keys: bool = False,
    ) -> None:
        self.wire = wire
        self.retries = retries
        self.follows = follows
        self.keeps = keeps
        self.backoff = backoff
        self.own_keys = own_keys
        self.idle: dict[str, Connection] = {}

    # Calls

    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Make ``call``, and return the report."""
        try:
            if call["kind"] == "pages":
                return {"outcome": "value", "value": self.pages(call)}
            return {"outcome": "value", "value": self.read(self.ask(call, call["url"]))}
        except Failure as error:
            return {"outcome": "error", "error": "Failure", "status": error.status, "message": str(error)}
        finally:
            self.before_next_call()

    def before_next_call(self) -> None:
        """Override to close connections."""

    def pages(self, call: dict[str, Any]) -> list[Any]:
        items: list[Any] = []
        seen: set[str] = set()
        url: str | None = call["url"]
        home = urlsplit(call["url"]).netloc
        while url is not None:
            if url in seen:
                raise Failure("the pages form a loop")
            seen.add(url)
            answer = self.ask(call, url, home=home)
            items += self.read(answer)
            url = self.next_page(url, answer)
        return items

    def next_page(self, url: str, answer: Answer) -> str | None:
        for link, parameters in links(", ".join(answer.headers.get("link", ()))):
            if "next" in parameters.get("rel", "").lower().split():
                return urljoin(url, link)
        return None

    def ask(self, call: dict[str, Any], url: str, home: str | None = None) -> Answer:
        """Send a request for ``url``, with redirects and retries; returns the answer below 300."""
        sent = self.first_request(call, url, home or urlsplit(url).netloc)
        most = call["retries"] if self.retries is None else self.retries
        attempt = 0
        while True:
            answer = self.exchange(sent)
            if answer is not None and answer.status < 300:
                return answer
            if answer is not None and answer.status < 400 and self.follows:
                attempt += 1
                if attempt > 5:
                    raise Failure("too many redirects", answer.status)
                sent = self.redirected(sent, answer)
                continue
            pause = self.pause(sent, answer, attempt) if attempt < most else None
            if pause is None:
                raise Failure(
                    "no answer" if answer is None else f"status {answer.status}", answer and answer.status
                )
            self.wire.clock.advance(pause)
            attempt += 1

    def first_request(self, call: dict[str, Any], url: str, home: str) -> Sent:
        body = b"" if call["body"] is None else json.dumps(call["body"]).encode()
        fields = {"Host": urlsplit(url).netloc, **call["headers"]}
        if urlsplit(url).netloc == home:
            fields["Authorization"] = f"Bearer {call['token']}"
        if self.own_keys and call["method"] == "POST":
            fields.setdefault("Idempotency-Key", "key-of-the-client")
        return Sent(call["method"], url, fields, body)

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        url = urljoin(sent.url, answer.headers["location"][0])
        fields = {**sent.fields, "Host": urlsplit(url).netloc}
        if fields["Host"] != sent.fields["Host"]:
            fields.pop("Authorization", None)
            fields.pop("Cookie", None)
        if answer.status in (307, 308) or sent.method == "GET":
            return Sent(sent.method, url, fields, sent.body)
        return Sent("GET", url, fields, b"")

    def pause(self, sent: Sent, answer: Answer | None, attempt: int) -> float | None:
        """Return the pause before the retry of ``sent``, or None if it must not be repeated."""
        if answer is None:
            may = sent.method != "POST" or "Idempotency-Key" in sent.fields
            return self.backoff(attempt) if may else None
        if answer.status not in (408, 429) and answer.status < 500:
            return None
        stated = self.stated(answer)
        if stated is None:
            return self.backoff(attempt)
        return stated if stated <= 60 else None

    def stated(self, answer: Answer) -> float | None:
        """Return the delay that ``answer`` asks for, if any."""
        headers = {name: values[0] for name, values in answer.headers.items()}
        if "retry-after-ms" in headers:
            return int(headers["retry-after-ms"]) / 1000
        after = headers.get("retry-after")
        if after is not None and after.isdigit():
            return float(after)
        if after is not None:
            try:
                return max(0.0, parsedate_to_datetime(after).timestamp() - self.wire.date)
            except ValueError:
                return None
        if headers.get("x-ratelimit-remaining") == "0":
            return max(0.0, int(headers["x-ratelimit-reset"]) - self.wire.date)
        return None

    # Bytes

    def exchange(self, sent: Sent) -> Answer | None:
        """Send it, and return the answer; None if the connection broke before its end."""
        host = sent.fields["Host"]
        fields = [f"{name}: {value}" for name, value in sent.fields.items()]
        if sent.body:
            fields += [f"Content-Length: {len(sent.body)}", "Content-Type: application/json"]
        if not self.keeps:
            fields.append("Connection: close")
        connection = self.idle.pop(host, None) or self.wire.connect()
        target = sent.url.partition(host)[2]
        data = connection.send(request(f"{sent.method} {target} HTTP/1.1", *fields) + sent.body)
        for _ in range(200):
            if not connection.protocol.requests or ended(connection):
                break
            self.wire.clock.advance(0.01)
            data += connection.take()
        try:
            answer: Answer | None = parse(data)[0]
        except AssertionError:
            answer = None
        if answer is None or ended(connection) or not self.keeps:
            connection.leave()
        else:
            self.idle[host] = connection
        return answer

    def read(self, answer: Answer) -> Any:
        return answer.json()

    def close(self) -> None:
        for connection in self.idle.values():
            connection.leave()
        self.idle.clear()


def ended(connection: Connection) -> bool:
    """Whether the gateway has closed or reset ``connection``."""
    transport = connection.transport
    return bool(transport.disconnecting or transport.disconnected or getattr(transport, "aborting", False))


def links(field: str) -> list[tuple[str, dict[str, str]]]:
    """Parse the values of Link (RFC 8288 appendix B)."""
    found = []
    while "<" in field:
        target, _, field = field.partition("<")[2].partition(">")
        parameters: dict[str, str] = {}
        while field.lstrip().startswith(";"):
            name, field = split(field.lstrip()[1:], "=;,")
            value = ""
            if field.startswith('="'):
                value, _, field = field[2:].partition('"')
            elif field.startswith("="):
                value, field = split(field[1:], ";,")
            parameters.setdefault(name.strip().lower(), value.strip())
        found.append((target, parameters))
    return found


def split(text: str, ends: str) -> tuple[str, str]:
    """Split ``text`` before the first character that is one of ``ends``."""
    at = next((number for number, character in enumerate(text) if character in ends), len(text))
    return text[:at], text[at:]


def prepare(wire: Wire, name: str) -> dict[str, Any]:
    """Begin the examination in the situation ``name``."""
    answer = wire.admin("POST", f"/exam/{name}")
    assert answer.status == 201, answer.body
    assert "x-oagw-warning" not in answer.headers
    examined: dict[str, Any] = answer.json()
    return examined


def verdict(wire: Wire, examined: dict[str, Any], reports: list[dict[str, Any]]) -> dict[str, Any]:
    """End the examination with ``reports``, and return the verdict."""
    answer = wire.admin("POST", f"/exam/{examined['name']}/{examined['id']}", {"reports": reports})
    assert answer.status == 200, answer.body
    judged: dict[str, Any] = answer.json()
    return judged


def take(wire: Wire, name: str, client: Client) -> dict[str, Any]:
    """Let ``client`` take the situation ``name``: its calls one after the other. Returns the verdict."""
    examined = prepare(wire, name)
    reports = [client.call(call) for call in examined["calls"]]
    judged = verdict(wire, examined, reports)
    client.close()
    return judged
