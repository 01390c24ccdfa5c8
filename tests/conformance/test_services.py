"""Behaviours 155, 166, 167, 169, 170 and 176: built-in services, barriers, refusals, the root tenant."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from oagw.app import Gateway
from oagw.config import Config
from tests.conformance.client import Client, limit, problem
from tests.conformance.lab import Lab
from tests.support.wire import Wire


def test_155_refused_before_the_body(root: Client, anonymous: Client) -> None:
    for client in (root, anonymous):
        head = client.head("conformance-none", "Content-Length: 200000000", method="POST")
        parts = urlsplit(client.rig.url)
        with socket.create_connection((str(parts.hostname), parts.port or 80), 15) as connection:
            connection.sendall(head + b"ten bytes.")
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(65536)
        assert received.split(b" ")[1] == b"413"


SERVICES = ("openai", "github", "weather", "calculator", "stream-test")


@pytest.mark.double
def test_166_services_answer_under_their_aliases(root: Client, nobody: Client, outsider: Client) -> None:
    for alias in SERVICES:
        assert root.call(f"{alias}/none").source == "upstream"
        assert nobody.call(f"{alias}/none").status == 403
        document = problem(outsider.call(f"{alias}/none"), 404, "not_found")
        assert document["detail"].startswith("tenant not found")
    assert root.call("weather/current?city=Oslo").json()["location"] == "Oslo"
    listed = root.get("/upstreams?limit=100").json()
    assert not {one["alias"] for one in listed} & set(SERVICES)


@pytest.mark.double
def test_166_services_are_shadowed(
    root: Client, hierarchy_root: Client, left_child: Client, lab: Lab
) -> None:
    hierarchy_root.at(lab.port, alias="calculator", rate_limit=limit(99, sharing="inherit"))
    for client in (hierarchy_root, left_child):
        assert client.call("calculator/calculate").body == b"lab"
    assert root.call("calculator/calculate").body != b"lab"
    hierarchy_root.change("calculator", enabled=False)
    assert left_child.call("calculator/calculate").status == 503


@pytest.mark.double
def test_167_services_as_endpoints(root: Client) -> None:
    rules: dict[str, Any] = {"request": {"set": {"x-set": "1"}}, "response": {"set": {"x-via": "oagw"}}}
    for scheme, port in (("https", 443), ("http", 80), ("https", 8443), ("http", 1)):
        alias = root.at(port, "echo.test", scheme=scheme, headers=rules, rate_limit=limit(1, "hour"))
        answer = root.call(f"{alias}/v1/x?q=a%20b", "X-Mine: 1", method="POST", body=b"hi")
        assert (answer.status, answer.source, answer.header("x-via")) == (200, "upstream", "oagw")
        assert answer.header("x-ratelimit-remaining") == "0"
        echo = answer.json()
        assert (echo["path"], echo["query"], echo["body"]) == ("/v1/x", "q=a+b", "hi")
        fields = dict(echo["headers"])
        assert (fields["x-set"], "x-mine" in fields, "authorization" in fields) == ("1", False, False)
        assert root.call(f"{alias}/v1").status == 429
        root.delete(f"/upstreams/{root.of_alias(alias)['id']}")


@pytest.mark.double
def test_169_a_failure_of_the_gateway_itself() -> None:
    """In this process: nothing that a client does should make the gateway fail."""

    def fails(*_: object) -> Any:
        raise ZeroDivisionError

    wire = Wire()
    gateway = Gateway(Config(seed=1), wire.clock, wall=lambda: wire.date, before=[fails])
    wire.gateway = gateway
    answer = wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Oslo")
    assert (answer.status, answer.source) == (500, ["gateway"])
    document = answer.json()
    assert document["type"] == "gts://gts.cf.core.errors.err.v1~cf.core.err.internal.v1~"
    assert (document["title"], document["context"]) == ("Internal", {})
    assert document["detail"] == "An internal error occurred. Please retry later."
    assert document["instance"] == "/oagw/v1/proxy/weather/current"


@pytest.mark.double
def test_170_barrier(root: Client, lab: Lab) -> None:
    tenants = {"root": None, "alone": {"parent": "root", "selfManaged": True}, "below": "alone"}
    created = root.ask("POST", "//__admin/sandboxes", {"tenants": tenants}).json()

    def client(name: str) -> Client:
        one = Client(root.rig, "root")
        one.token, one.tenant = created["tenants"][name]["token"], created["tenants"][name]["id"]
        return one

    top, alone, below = map(client, tenants)
    noop = {"type": "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.noop.v1", "sharing": "inherit"}
    alias, inner = top.at(lab.port, auth=noop), alone.at(lab.port, auth=noop)
    assert [one.call(alias).status for one in (top, alone, below)] == [200, 404, 404]
    assert [one.call(inner).status for one in (top, alone, below)] == [404, 200, 200]
    shared = top.secret("passes", "shared")
    assert below.ask("GET", f"//credstore/v1/secrets/{shared}").json()["value"] == "passes"
    root.ask("DELETE", f"//__admin/sandboxes/{created['id']}")


@pytest.mark.double
def test_176_token_without_a_tenant(root: Client, lab: Lab) -> None:
    other = Client(root.rig, "root")
    other.token = "test-integration-token"
    alias = root.at(lab.port)
    assert other.call(alias).status == 200
    assert other.of_alias(alias)["tenant_id"] == root.tenant
