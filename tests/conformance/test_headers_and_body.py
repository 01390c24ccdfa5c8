"""Behaviours 54 to 68, 153, 154, 159, 164, 171 and 175: header fields and bodies."""

import re
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.client import Answer, Client, exchange, parsed, problem, rest, violation
from tests.conformance.lab import Lab, Peer, Received, free_port

ALL = {"request": {"passthrough": "all"}}
OWN = {"host", "content-length", "connection"}
HOP_BY_HOP = (
    "Keep-Alive: timeout=5",
    "Proxy-Authenticate: Basic",
    "TE: trailers",
    "Trailer: X-Last",
    "Upgrade: h2c",
)
NOOP = {"type": "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.noop.v1"}


def sent(client: Client, lab: Lab, *fields: str, **members: Any) -> Received:
    """Call a new upstream with ``fields``; returns what arrived."""
    lab.clear()
    answer = client.call(client.at(lab.port, **members), *fields)
    assert answer.status == 200, answer.body
    return lab.only()


def answered(client: Client, lab: Lab, *fields: str, **members: Any) -> Answer:
    """Call a new upstream that answers with ``fields``."""
    lab.script = lambda request, peer: peer.answer(200, *fields)
    return client.call(client.at(lab.port, **members))


def request_rules(**rules: Any) -> dict[str, Any]:
    return {"request": rules}


def test_054_nothing_passes_by_default(root: Client, lab: Lab) -> None:
    request = sent(root, lab, "Content-Type: a/b", "Accept: x/y", "User-Agent: me", "X-Mine: 1")
    assert request.names == {*OWN, "content-type"}
    assert request.values("content-type") == ["a/b"]


def test_055_allowlist(root: Client, lab: Lab) -> None:
    rules = request_rules(passthrough="allowlist", passthrough_allowlist=["X-Mine", "accept"])
    fields = ("x-mine: 1", "X-Mine: 2", "Accept: x/y", "X-Other: 3", "Content-Type: a/b")
    request = sent(root, lab, *fields, headers=rules)
    assert request.names == {*OWN, "content-type", "x-mine", "accept"}
    assert request.values("x-mine") == ["1"]


def test_055_all(root: Client, lab: Lab) -> None:
    request = sent(root, lab, "X-Mine: 1", "x-mine: 2", "X-Other: 3", headers=ALL)
    assert (request.values("x-mine"), request.values("x-other")) == (["1", "2"], ["3"])


def test_056_hop_by_hop_of_a_request(root: Client, lab: Lab) -> None:
    request = sent(root, lab, *HOP_BY_HOP, "X-Mine: 1", headers=ALL)
    assert request.names == {*OWN, "x-mine", "x-request-id"}
    alias = root.at(lab.port, headers=ALL)
    head = root.head(alias, "X-Named: 1", "X-Mine: 1")
    lab.clear()
    exchange(root.rig.url, head.replace(b"Connection: close", b"Connection: close, X-Named"))
    assert lab.only().names == {*OWN, "x-mine", "x-request-id"}


def test_056_hop_by_hop_of_a_response(root: Client, lab: Lab) -> None:
    answer = answered(root, lab, *HOP_BY_HOP, "Connection: X-Named", "X-Named: 1", "X-Kept: 2")
    assert answer.header("x-kept") == "2"
    for name in ("keep-alive", "proxy-authenticate", "te", "trailer", "upgrade", "x-named"):
        assert name not in answer.headers


def test_057_own_names(root: Client, lab: Lab) -> None:
    request = sent(root, lab, "X-OAGW-Error-Source: upstream", "x-oagw-any: 1", headers=ALL)
    assert not any(name.startswith("x-oagw-") for name in request.names)
    rules = {"response": {"set": {"x-oagw-set": "1"}}}
    answer = answered(root, lab, "X-OAGW-Error-Source: gateway", "X-Oagw-Any: 1", headers=rules)
    assert (answer.source, set(answer.headers) & {"x-oagw-any", "x-oagw-set"}) == ("upstream", set())


def test_058_rules_of_requests(root: Client, lab: Lab) -> None:
    rules = request_rules(
        passthrough="all",
        remove=["X-Gone", "x-back"],
        set={"X-Set": "set", "x-back": "again"},
        add={"x-set": "added", "x-many": "3"},
    )
    fields = ("X-Gone: 1", "X-Back: 1", "X-Set: 1", "X-Set: 2", "X-Many: 1", "X-Many: 2")
    request = sent(root, lab, *fields, headers=rules)
    assert "x-gone" not in request.names
    assert request.values("x-back") == ["again"]
    assert request.values("x-set") == ["set", "added"]
    assert request.values("x-many") == ["1", "2", "3"]


def test_059_rules_of_responses(root: Client, lab: Lab) -> None:
    rules = {
        "response": {
            "remove": ["Server", "x-back"],
            "set": {"x-set": "set", "x-back": "again"},
            "add": {"x-set": "added", "x-many": "2"},
        }
    }
    fields = ("Server: lab", "X-Back: 1", "X-Set: 1", "X-Many: 1")
    answer = answered(root, lab, *fields, headers=rules)
    assert "server" not in answer.headers
    assert [answer.headers[name] for name in ("x-back", "x-set", "x-many")] == [
        ["again"],
        ["set", "added"],
        ["1", "2"],
    ]
    answer = root.call(root.at(free_port(), headers=rules))
    assert (answer.status, answer.headers["x-set"]) == (503, ["set", "added"])


def test_060_content_type(root: Client, lab: Lab) -> None:
    value = 'multipart/form-data; boundary="a b;c"; charset=UTF-8'
    assert sent(root, lab, f"Content-Type: {value}").values("content-type") == [value]


def test_061_bad_content_type(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for value in ("nonsense", "a/", "/b", ""):
        violation(root.call(alias, f"Content-Type: {value}"), "content-type", "INVALID_MIME_TYPE")
    answer = root.call(alias, "Content-Type: a/b", "content-type: a/b")
    violation(answer, "content-type", "DUPLICATE_HEADER")
    assert lab.requests == []


def framed(client: Client, alias: str, *fields: str) -> Answer:
    head = client.head(alias, *fields, method="POST")
    return exchange(client.rig.url, head + b"0\r\n\r\n")


def test_062_transfer_encoding(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    answer = framed(root, alias, "Transfer-Encoding: gzip, chunked")
    violation(answer, "transfer-encoding", "UNSUPPORTED_VALUE")
    answer = framed(root, alias, "Content-Length: 3", "Transfer-Encoding: chunked")
    violation(answer, "content-length", "CL_TE_COEXISTENCE")
    assert framed(root, alias, "Transfer-Encoding: chunked, gzip").status == 400
    assert lab.requests == []
    assert framed(root, alias, "Transfer-Encoding: chunked", "Content-Length: 3").status == 200
    assert root.call(alias, "TE: gzip;q=0.5, trailers").status == 200


def test_063_bad_content_length(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for value in ("1x", "-1", "+1", "1.0"):
        answer = root.call(alias, f"Content-Length: {value}", method="POST")
        assert answer.status == 400
        assert not root.rig.double or answer.source == "gateway"
    assert root.call(alias, "Content-Length: 1", "Content-Length: 2", method="POST").status == 400
    head = root.head(alias, "Content-Length: 2", "Content-Length: 2", method="POST")
    assert exchange(root.rig.url, head + b"hi").status == 200


@pytest.mark.parametrize("path", ["{alias}/v1", "../none", "../upstreams"])
def test_064_declared_length_over_the_limit(root: Client, anonymous: Client, lab: Lab, path: str) -> None:
    target = path.format(alias=root.at(lab.port))
    for client in (root, anonymous):
        head = client.head(target, "Content-Length: 64000001", method="POST")
        answer = exchange(client.rig.url, elsewhere(head))
        assert (answer.status, answer.header("content-type")) == (413, "application/problem+json")
        document = answer.json()
        assert (document["type"], document["title"]) == ("about:blank", "Payload Too Large")
        assert (document["detail"], document["context"]) == ("Payload Too Large", {})


def too_large(client: Client, target: str) -> Answer:
    """Send a chunked body over the limit, as far as the gateway reads it."""
    parts = urlsplit(client.rig.url)
    chunk = b"x" * 1_000_000
    with socket.create_connection((str(parts.hostname), parts.port or 80), 15) as connection:
        fields = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        with suppress(OSError):
            connection.sendall(elsewhere(client.head(target, *fields, method="POST")))
            for _ in range(65):
                connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        return parsed(rest(connection))


def elsewhere(head: bytes) -> bytes:
    """Resolve ``..`` at the beginning of a target."""
    return head.replace(b"/proxy/../", b"/")


def test_065_body_over_the_limit(root: Client, lab: Lab) -> None:
    answer = too_large(root, root.at(lab.port))
    problem(answer, 400, "out_of_range")
    assert answer.source == "gateway"
    assert lab.requests == []


def test_156_chunked_body_over_the_limit(root: Client, anonymous: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    document = problem(too_large(root, alias), 400, "out_of_range")
    assert document["context"]["field_violations"][0]["reason"] == "PAYLOAD_TOO_LARGE"
    assert too_large(root, "../upstreams").status == 413
    assert too_large(anonymous, alias).status == 401


def test_066_chunked_request(root: Client, lab: Lab) -> None:
    body = b"0123456789" * 20_000
    alias = root.at(lab.port)
    assert root.call(alias, method="POST", body=body, chunked=True).status == 200
    request = lab.only()
    assert (request.body == body, request.values("content-length")) == (True, [str(len(body))])
    assert "transfer-encoding" not in request.names


def test_067_length_of_nothing(root: Client, lab: Lab) -> None:
    assert sent(root, lab).values("content-length") == ["0"]


def test_068_large_response(root: Client, lab: Lab) -> None:
    piece = bytes(range(256)) * 256

    def script(request: Received, peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 500))
        for _ in range(500):
            peer.send(piece)

    lab.script = script
    answer = root.call(root.at(lab.port))
    assert (answer.complete, len(answer.body)) == (True, 500 * len(piece))
    assert answer.body == piece * 500


def test_153_trailers_of_a_caller(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, headers=ALL)
    head = root.head(alias, "TE: trailers", "Trailer: X-Last", "Keep-Alive: 1", method="POST", chunked=True)
    assert exchange(root.rig.url, head.removesuffix(b"\r\n") + b"X-Last: 1\r\n\r\n").status == 200
    assert not lab.only().names & {"te", "trailer", "keep-alive", "x-last"}


def test_154_connection(root: Client, lab: Lab) -> None:
    own = {"Host": "a", "Content-Length": "9", "Connection": "keep-alive", "Transfer-Encoding": "x"}
    rules = request_rules(passthrough="all", set=own, add=own, remove=list(own))
    request = sent(root, lab, headers=rules)
    assert request.values("connection") == ["close"]
    assert request.values("content-length") == ["0"]
    assert request.values("host") == [f"127.0.0.1:{lab.port}"]
    assert "transfer-encoding" not in request.names


def test_159_request_id_of_the_platform(root: Client, lab: Lab) -> None:
    listed = request_rules(passthrough="allowlist", passthrough_allowlist=["x-request-id"])
    plugin = "gts.cf.core.oagw.transform_plugin.v1~cf.core.oagw.request_id.v1"
    for rules in (ALL, listed):
        for plugins in (None, {"items": [{"plugin_ref": plugin}]}):
            lab.clear()
            answer = root.call(root.at(lab.port, headers=rules, plugins=plugins))
            (made,) = lab.only().values("x-request-id")
            assert made == answer.header("x-request-id")
            assert not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made)
    assert "x-request-id" not in sent(root, lab).names


def test_164_repeated_fields(root: Client, lab: Lab) -> None:
    fields = ("X-Mine: 1", "X-Other: 0", "X-Mine: 2")
    assert sent(root, lab, *fields, headers=ALL).values("x-mine") == ["1", "2"]
    assert sent(root, lab, *fields, headers=ALL, auth=NOOP).values("x-mine") == ["2"]
    answer = answered(root, lab, "Set-Cookie: a=1", "Set-Cookie: b=2", "Vary: x", "Vary: y", auth=NOOP)
    assert (answer.headers["set-cookie"], answer.headers["vary"]) == (["a=1", "b=2"], ["x", "y"])


def test_171_rules_write_what_callers_may_not(root: Client, lab: Lab) -> None:
    written = {"authorization": "Bearer x", "x-oagw-any": "1", "te": "trailers", "cookie": "a=b"}
    request = sent(root, lab, headers=request_rules(set=written))
    assert {name: request.values(name) for name in written} == {n: [v] for n, v in written.items()}


def test_175_head_of_the_response(root: Client, lab: Lab) -> None:
    fields = (
        "Date: Thu, 01 Jan 1970 00:00:00 GMT",
        "Server: lab/1",
        "X-Empty: ",
        'ETag: W/"a"',
        "X-Request-Id: theirs",
    )
    answer = answered(root, lab, *fields)
    date = answer.header("date")
    assert date is not None
    assert "1970" not in date
    assert [answer.header(name) for name in ("server", "x-empty", "etag", "x-request-id")] == [
        "lab/1",
        "",
        'W/"a"',
        "theirs",
    ]
