"""Behaviours 37 to 53: path, query, host and endpoints."""

from typing import Any

import pytest

from tests.conformance.client import Client, problem, violation
from tests.conformance.lab import HOSTS, Lab, Peer, Received, free_port


def target(client: Client, lab: Lab, path: str) -> str:
    """Call ``path``; returns what the upstream was asked for."""
    lab.clear()
    answer = client.call(path)
    assert answer.status == 200, answer.body
    return lab.only().target


@pytest.mark.parametrize(
    ("route", "suffix", "expected"),
    [
        ("/v1", "/v1", "/v1"),
        ("/v1", "/v1/models/a", "/v1/models/a"),
        ("/v1/", "/v1/x", "/v1/x"),
        ("/", "/x", "/x"),
        ("/", "/", "/"),
        ("", "", "/"),
        ("", "/x", "/x"),
    ],
)
def test_037_path(root: Client, lab: Lab, route: str, suffix: str, expected: str) -> None:
    assert target(root, lab, root.at(lab.port, match={"path": route}) + suffix) == expected


def marked(client: Client, alias: str, path: str, mark: str, **members: Any) -> None:
    """Add a route that answers with ``mark`` as a rate limit, which tells it from others."""
    limit = {"sustained": {"rate": int(mark), "window": "day"}}
    client.route(client.of_alias(alias), path, rate_limit=limit, **members)


def chosen(client: Client, path: str) -> str | None:
    return client.call(path).header("x-ratelimit-limit")


def test_038_longest_path(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v9"})
    for path, mark in (("/v1", "101"), ("/v1/models", "102"), ("/", "103")):
        marked(root, alias, path, mark, priority=int(mark))
    assert [chosen(root, alias + path) for path in ("/v1/models/x", "/v1/x", "/x")] == ["102", "101", "103"]


def test_039_priority(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v9"})
    for mark, priority in (("101", -1), ("102", 5), ("103", 0)):
        marked(root, alias, "/v1", mark, priority=priority)
    assert chosen(root, f"{alias}/v1") == "102"


def test_040_suffix_mode(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1", "path_suffix_mode": "disabled"})
    assert target(root, lab, f"{alias}/v1") == target(root, lab, f"{alias}/v1/") == "/v1"
    for suffix in ("/v1/x", "/v1x"):
        document = violation(root.call(alias + suffix), "path", "PATH_SUFFIX_NOT_ALLOWED")
        description = document["context"]["field_violations"][0]["description"]
        assert description.startswith("path suffix not allowed: ")


def test_041_no_segment_boundary(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1/model"})
    assert target(root, lab, f"{alias}/v1/models") == "/v1/model/s"


def test_042_normalised_path(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1"})
    for suffix in ("//v1//x", "/v1/./x", "/v1/y/../x", "/../../v1/x", "/a/../v1/x/", "/./v1/x/y/.."):
        assert target(root, lab, alias + suffix) == "/v1/x", suffix
    assert root.call(f"{alias}/v1/..").status == 404


def test_043_trailing_slash(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1/"})
    assert target(root, lab, f"{alias}/v1/x/") == "/v1/x"
    assert root.call(f"{alias}/v1/").status == root.call(f"{alias}/v1").status == 404


def test_044_escapes(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"path": "/v1"})
    suffix = "/v1/%2e%2E/%2F/a%20b%c3%a9/%zz"
    assert target(root, lab, alias + suffix) == suffix
    assert root.call(f"{alias}/%76%31").status == 404


def test_045_query_outside_of_the_list(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for query in ("z=1", "q=1&z", "Q=1", "q=1&=2", "%71%71=1"):
        violation(root.call(f"{alias}/v1?{query}"), "query", "QUERY_NOT_ALLOWED")
    assert lab.requests == []
    document = root.call(f"{alias}/v1?a=1").json()
    expected = "query parameter 'a' is not in the route's query_allowlist"
    assert document["context"]["field_violations"][0]["description"] == expected


def test_046_empty_list(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, match={"query_allowlist": []})
    violation(root.call(f"{alias}/v1?q=1"), "query", "QUERY_NOT_ALLOWED")
    assert target(root, lab, f"{alias}/v1") == "/v1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=a%20b", "?q=a+b"),
        ("q=a+b&q=%26", "?q=a+b&q=%26"),
        ("q", "?q="),
        ("", ""),
        ("q=2&flag=1&q=1", "?q=2&flag=1&q=1"),
        ("%71=x/y", "?q=x%2Fy"),
        ("q=~*-._", "?q=%7E*-._"),
        ("q=%C3%A9", "?q=%C3%A9"),
    ],
)
def test_047_query(root: Client, lab: Lab, query: str, expected: str) -> None:
    alias = root.at(lab.port, match={"query_allowlist": ["q", "flag"]})
    assert target(root, lab, f"{alias}/v1?{query}") == f"/v1{expected}"


def test_048_host(root: Client, lab: Lab) -> None:
    rules = {"request": {"passthrough": "all", "set": {"host": "other.example"}}}
    alias = root.at(lab.port, headers=rules)
    assert root.call(alias).status == 200
    assert lab.only().values("host") == [f"127.0.0.1:{lab.port}"]


@pytest.mark.double
def test_048_host_without_a_usual_port(root: Client) -> None:
    for scheme, port in (("http", 80), ("https", 443), ("http", 443), ("https", 80)):
        alias = root.at(port, "echo.test", scheme=scheme)
        assert dict(root.call(alias).json()["headers"])["host"] == "echo.test"
        root.delete(f"/upstreams/{root.of_alias(alias)['id']}")


def hosted(request: Received, peer: Peer) -> None:
    peer.answer(body=request.host.encode())


def test_049_target_host(root: Client, lab: Lab) -> None:
    lab.script = hosted
    alias = root.at(lab.port, *HOSTS, headers={"request": {"passthrough": "all"}})
    for host in (HOSTS[2], HOSTS[2], HOSTS[0]):
        assert root.call(alias, f"X-OAGW-Target-Host: {host}").body.decode() == host
    assert not any(name.startswith("x-oagw") for request in lab.requests for name in request.names)


@pytest.mark.double
def test_049_target_host_in_any_case(root: Client) -> None:
    alias = root.at(443, "echo.test", scheme="https")
    assert root.call(alias, "x-oagw-target-host: ECHO.Test").status == 200


def test_050_malformed_target_host(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for value in ("", "a:1", "http://a", "a/b", "a b", "a,b"):
        answer = root.call(alias, f"X-OAGW-Target-Host: {value}")
        violation(answer, "x-target-host", "INVALID_TARGET_HOST")
    assert lab.requests == []


def test_051_unknown_target_host(root: Client, lab: Lab) -> None:
    for alias in (root.at(lab.port), root.at(lab.port, *HOSTS[:2])):
        answer = root.call(alias, "X-OAGW-Target-Host: other.example")
        document = violation(answer, "x-target-host", "UNKNOWN_TARGET_HOST")
        expected = "X-OAGW-Target-Host 'other.example' does not match any configured endpoint"
        assert document["context"]["field_violations"][0]["description"] == expected


def test_052_round_robin(root: Client, lab: Lab) -> None:
    lab.script = hosted
    alias = root.at(lab.port, *reversed(HOSTS))
    found = [root.call(alias).body.decode() for _ in range(6)]
    at = HOSTS.index(found[0])
    assert found == [*HOSTS[at:], *HOSTS, *HOSTS[:at]]


def test_053_unhealthy_endpoint(root: Client, lab: Lab) -> None:
    lab.script = hosted
    alias = root.at(lab.port, HOSTS[0], "127.0.0.9")  # where nobody listens
    assert {root.call(alias).body.decode() for _ in range(3)} == {HOSTS[0]}


def test_172_no_healthy_endpoint(root: Client) -> None:
    answer = root.call(root.at(free_port(), *HOSTS))
    document = problem(answer, 503, "service_unavailable")
    assert (answer.header("retry-after"), document["context"]["retry_after_seconds"]) == ("5", 5)
    assert answer.source == "gateway"
    answer = root.call(root.at(free_port()))
    assert (answer.status, answer.header("retry-after")) == (503, None)
