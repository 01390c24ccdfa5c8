"""Upstreams, routes and tenants through ``oagw.testing``, against a server in a process of its own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
from launched import PATIENCE

from oagw.testing import InMemoryGateway, MockGateway, Refused, RunningGateway, Sandbox

LIMIT = {"sustained": {"rate": 2, "window": "minute"}}
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
URL = "http://127.0.0.1:9000"


@pytest.fixture
def sandbox(gateway: MockGateway) -> Iterator[Sandbox]:
    with gateway.sandbox() as sandbox:
        yield sandbox


def listed(owner: Any, what: str = "upstreams") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = owner.manage("GET", f"/{what}")
    return found


def matches(owner: Any) -> list[dict[str, Any]]:
    """What the routes match, by their paths."""
    return sorted((route["match"]["http"] for route in listed(owner, "routes")), key=lambda one: one["path"])


def test_an_upstream_has_its_policies_and_a_route_for_its_path(sandbox: Sandbox) -> None:
    auth = {"type": "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.noop.v1"}
    upstream = sandbox.upstream(
        "Payments", f"{URL}/v1/", query=["limit"], rate_limit=LIMIT, auth=auth, tags=["a"]
    )

    assert upstream.alias == "payments"
    assert upstream.url == sandbox.alias_url("payments") + "/v1"
    (found,) = listed(sandbox)
    assert found["id"] == upstream.id
    assert found["server"] == {"endpoints": [{"scheme": "http", "host": "127.0.0.1", "port": 9000}]}
    assert found["rate_limit"]["sustained"] == LIMIT["sustained"]
    assert (found["auth"]["type"], found["tags"], found["enabled"]) == (auth["type"], ["a"], True)
    assert matches(sandbox) == [
        {
            "methods": ["GET", "POST", "PUT", "DELETE", "PATCH"],
            "path": "/v1",
            "query_allowlist": ["limit"],
            "path_suffix_mode": "append",
        }
    ]


def test_routes_are_those_that_were_asked_for(sandbox: Sandbox) -> None:
    upstream = sandbox.upstream("payments", URL, route=False, enabled=False)
    assert (listed(sandbox, "routes"), listed(sandbox)[0]["enabled"]) == ([], False)

    route = sandbox.route(
        upstream,
        path="/v1",
        methods=["GET"],
        query=["limit"],
        path_suffix_mode="disabled",
        priority=3,
        rate_limit=LIMIT,
    )
    other = sandbox.route(upstream)

    assert [one["path"] for one in matches(sandbox)] == ["/", "/v1"]
    found = sandbox.manage("GET", f"/routes/{route.id}")
    assert found["upstream_id"] == upstream.id
    assert found["match"]["http"] == {
        "methods": ["GET"],
        "path": "/v1",
        "query_allowlist": ["limit"],
        "path_suffix_mode": "disabled",
    }
    assert (found["priority"], found["rate_limit"]["sustained"]) == (3, LIMIT["sustained"])
    for _ in range(2):
        other.remove()
    assert [one["path"] for one in matches(sandbox)] == ["/v1"]


@pytest.mark.parametrize(
    ("alias", "base_url", "effective", "endpoint"),
    [
        ("lab", "http://localhost:9000", "lab", ("http", "127.0.0.1", 9000)),
        ("lab", "HTTPS://LocalHost", "lab", ("https", "127.0.0.1", 443)),
        ("lab", "http://10.0.0.1/", "lab", ("http", "10.0.0.1", 80)),
        (None, "https://api.vendor.example", "api.vendor.example", ("https", "api.vendor.example", 443)),
        (None, "http://vendor.example:81", "vendor.example:81", ("http", "vendor.example", 81)),
        ("vendor.example", "http://vendor.example", "vendor.example", ("http", "vendor.example", 80)),
    ],
)
def test_the_effective_alias_is_returned(
    sandbox: Sandbox, alias: str | None, base_url: str, effective: str, endpoint: tuple[str, str, int]
) -> None:
    upstream = sandbox.upstream(alias, base_url)
    assert (upstream.alias, upstream.url) == (effective, sandbox.alias_url(effective))
    (found,) = listed(sandbox)[0]["server"]["endpoints"]
    assert (found["scheme"], found["host"], found["port"]) == endpoint


@pytest.mark.parametrize(
    ("alias", "base_url", "options", "text"),
    [
        (None, URL, {}, "explicit alias is required for IP-based"),
        ("vendor", "https://vendor.example", {}, r"alias is auto-derived .*\(derived: 'vendor.example'\)"),
        ("v6", "http://[::1]:9000", {}, "IPv6 endpoints are not yet supported"),
        ("lab", "http://127.0.0.1:99999", {}, "/server/endpoints/0/port"),
        ("lab", "gopher://127.0.0.1", {}, "/server/endpoints/0/scheme"),
        ("lab", URL, {"rate_limit": {"sustained": {}}}, "/rate_limit/sustained"),
        ("lab", URL, {"methods": ["HEAD"]}, "/match/http/methods/0"),
    ],
)
def test_a_refusal_has_the_text_of_the_gateway_and_leaves_nothing(
    sandbox: Sandbox, alias: str | None, base_url: str, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(Refused, match=text):
        sandbox.upstream(alias, base_url, **options)
    assert listed(sandbox) == []


def test_what_is_taken_or_overlaps_is_refused(sandbox: Sandbox) -> None:
    upstream = sandbox.upstream("lab", URL)
    with pytest.raises(Refused, match="alias 'lab' already exists for tenant"):
        sandbox.upstream("lab", URL)
    with pytest.raises(Refused, match="route overlap: an enabled route already exists on upstream"):
        sandbox.route(upstream, methods=["GET"])
    with pytest.raises(Refused, match=r"^Invalid bearer token$"):
        RunningGateway(sandbox.base_url, "wrong").upstream("lab", URL)


@pytest.mark.parametrize(
    "wrong",
    ["", "127.0.0.1:9000", "http://", "http://a?b=c", "http://me:hidden@a", "http://a b", "http://a:b"],
)
def test_a_base_url_that_is_none_is_refused_without_its_password(sandbox: Sandbox, wrong: str) -> None:
    with pytest.raises(ValueError, match="is not the base URL of an upstream") as raised:
        sandbox.upstream("lab", wrong)
    assert "hidden" not in str(raised.value)


def test_lists_of_names_are_no_strings(sandbox: Sandbox) -> None:
    upstream = sandbox.upstream("lab", URL)
    with pytest.raises(TypeError, match=r"query must be a list, such as \['limit'\]"):
        sandbox.route(upstream, path="/v1", query="limit")


def test_an_upstream_of_a_gateway_is_removed_at_the_end_of_its_block(gateway: MockGateway) -> None:
    with gateway.upstream("lab", URL) as upstream, gateway.route(upstream, path="/v1"):
        assert [one["id"] for one in listed(gateway)] == [upstream.id]
        assert len(listed(gateway, "routes")) == 2
    assert listed(gateway) == listed(gateway, "routes") == []
    upstream.remove()


def test_upstreams_belong_to_their_sandbox(gateway: MockGateway) -> None:
    with gateway.sandbox() as one, gateway.sandbox() as other:
        one.upstream("lab", URL)
        assert [listed(other), listed(gateway)] == [[], []]
        one.reset()
        assert listed(one) == []


def test_each_tenant_of_a_sandbox_has_its_token_and_upstreams(gateway: MockGateway) -> None:
    tree = {"root": None, "child": "root", "alone": {"parent": "root", "self_managed": True}}
    with gateway.sandbox(tenants=tree) as sandbox:
        assert sorted(sandbox.tenants) == ["alone", "child", "root"]
        assert sandbox.tenants["root"].token == sandbox.token
        assert len({tenant.token for tenant in sandbox.tenants.values()}) == 3
        child = sandbox.tenants["child"]
        sandbox.upstream("lab", URL, rate_limit={**LIMIT, "sharing": "enforce"})
        with pytest.raises(Refused, match="cannot override rate_limit"):
            child.upstream("lab", URL, rate_limit=LIMIT)
        sandbox.tenants["alone"].upstream("lab", URL, rate_limit=LIMIT)
        upstream = child.upstream("lab", URL)
        assert [(one["id"], one["tenant_id"]) for one in listed(child)] == [(upstream.id, child.id)]
        child.stub("GET lab/x", status=204)  # they share stubs and journal
        sandbox.verify("GET lab/x", times=0)
    assert gateway.sandbox().tenants == {}
    with pytest.raises(Refused, match="Expected one tenant without a parent"):
        gateway.sandbox(tenants={"a": None, "b": None})


def test_the_report_on_the_client_finds_no_fault_with_the_calls_of_the_test(gateway: MockGateway) -> None:
    with gateway.sandbox(tenants={"root": None, "child": "root"}, strict=True) as sandbox:
        for alias in ("a", "b", "c"):
            upstream = sandbox.upstream(alias, URL)
            for _ in range(2):
                upstream.remove()
        sandbox.tenants["child"].upstream("a", URL)
        report = sandbox.report()
    assert (report["findings"], report["unmatched"]) == ([], [])


def get(sandbox: Any, url: str) -> httpx.Response:
    return httpx.get(url, headers={"Authorization": f"Bearer {sandbox.token}"}, timeout=PATIENCE)


def test_the_url_of_an_upstream_stands_for_its_base_url(sandbox: Sandbox) -> None:
    secret = sandbox.secret("key", "s3cret")
    config = {"header": "x-api-key", "secret_ref": secret.ref}
    upstream = sandbox.upstream(
        None, "http://echo.test/v1", query=["a"], auth={"type": APIKEY, "config": config}
    )
    answer = get(sandbox, f"{upstream.url}/x?a=1").json()
    assert (answer["path"], answer["query"]) == ("/v1/x", "a=1")
    assert ["x-api-key", "s3cret"] in answer["headers"]
    assert get(sandbox, f"{upstream.url}/x?b=1").status_code == 400
    assert get(sandbox, sandbox.alias_url(upstream.alias) + "/v2").status_code == 404
    for _ in range(2):
        secret.remove()
    assert get(sandbox, f"{upstream.url}/x").status_code == 500


def test_a_secret_that_is_refused_is_not_told(sandbox: Sandbox) -> None:
    with (
        sandbox.secret("key", "s3cret"),
        pytest.raises(Refused, match="secret already exists: key") as raised,
    ):
        sandbox.secret("key", "hidden")
    assert "hidden" not in str(raised.value)
    sandbox.secret("key", "other", sharing="shared").remove()
    assert "s3cret" not in str(sandbox.requests())


def test_an_upstream_may_be_a_stub(sandbox: Sandbox) -> None:
    upstream = sandbox.upstream("payments", URL, rate_limit={"sustained": {"rate": 1, "window": "hour"}})
    sandbox.stub("GET payments/v1/charges", json=[])
    answers = [get(sandbox, f"{upstream.url}/v1/charges") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["X-OAGW-Error-Source"] == "gateway"


def test_a_gateway_in_memory_has_the_same_methods() -> None:
    with InMemoryGateway() as gateway, gateway.upstream("lab", "http://localhost:9") as upstream:
        assert upstream.alias == "lab"
        with pytest.raises(Refused, match="already exists"):
            gateway.upstream("lab", URL)


class Cafe(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"We are  open\n")

    def log_message(self, format: str, *args: Any) -> None: ...


def test_a_server_that_is_no_gateway_is_told_apart() -> None:
    with HTTPServer(("127.0.0.1", 0), Cafe) as server, ThreadPoolExecutor() as threads:
        threads.submit(server.handle_request)
        url = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(
            Refused, match="/api/oagw/v1/upstreams is not an API of a gateway: 200 We are open"
        ):
            RunningGateway(url).manage("GET", "/upstreams")


def test_an_unknown_path_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Refused, match="Unknown path: /api/oagw/v1/upstream"):
        sandbox.manage("GET", "/upstream")
