"""The evidence as text: where requests went, what they had, and what the adapter said."""

from typing import Any

from oagw.exam.explanation import explained

SITUATION = {
    "happens": "A GET is redirected.",
    "correct": "It follows.",
    "source": {"text": "RFC 9110", "url": "https://www.rfc-editor.org/rfc/rfc9110.html"},
}
HOME = "/__sandbox/k/api/oagw/v1/proxy/exam"


def event(
    host: str, path: str, status: int, connection: int, sent: Any = None, got: Any = None
) -> dict[str, Any]:
    """A request as the journal shows it."""
    about = {"connection": connection, "time": 1.0, "status": status, "ended": "complete"}
    url = HOME + path
    request = {"method": "GET", "url": url, "absoluteUrl": f"http://{host}{url}", "oagw": about}
    return {
        "id": f"r{connection}",
        "request": {**request, "headers": sent or {}},
        "response": {"headers": got or {}},
    }


def lines(requests: list[dict[str, Any]], *reports: Any) -> list[str]:
    judgement = {"text": "It did not.", "rules": [], "requests": requests}
    return explained(SITUATION, judgement, reports).split("\n")[3:]


def test_another_host_and_the_credentials_for_it_are_shown() -> None:
    there = "localhost:8000"
    credentials = {"authorization": "****", "Cookie": "****"}
    assert lines(
        [
            event(
                "127.0.0.1:8000",
                "/v1/things",
                302,
                1,
                {"Authorization": "****"},
                {"Location": f"http://{there}{HOME}/v1/moved"},
            ),
            event(there, "/v1/moved", 200, 2),
            event(there, "/v1/moved", 200, 3, credentials, {"Location": "/elsewhere"}),
            event("127.0.0.1:8000", "/v1/things", 200, 4, credentials),
        ]
    ) == [
        "+0.00 s  GET /v1/things -> 302 (Location: http://localhost:8000/v1/moved, connection 1, complete)",
        "+0.00 s  GET http://localhost:8000/v1/moved -> 200 (connection 2, complete)",
        "+0.00 s  GET http://localhost:8000/v1/moved -> 200 "
        "(Authorization sent, Cookie sent, connection 3, complete)",
        "+0.00 s  GET /v1/things -> 200 (connection 4, complete)",
    ]


def test_a_relative_location_is_shown_and_a_long_one_is_cut() -> None:
    for location, shown in ((f"{HOME}/v1/x", "/v1/x"), ("/" + "y" * 5_000, "/" + "y" * 199 + "...")):
        (line,) = lines([event("h", "/v1/things", 307, 1, got={"location": [location]})])
        assert line == f"+0.00 s  GET /v1/things -> 307 (Location: {shown}, connection 1, complete)"


def test_what_a_lost_adapter_said_is_shown_once_and_line_by_line() -> None:
    said = "Traceback:\n  KeyError\x1b[2J"
    none = {"id": "a/1", "outcome": "none", "message": said}
    assert lines([], none, {**none, "id": "a/2"}) == [
        "No requests were received.",
        'The client reported: {"id": "a/1", "outcome": "none"}',
        "Meanwhile, the adapter wrote to standard error:",
        "  Traceback:",
        "    KeyError\\x1b[2J",
        'The client reported: {"id": "a/2", "outcome": "none"}',
    ]
    crash = {"outcome": "crash", "message": "it ended with status 1:\nboom"}
    assert lines([], crash)[2:] == ["The adapter died:", "  it ended with status 1:", "  boom"]
    assert len("".join(lines([], {"outcome": "none", "message": "z" * 20_000}))) < 5_000


def test_the_message_of_an_error_stays_in_the_report() -> None:
    report = {"outcome": "error", "error": "E", "message": "no"}
    assert lines([], report)[1:] == [
        'The client reported: {"outcome": "error", "error": "E", "message": "no"}'
    ]
