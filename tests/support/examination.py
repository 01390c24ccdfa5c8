"""One examination on a fake clock: its calls as bytes, and the verdict on reports."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.support.wire import Connection, Wire, parse, request
from tests.support.wire_case import WireTestCase


class Got(NamedTuple):
    """What came on a connection: writes with their times, in seconds from the request, and how it ended.

    ``end`` is "complete" if the connection is ready for the next request, "open" if more may come,
    "closed" or "reset".
    """

    writes: list[tuple[float, bytes]]
    end: str

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.writes)

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        """The body; a chunked one is decoded as far as it goes."""
        head, _, rest = self.data.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" not in head.lower():
            return rest
        body = b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return body

    @property
    def status(self) -> int:
        return parse(self.head + b"\r\n\r\n", head_only=True)[0].status


class Examination:
    """An examination in ``wire``. It ends with the verdict."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire = wire
        self.name = name
        self.document = wire.admin("POST", f"/exam/{name}").json()
        self.calls: list[Mapping[str, Any]] = self.document["calls"]

    def ask(
        self,
        number: int = 0,
        *fields: str,
        connection: Connection | None = None,
        method: str | None = None,
        seconds: float = 12.0,
    ) -> Got:
        """Make call ``number``, and read until the answer ends or so many ``seconds`` have passed.

        The client leaves then, unless it gave the ``connection``.
        """
        own = connection is None
        connection = connection or self.wire.connect()
        call = self.calls[number]
        method = method or call["method"]
        body = b"" if method == "GET" or call["body"] is None else json.dumps(call["body"]).encode()
        lines = [f"{name}: {value}" for name, value in call["headers"].items()]
        lines += [f"Authorization: Bearer {call['token']}", f"Content-Length: {len(body)}", *fields]
        transport, began = connection.transport, self.wire.clock.seconds()
        writes: list[tuple[float, bytes]] = []

        def read() -> None:
            if data := connection.take():
                writes.append((round(self.wire.clock.seconds() - began, 3), data))

        target = call["url"].partition("://")[2].partition("/")[2]
        sent = request(f"{method} /{target} HTTP/1.1", "Host: localhost", *lines) + body
        if data := connection.send(sent):
            writes.append((0.0, data))
        for _ in range(round(seconds / 0.01)):
            if not connection.protocol.requests or transport.disconnecting:
                break
            self.wire.clock.advance(0.01)
            read()
        if transport.disconnected:
            end = "reset"
        elif transport.disconnecting:
            end = "closed"
        else:
            end = "open" if connection.protocol.requests else "complete"
        if own:
            connection.leave()
        return Got(writes, end)

    def judge(self, *reports: Mapping[str, Any]) -> Any:
        """The verdict on ``reports``, in JSON."""
        answer = self.wire.admin("POST", f"/exam/{self.name}/{self.document['id']}", {"reports": reports})
        assert answer.status == 200, answer.body
        return answer.json()


def value(value: Any = None) -> Mapping[str, Any]:
    """The report of a client that returns ``value``."""
    return {"outcome": "value", "value": value}


def text(text: str, **more: Any) -> Mapping[str, Any]:
    """The report of a client that returns the ``text`` of a stream."""
    return {"outcome": "text", "text": text, **more}


def failure(**more: Any) -> Mapping[str, Any]:
    """The report of a client that reports an error."""
    return {"outcome": "error", "error": "Error", **more}


class ExamTestCase(WireTestCase):
    """Takes situations; at the end, those without a verdict expire."""

    def tearDown(self) -> None:
        self.wire.clock.advance(130.0)
        super().tearDown()

    def examine(self, name: str) -> Examination:
        return Examination(self.wire, name)

    def verdict(self, name: str, *reports: Mapping[str, Any], asks: int = 1) -> tuple[str, set[str]]:
        """The verdict on a client that makes the first call so many times, and the rules that it breaks."""
        examination = self.examine(name)
        for _ in range(asks):
            examination.ask(seconds=0.7)
        return outcome(examination.judge(*reports))


def outcome(judged: Any) -> tuple[str, set[str]]:
    """The verdict, and the rules that are broken."""
    return judged["verdict"], {one["rule"] for one in judged["rules"] if one["verdict"] == "failed"}
