"""A control plane that a test plays: it hands out situations, and judges the reports as the test says."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from oagw.exam.explanation import explained
from oagw.exam.verdict import FAILED

Reports = list[dict[str, Any]]

# The body of each answer to a call.
VALUE = {"word": "marigold"}


def by_outcome(reports: Reports) -> str:
    """The verdict of a situation in which the client should return what it got."""
    outcomes = {report["outcome"] for report in reports}
    if "unsupported" in outcomes:
        return "not judged"
    return "passed" if outcomes <= {"value", "text"} else "failed"


class Posed(NamedTuple):
    """A situation: how many ``calls`` it has, how they are made, and who judges the reports."""

    group: str = "retry"
    kind: str = "call"
    calls: int = 1
    at_once: bool = False
    stagger: float = 0.0
    deadline: float = 10.0
    judge: Callable[[Reports], str] = by_outcome
    text: str = "the reason"
    refusal: str | None = None  # why it is not possible with this gateway


class FakeExam:
    """A server at ``url`` with ``situations``; ``reports`` has what came, by situation. Use ``with``."""

    def __init__(self, situations: Mapping[str, Posed]) -> None:
        self.situations = situations
        self.reports: dict[str, list[Reports]] = {}
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handling(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.paths.append(path)
        match path.removeprefix("/__admin/exam").split("/")[1:] if "/__admin/exam" in path else None:
            case None:
                return 200, VALUE
            case []:
                return 200, {"situations": [_described(*one) for one in self.situations.items()]}
            case [name]:
                if (why := self.situations[name].refusal) is not None:
                    return 409, {"errors": [{"code": 409, "title": "Conflict", "detail": why}]}
                return 201, self._examination(name)
            case [name, _]:
                self.reports.setdefault(name, []).append(body["reports"])
                return 200, self._judgement(name, body["reports"])
        raise AssertionError(path)

    def _examination(self, name: str) -> dict[str, Any]:
        posed = self.situations[name]
        base, path = f"{self.url}/__sandbox/k/api/oagw/v1/proxy/exam", "/v1/things"
        calls: list[dict[str, Any]] = [
            {
                "id": f"{name}/{number}",
                "kind": posed.kind,
                "url": base + path,
                "base_url": base,
                "path": path,
                "token": "sandbox-token",
                "method": "GET",
                "headers": {},
                "body": None,
                "timeout": 1.0,
                "retries": 2,
                "cancel_after": None,
            }
            for number in range(1, posed.calls + 1)
        ]
        return {
            "id": "e1",
            "name": name,
            "kind": posed.kind,
            "deadline": posed.deadline,
            "at_once": posed.at_once,
            "stagger": posed.stagger,
            "calls": calls,
        }

    def _judgement(self, name: str, reports: Reports) -> dict[str, Any]:
        posed = self.situations[name]
        verdict = posed.judge(reports)
        judgement = {
            "name": name,
            "group": posed.group,
            "verdict": verdict,
            "text": posed.text,
            "rules": [{"rule": "waits", "verdict": verdict, "text": posed.text, "evidence": ["r2"]}],
            "requests": [request("r1", 1.0, 503), request("r2", 1.25, 200)],
        }
        if verdict == FAILED:
            judgement["explanation"] = explained(_described(name, posed), judgement, reports)
        return judgement


def request(id: str, time: float, status: int) -> dict[str, Any]:
    """A request as the journal shows it."""
    about = {"id": id, "connection": 3, "time": time, "status": status, "ended": "complete"}
    url = "/__sandbox/k/api/oagw/v1/proxy/exam/v1/things"
    return {"id": id, "request": {"method": "GET", "url": url, "oagw": about}, "response": {"status": status}}


def _described(name: str, posed: Posed) -> dict[str, Any]:
    return {
        "name": name,
        "group": posed.group,
        "kind": posed.kind,
        "happens": "A 503 states a delay.",
        "correct": "It waits.",
        "source": {"text": "RFC 9110 section 10.2.3", "url": "https://www.rfc-editor.org/rfc/rfc9110"},
        "legitimate": "",
        "calls": posed.calls,
        "deadline": posed.deadline,
    }


def _handling(exam: FakeExam) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = exam.answer(self.command, self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    return Handler
