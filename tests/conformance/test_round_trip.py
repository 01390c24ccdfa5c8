"""Behaviours 1 to 30: the round trip of a call, and its errors."""

import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.client import METHODS, Client, named, new_alias, problem, violation
from tests.conformance.lab import Lab, Peer, Received, free_port

# The longest wait for the head of a response in the rig, in seconds.
TIMEOUT = 2.0

UNKNOWN = "00000000-0000-0000-0000-000000000000"


def source(answer: Any, expected: str) -> None:
    assert answer.source == expected, answer


def silent(request: Received, peer: Peer) -> None:
    peer.wait_until_left()


def answering(status: int, *fields: str, body: bytes = b"") -> Any:
    return lambda request, peer: peer.answer(status, *fields, body=body)


@pytest.mark.parametrize("method", METHODS)
def test_001_round_trip(root: Client, lab: Lab, method: str) -> None:
    alias = root.at(lab.port)
    lab.script = answering(201, "Content-Type: x/y", "X-Mine: a", "X-Mine: b", body=b"\x00\xffbody")
    answer = root.call(f"{alias}/v1/things?q=1", "Content-Type: a/b", method=method, body=b"sent")
    source(answer, "upstream")
    assert (answer.status, answer.body, answer.complete) == (201, b"\x00\xffbody", True)
    assert (answer.headers["x-mine"], answer.header("content-type")) == (["a", "b"], "x/y")
    sent = lab.only()
    assert (sent.method, sent.target, sent.body) == (method, "/v1/things?q=1", b"sent")


def test_002_methods_of_the_route(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"methods": ["PUT", "PATCH"]})
    assert [root.call(alias, method=method).status for method in METHODS] == [404, 404, 200, 200, 404]
    assert [request.method for request in lab.requests] == ["PUT", "PATCH"]


def relayed(client: Client, lab: Lab, status: int) -> None:
    alias = client.at(lab.port)
    body = b"" if status in (204, 304) else b"theirs"
    lab.script = answering(status, "Retry-After: 7", "Content-Type: text/plain", body=body)
    answer = client.call(alias)
    source(answer, "upstream")
    assert (answer.status, answer.body, answer.header("retry-after")) == (status, body, "7")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_003_success(root: Client, lab: Lab, status: int) -> None:
    relayed(root, lab, status)


@pytest.mark.parametrize("status", [304, 400, 401, 404, 429, 500, 502, 503, 599])
def test_004_errors_of_the_upstream(root: Client, lab: Lab, status: int) -> None:
    relayed(root, lab, status)


def test_005_problem_of_the_upstream(root: Client, lab: Lab) -> None:
    body = b'{"type":"about:blank","title":"Theirs","status":404}'
    alias = root.at(lab.port)
    lab.script = answering(404, "Content-Type: application/problem+json", body=body)
    answer = root.call(alias)
    source(answer, "upstream")
    assert (answer.status, answer.body) == (404, body)


def test_006_unknown_alias(root: Client) -> None:
    answer = root.call(f"{new_alias()}/x")
    source(answer, "gateway")
    document = problem(answer, 404, "not_found")
    assert document["detail"] == f"upstream not found: {UNKNOWN}"
    assert document["context"]["resource_type"] == "gts.cf.core.oagw.upstream.v1~"


@pytest.mark.double
def test_006_unknown_alias_is_named(root: Client) -> None:
    alias = new_alias()
    assert root.call(f"{alias}/x").json()["error"] == f"Unknown alias: {alias}"


def no_route(client: Client, target: str, method: str = "GET") -> None:
    answer = client.call(target, method=method)
    source(answer, "gateway")
    if method == "HEAD":
        assert answer.status == 404
        return
    document = problem(answer, 404, "not_found")
    assert document["detail"].startswith("route not found: ")
    assert document["context"]["resource_type"] == "gts.cf.core.oagw.route.v1~"


def test_007_no_route_for_the_path(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1"})
    for path in ("", "/", "/v2", "/V1", "/x/v1"):
        no_route(root, alias + path)
    assert root.call(f"{alias}/v1").status == 200
    assert len(lab.requests) == 1


def test_008_no_route_for_the_method(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"methods": ["POST"]})
    for method in ("GET", "PUT", "QUERY", "post"):
        no_route(root, alias, method)
    assert lab.requests == []


def test_009_head_and_options(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for method in ("HEAD", "OPTIONS"):
        no_route(root, alias, method)


def test_010_alias_ignores_case(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    assert root.call(alias.upper()).status == root.call(alias.title()).status == 200


def test_011_encoded_alias(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    assert root.call(alias.replace("-", "%2D")).status == 404


def test_012_missing_alias(root: Client) -> None:
    violation(root.call("/x"), "path", "MISSING_ALIAS")


def test_013_disabled_upstream(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, enabled=False)
    answer = root.call(f"{alias}/none")
    source(answer, "gateway")
    assert problem(answer, 503, "service_unavailable")["context"]["retry_after_seconds"] == 30
    assert answer.header("retry-after") == "30"


def test_014_enabled_again(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, enabled=False)
    root.change(alias, enabled=True)
    assert root.call(alias).status == 200


def test_015_disabled_route(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/a"})
    root.route(root.of_alias(alias), "/b", enabled=False)
    no_route(root, f"{alias}/b")


def test_016_connection_refused(root: Client) -> None:
    alias = root.at(free_port())
    answer = root.call(alias)
    source(answer, "gateway")
    document = problem(answer, 503, "service_unavailable")
    assert (document["context"]["retry_after_seconds"], document["detail"]) == (
        5,
        "Service temporarily unavailable",
    )


def test_018_failures_of_the_forwarder(root: Client) -> None:
    alias = root.at(free_port())
    answer = root.call(f"{alias}/v1//x?q=a%20b", "X-Request-Id: mine")
    document = problem(answer, 503, "service_unavailable")
    assert answer.header("retry-after") is None
    assert "trace_id" not in document
    assert document["instance"] == f"/{alias}/v1//x?q=a%20b"


def test_019_slow_head(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    lab.script = silent
    began = monotonic()
    answer = root.call(f"{alias}/v1?q=1")
    assert TIMEOUT - 0.1 <= monotonic() - began < TIMEOUT + 1.5
    source(answer, "gateway")
    document = problem(answer, 504, "deadline_exceeded")
    assert document["detail"] == f"request to http://127.0.0.1:{lab.port}/v1?q=1 timed out after 2s"
    assert document["instance"].endswith(f"/proxy/{alias}/v1")
    assert document["trace_id"]
    assert answer.header("retry-after") is None


def test_020_slow_body(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)

    def script(request: Received, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(4):
            sleep(0.7)
            peer.send(b"1\r\nx\r\n")
        peer.send(b"0\r\n\r\n")

    lab.script = script
    answer = root.call(alias)
    assert (answer.status, answer.body, answer.complete) == (200, b"xxxx", True)


def waiting(client: Client, target: str, *fields: str) -> Any:
    """Call in another thread; returns a function that waits for the answer."""
    executor = ThreadPoolExecutor(1)
    return executor.submit(partial(client.call, target, *fields))


def arrived(lab: Lab) -> None:
    """Wait for a request."""
    until = monotonic() + 10
    pause = threading.Event()
    while not lab.requests:
        assert monotonic() < until
        pause.wait(0.01)


@pytest.mark.double
def test_017_unknown_host(patient: Any) -> None:
    client, advance = patient
    answer = client.post("/upstreams", named("nothing.invalid", scheme="http", port=80))
    client.open(answer.json())
    call = waiting(client, "nothing.invalid/v1")
    while not call.done():
        advance(1)
    answer = call.result()
    source(answer, "gateway")
    assert problem(answer, 503, "service_unavailable")["context"]["retry_after_seconds"] == 10
    assert answer.header("retry-after") is None


@pytest.mark.double
def test_021_deadline_of_the_platform(patient: Any, lab: Lab) -> None:
    client, advance = patient
    alias = client.at(lab.port)
    lab.script = silent
    call = waiting(client, alias)
    arrived(lab)
    advance(29.9)
    assert not call.done()
    advance(0.1)
    answer = call.result()
    source(answer, "gateway")
    document = problem(answer, 504, "deadline_exceeded")
    assert document["detail"] == "Request exceeded 30s timeout"
    assert document["context"]["resource_type"] == "gts.cf.core.api_gateway.gateway.v1~"


def late_failure(lab: Lab, begin: bytes, length: int | None) -> None:
    """Fail after ``begin`` of a body of ``length`` bytes; chunked without one."""

    def script(request: Received, peer: Peer) -> None:
        head = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        framed = begin if length is not None else b"%x\r\n%b\r\n" % (len(begin), begin)
        peer.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + framed)

    lab.script = script


def test_022_failure_in_a_chunked_body(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    late_failure(lab, b"begin", None)
    answer = root.call(f"{alias}/v1")
    source(answer, "upstream")
    assert (answer.status, answer.complete, answer.body[:5]) == (200, True, b"begin")
    document = json.loads(answer.body[5:])
    assert (document["status"], document["context"]["retry_after_seconds"]) == (503, 5)
    assert document["type"].endswith("service_unavailable.v1~")
    assert document["instance"] == f"/{alias}/v1"


def test_022_failure_in_a_body_with_a_length(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    late_failure(lab, b"begin", 5000)
    answer = root.call(alias)
    assert (answer.status, answer.complete, answer.header("content-length")) == (200, False, "5000")
    assert json.loads(answer.body[5:])["status"] == 503
    late_failure(lab, b"begin", 25)
    answer = root.call(alias)
    assert (answer.complete, answer.body[:13], len(answer.body)) == (True, b'begin{"type":', 25)


def test_023_no_retries(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for script in (lambda request, peer: peer.reset(), lambda request, peer: None, answering(503)):
        lab.clear()
        lab.script = script
        assert root.call(alias).status == 503
        assert (len(lab.requests), lab.connections) == (1, 1)


def test_025_unauthorized_upstream(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    lab.script = answering(401, "WWW-Authenticate: Basic")
    answer = root.call(alias)
    source(answer, "upstream")
    assert (answer.status, answer.header("www-authenticate"), len(lab.requests)) == (401, "Basic", 1)


def test_026_redirects(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for status in (301, 302, 303, 307, 308):
        lab.clear()
        lab.script = answering(status, f"Location: http://127.0.0.1:{lab.port}/x")
        answer = root.call(alias)
        assert (answer.status, len(lab.requests)) == (status, 1)
        assert answer.header("location") == f"http://127.0.0.1:{lab.port}/x"


def test_027_client_leaves(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    left = threading.Event()

    def script(request: Received, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nbegin")
        if peer.wait_until_left():
            left.set()

    lab.script = script
    parts = urlsplit(root.rig.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as connection:
        connection.sendall(root.head(alias))
        assert connection.recv(1000)
    assert left.wait(5)


def test_028_members_of_problems(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1"})
    for target in (f"{alias}/none", f"{alias}/v1?z=1", new_alias()):
        answer = root.call(target)
        assert answer.header("content-type") == "application/problem+json"
        assert {"type", "title", "status", "detail", "context"} <= set(answer.json())


@pytest.mark.double
def test_028_errors_have_a_sentence(root: Client, lab: Lab) -> None:
    alias = root.at(free_port(), match={"path": "/v1"})
    for target in (f"{alias}/none", f"{alias}/v1?z=1", f"{alias}/v1", new_alias()):
        assert isinstance(root.call(target).json()["error"], str)


def test_029_instance_and_trace_id(root: Client) -> None:
    alias, trace = new_alias(), "0af7651916cd43dd8448eb211c80319c"
    parent = f"traceparent: 00-{trace}-b7ad6b7169203331-01"
    for fields, expected in (
        ((parent, "X-Trace-Id: t", "X-Request-Id: r"), trace),
        (("X-Trace-Id: t", "X-Request-Id: r"), "t"),
        (("X-Request-Id: r",), "r"),
    ):
        document = root.call(f"{alias}/x?y=1", *fields).json()
        assert document["instance"] == f"{root.rig.prefix}/proxy/{alias}/x"
        assert document["trace_id"] == expected


def test_030_request_id(root: Client, lab: Lab) -> None:
    for target in (root.at(lab.port), new_alias()):
        ids = {root.call(target).header("x-request-id") for _ in range(2)}
        assert len(ids) == 2
        assert all(re.fullmatch("[A-Za-z0-9_-]{21}", id or "") for id in ids), ids
        assert root.call(target, "X-Request-Id: mine").header("x-request-id") == "mine"
