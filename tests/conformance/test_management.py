"""Behaviours 121 to 136: the management API."""

from typing import Any
from uuid import uuid4

import pytest

from tests.conformance.client import (
    PROTOCOL,
    ROUTE,
    UPSTREAM,
    Client,
    invalid,
    limit,
    named,
    new_alias,
    platform,
    problem,
    upstream,
    violation,
    whole,
)
from tests.conformance.conftest import ours
from tests.conformance.rigged import rig as rig_of

FULL: dict[str, Any] = {
    "auth": {"type": "any", "sharing": "inherit", "config": {"header": "authorization"}},
    "headers": {
        "request": {
            "set": {"x-origin": "lab"},
            "add": {"x-tag": "a"},
            "remove": ["user-agent"],
            "passthrough": "allowlist",
            "passthrough_allowlist": ["accept"],
        },
        "response": {"set": {"x-via": "oagw"}, "remove": ["server"]},
    },
    "plugins": {"sharing": "private", "items": [{"plugin_ref": "any", "config": {"a": "b"}}]},
    "rate_limit": {
        "algorithm": "token_bucket",
        "sustained": {"rate": 120, "window": "minute"},
        "burst": {"capacity": 30},
        "scope": "tenant",
        "strategy": "reject",
        "cost": 1,
        "sharing": "inherit",
        "response_headers": True,
        "budget": {"mode": "allocated", "total": 120, "overcommit_ratio": 1.25},
    },
    "cors": {
        "enabled": True,
        "allowed_origins": ["https://app.example"],
        "allowed_methods": ["GET", "POST"],
        "expose_headers": ["x-request-id"],
        "allow_credentials": True,
        "sharing": "private",
    },
}


def test_121_minimal_create(root: Client) -> None:
    host = f"{new_alias()}.example"
    answer = root.post("/upstreams", {"protocol": PROTOCOL, "server": {"endpoints": [{"host": host}]}})
    assert answer.status == 201
    created = answer.json()
    assert created["id"].startswith(UPSTREAM)
    assert created == {
        "id": created["id"],
        "tenant_id": root.tenant,
        "alias": host,
        "server": {"endpoints": [{"scheme": "https", "host": host, "port": 443}]},
        "protocol": PROTOCOL,
        "enabled": True,
    }
    assert answer.header("location") is None
    given = root.upstream("Conformance-Given", enabled=False)
    assert (given["alias"], given["enabled"]) == ("conformance-given", False)


def test_122_get_by_id(root: Client, hierarchy_root: Client) -> None:
    created = root.upstream(**FULL, tags=["a"])
    answer = root.get(f"/upstreams/{created['id']}")
    assert (answer.status, answer.json()) == (200, created)
    assert {name: created[name] for name in FULL} == FULL
    # Defaults that are always shown.
    plain = root.upstream(
        headers={"request": {}}, rate_limit=limit(1), cors={}, auth={"type": "any"}, plugins={"items": []}
    )
    assert plain["headers"] == {"request": {"passthrough": "none"}}
    assert plain["rate_limit"] == {
        "sharing": "private",
        "algorithm": "token_bucket",
        "sustained": {"rate": 1, "window": "second"},
        "scope": "tenant",
        "strategy": "reject",
        "cost": 1,
        "response_headers": True,
    }
    assert plain["cors"] == {"sharing": "private", "enabled": False, "allow_credentials": False}
    assert plain["auth"] == {"type": "any", "sharing": "private"}
    assert plain["plugins"] == {"sharing": "private", "items": []}
    # Empty lists and objects, and null, mean the same as nothing.
    empty = root.upstream(
        headers={
            "request": {"set": {}, "add": {}, "remove": [], "passthrough_allowlist": []},
            "response": None,
        },
        rate_limit=limit(1, burst=None, budget={"mode": "unlimited", "total": None}),
        cors={"allowed_origins": [], "allowed_methods": [], "expose_headers": []},
        auth={"type": "any", "config": None},
        plugins={"items": [{"plugin_ref": "any", "config": {}}]},
        tags=[],
    )
    shown = {name: empty[name] for name in ("headers", "cors", "auth")}
    assert shown == {name: plain[name] for name in shown}
    assert empty["rate_limit"] == plain["rate_limit"] | {"budget": {"mode": "unlimited"}}
    assert empty["plugins"] == {"sharing": "private", "items": [{"plugin_ref": "any"}]}
    unknown = str(uuid4())
    for client, id in ((root, unknown), (hierarchy_root, created["id"].removeprefix(UPSTREAM))):
        document = problem(client.get(f"/upstreams/{UPSTREAM}{id}"), 404, "not_found")
        assert document["detail"] == f"upstream not found: {id}"
        assert document["context"] == {"resource_type": UPSTREAM, "resource_name": id}
        document = problem(client.get(f"/routes/{ROUTE}{id}"), 404, "not_found")
        assert document["detail"] == f"route not found: {id}"


def test_123_lists(root: Client) -> None:
    made = [root.upstream(enabled=False), root.upstream(), root.upstream()]
    listed = root.get("/upstreams?limit=100").json()
    assert [one for one in listed if one in made] == sorted(made, key=lambda one: one["id"])
    assert root.get("/upstreams?limit=1&offset=1").json() == listed[1:2]
    assert root.get("/upstreams?limit=0").json() == []
    assert root.get("/upstreams?offset=100000").json() == []
    ignored = root.get("/upstreams?limit=100&$filter=x&$top=1&$skip=1&$select=id&any=1")
    assert ignored.json() == listed
    for query in ("limit=abc", "limit=-1", "offset=x", "limit=", "offset=1.5"):
        for path in ("/upstreams", "/routes"):
            platform(root.get(f"{path}?{query}"), 400)


def test_123_lists_are_capped(root: Client) -> None:
    lab = root.upstream()
    made = [root.route(lab, f"/{number}")["id"] for number in range(101)]
    path = f"/routes?upstream_id={lab['id']}"
    assert len(root.get(path).json()) == 50
    capped = [one["id"] for one in root.get(f"{path}&limit=1000").json()]
    assert capped == sorted(made)[:100]
    assert [one["id"] for one in root.get(f"{path}&offset=100").json()] == sorted(made)[100:]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_124_bad_ids(root: Client, method: str) -> None:
    uuid = uuid4()
    for id, reason in (
        (str(uuid), "INVALID_GTS_FORMAT"),
        ("garbage", "INVALID_GTS_FORMAT"),
        (f"{PROTOCOL}", "INVALID_GTS_UUID"),
        (f"{UPSTREAM}{uuid}", "INVALID_GTS_SCHEMA"),
    ):
        body = {
            "match": {"grpc": {"service": "s", "method": "m"}},
            "priority": 0,
            "tags": [],
            "enabled": True,
        }
        answer = root.ask(method, f"/routes/{id}", body if method == "PUT" else None)
        document = violation(answer, "gts_id", reason)
        text = document["context"]["field_violations"][0]["description"]
        if reason == "INVALID_GTS_FORMAT":
            assert text.startswith("invalid GTS identifier:")
        elif reason == "INVALID_GTS_UUID":
            assert text == "GTS identifier must end with an anonymous UUID instance segment"
        else:
            assert text.startswith(f"expected GTS schema '{ROUTE}' but got")
    violation(root.get("/routes?upstream_id=garbage"), "gts_id", "INVALID_GTS_FORMAT")


def test_125_derived_aliases(root: Client) -> None:
    name = new_alias()
    for hosts, endpoint, alias in (
        ((f"{name}.A.example.",), {}, f"{name}.a.example"),
        ((f"{name}.a.example",), {"port": 8443}, f"{name}.a.example:8443"),
        ((f"{name}.b.example",), {"scheme": "http", "port": 80}, f"{name}.b.example"),
        ((f"us.{name}.com", f"eu.{name}.com"), {}, f"{name}.com"),
        ((f"us.{name}.co.uk", f"eu.{name}.co.uk"), {"port": 444}, f"{name}.co.uk:444"),
    ):
        document = named(*hosts, **endpoint)
        phrase = f"remove the 'alias' field (derived: '{alias}')"
        invalid(root.post("/upstreams", document | {"alias": "openai"}), phrase)
        answer = root.post("/upstreams", document | {"alias": alias.upper() + "."})
        assert answer.json()["alias"] == alias
    explicit = "explicit alias is required for IP-based or heterogeneous-host endpoints"
    for document in (named("127.0.0.1"), named("a.example", "b.test"), named("a.co.uk", "b.co.uk")):
        invalid(root.post("/upstreams", document), explicit)
        answer = root.post("/upstreams", document | {"alias": new_alias().upper() + ".."})
        assert answer.json()["alias"] == answer.json()["alias"].lower().rstrip(".")


@pytest.mark.parametrize("alias", ["", "a/b", "a b", "-", "..", "ä", "a" * 254])
def test_125_bad_aliases(root: Client, alias: str) -> None:
    invalid(root.post("/upstreams", {**upstream(), "alias": alias}), "alias")


def test_125_an_alias_is_taken_once_in_a_tenant_and_kept(root: Client, hierarchy_root: Client) -> None:
    lab = root.upstream()
    document = problem(root.post("/upstreams", upstream(lab["alias"])), 409, "already_exists")
    assert document["detail"] == f"alias '{lab['alias']}' already exists for tenant"
    assert document["context"] == {"resource_type": UPSTREAM, "resource_name": lab["alias"]}
    hierarchy_root.upstream(lab["alias"])
    path = f"/upstreams/{lab['id']}"
    answer = root.put(path, whole(upstream("other")))
    text = (
        f"alias cannot be changed from '{lab['alias']}' to 'other'; delete and re-create the upstream instead"
    )
    invalid(answer, text)
    invalid(root.put(path, whole(named("a.example"))), "endpoint change would alter the alias")
    kept = whole(upstream(lab["alias"], "127.0.0.2"))
    del kept["alias"]
    answer = root.put(path, kept)
    assert (answer.status, answer.json()["alias"]) == (200, lab["alias"])
    host = f"{new_alias()}.example"
    other = root.post("/upstreams", named(host)).json()
    kept["server"]["endpoints"][0]["host"] = "127.0.0.3"
    text = "cannot change hostname-based endpoints to IP-based"
    invalid(root.put(f"/upstreams/{other['id']}", kept), text)


@pytest.mark.parametrize(
    ("endpoints", "phrase"),
    [
        ([], "server must have at least one endpoint"),
        ([{"host": "::1"}], "IPv6 endpoints are not yet supported"),
        (
            [{"host": "127.0.0.1"}, {"host": "a.example"}],
            "all endpoints must use either IP addresses or hostnames; mixed configurations are not allowed",
        ),
        ([{"host": "a.example"}, {"host": "a_b.example"}], "endpoint[1] host"),
        ([{"host": "-a.example"}], "endpoint[0] host"),
        ([{"host": "a" * 64}], "endpoint[0] host"),
        (
            [{"host": "a.example"}, {"host": "b.example", "scheme": "http"}],
            "all endpoints must share the same scheme",
        ),
        ([{"host": "a.example"}, {"host": "b.example", "port": 444}], "same port"),
    ],
)
def test_126_endpoints(root: Client, endpoints: Any, phrase: str) -> None:
    document = upstream() | {"server": {"endpoints": endpoints}}
    invalid(root.post("/upstreams", document), phrase)
    lab = root.upstream()
    answer = root.put(f"/upstreams/{lab['id']}", whole(document, alias=lab["alias"]))
    invalid(answer, phrase)


def test_127_put_replaces(root: Client) -> None:
    lab = root.upstream(**FULL, tags=["a"])
    path = f"/upstreams/{lab['id']}"
    document = whole(upstream(lab["alias"]))
    answer = root.put(path, document | {"any": 1})
    assert (answer.status, root.get(path).json()) == (200, answer.json())
    assert set(answer.json()) == {"id", "tenant_id", "alias", "server", "protocol", "enabled"}
    for missing in ("server", "protocol", "tags", "enabled"):
        platform(root.put(path, {name: document[name] for name in document if name != missing}), 422)
    route = root.route(lab, "/a", tags=["a"], rate_limit=limit(1), priority=3)
    path = f"/routes/{route['id']}"
    document = {"match": route["match"], "priority": 4, "tags": [], "enabled": False}
    answer = root.put(path, document | {"upstream_id": "ignored"})
    assert answer.json() == {
        **{name: route[name] for name in ("id", "tenant_id", "upstream_id", "match")},
        "priority": 4,
        "enabled": False,
    }
    for missing in document:
        platform(root.put(path, {name: document[name] for name in document if name != missing}), 422)


def test_128_delete(root: Client, hierarchy_root: Client) -> None:
    lab = root.upstream()
    route = root.route(lab)
    path = f"/upstreams/{lab['id']}"
    problem(hierarchy_root.delete(path), 404, "not_found")
    answer = root.delete(path)
    assert (answer.status, answer.body) == (204, b"")
    for gone in (path, f"/routes/{route['id']}"):
        problem(root.get(gone), 404, "not_found")
        problem(root.delete(gone), 404, "not_found")
    assert root.get(f"/routes?upstream_id={lab['id']}").json() == []
    problem(root.get(f"/proxy/{lab['alias']}/"), 404, "not_found")


def test_129_tags(root: Client) -> None:
    lab = root.upstream(tags=["b", "a", "Ä b"])
    assert root.get(f"/upstreams/{lab['id']}").json()["tags"] == ["b", "a", "Ä b"]
    assert "tags" not in root.upstream(tags=[])
    assert root.route(lab, tags=["a"])["tags"] == ["a"]


@pytest.mark.parametrize("path", ["/upstreams", "/routes"])
def test_130_bodies(root: Client, path: str) -> None:
    json = {"Content-Type": "application/json"}
    for body in (b"", b"{", b'{"protocol": "a"', b"nothing", b"\xff"):
        platform(root.ask("POST", path, None, json, body), 400)
    for media in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        platform(root.ask("POST", path, None, media, b"{}"), 415)
    platform(root.ask("POST", path, None, json, b"[]"), 422)
    platform(root.ask("POST", path, None, json, b"{}"), 422)


@pytest.mark.parametrize(
    "members",
    [
        {"server": {"endpoints": [{"host": "a.example", "scheme": "ftp"}]}},
        {"server": {"endpoints": [{"host": "a.example", "port": 65536}]}},
        {"server": {"endpoints": [{"host": "a.example", "port": "443"}]}},
        {"server": {"endpoints": [{}]}},
        {"tags": None},
        {"enabled": "yes"},
        {"auth": {}},
        {"auth": {"type": "a", "sharing": "public"}},
        {"auth": {"type": "a", "config": {"a": 1}}},
        {"headers": {"request": {"passthrough": "some"}}},
        {"plugins": {"items": ["a"]}},
        {"rate_limit": {}},
        {"rate_limit": {"sustained": {"rate": -1}}},
        {"rate_limit": {"sustained": {"rate": 1.5}}},
        {"rate_limit": {"sustained": {"rate": 2**32}}},
        {"rate_limit": limit(1, "week")},
        {"rate_limit": limit(1, scope="any")},
        {"cors": {"allowed_methods": ["TRACE"]}},
    ],
)
def test_130_shapes(root: Client, members: dict[str, Any]) -> None:
    platform(root.post("/upstreams", upstream() | members), 422)


def test_131_routes(root: Client, hierarchy_root: Client) -> None:
    lab = root.upstream()
    match = {"http": {"methods": ["GET", "POST"], "path": "/v1/models"}}
    document = {"upstream_id": lab["id"], "match": match}
    answer = root.post("/routes", document)
    assert answer.status == 201
    created = answer.json()
    assert created["id"].startswith(ROUTE)
    shown = {
        "methods": ["GET", "POST"],
        "path": "/v1/models",
        "query_allowlist": [],
        "path_suffix_mode": "append",
    }
    assert created == {
        "id": created["id"],
        "tenant_id": root.tenant,
        "upstream_id": lab["id"],
        "match": {"http": shown},
        "priority": 0,
        "enabled": True,
    }
    assert root.get(f"/routes/{created['id']}").json() == created
    uuid = lab["id"].removeprefix(UPSTREAM)
    invalid(hierarchy_root.post("/routes", document), f"upstream '{uuid}' not found for this tenant")
    violation(root.post("/routes", document | {"upstream_id": uuid}), "gts_id", "INVALID_GTS_FORMAT")
    grpc = {"grpc": {"service": "s", "method": "m"}}
    wrong: Any
    for wrong in ({}, match | grpc, {"http": None}):
        answer = root.post("/routes", document | {"match": wrong})
        invalid(answer, "match rules must specify exactly one of 'http' or 'grpc'")
    assert root.post("/routes", document | {"match": grpc}).json()["match"] == grpc
    for method in ("HEAD", "OPTIONS", "get", "TRACE"):
        wrong = {"http": {"methods": [method], "path": "/"}}
        platform(root.post("/routes", document | {"match": wrong}), 422)
    for members in ({"priority": 2**31}, {"priority": 0.5}, {"match": {"http": {"path": "/"}}}):
        platform(root.post("/routes", document | members), 422)


def test_132_overlap(root: Client) -> None:
    lab = root.upstream()
    uuid = lab["id"].removeprefix(UPSTREAM)
    first = root.route(lab, "/v1", "GET", "POST")
    again = {"upstream_id": lab["id"], "match": {"http": {"methods": ["POST", "PUT"], "path": "/v1"}}}
    document = problem(root.post("/routes", again), 409, "already_exists")
    assert document["detail"].startswith("route overlap: an enabled route already exists on upstream")
    assert document["context"] == {"resource_type": ROUTE, "resource_name": f"{uuid}:/v1:Post"}
    assert root.post("/routes", again | {"priority": 1}).status == 201
    disabled = root.post("/routes", again | {"enabled": False})
    assert disabled.status == 201
    path = f"/routes/{disabled.json()['id']}"
    enabled = {"match": again["match"], "priority": 0, "tags": [], "enabled": True}
    problem(root.put(path, enabled), 409, "already_exists")
    assert root.put(path, enabled | {"priority": -1}).status == 200
    assert root.delete(f"/routes/{first['id']}").status == 204
    assert root.put(path, enabled).status == 200


def test_133_filter(root: Client, hierarchy_root: Client) -> None:
    lab, other = root.upstream(), root.upstream()
    routes = [root.route(lab, "/a"), root.route(lab, "/b")]
    root.route(other, "/a")
    path = f"/routes?upstream_id={lab['id']}"
    assert root.get(path).json() == sorted(routes, key=lambda route: route["id"])
    assert hierarchy_root.get(path).json() == []
    assert root.get(f"/routes?upstream_id={UPSTREAM}{uuid4()}").json() == []


@pytest.mark.double
def test_134_error_source_and_error(root: Client, anonymous: Client) -> None:
    lab = root.upstream()
    path = f"/upstreams/{lab['id']}"
    answers = [
        root.get("/upstreams"),
        root.get(path),
        root.put(path, whole(upstream(lab["alias"]))),
        root.delete(path),
    ]
    assert [answer.source for answer in answers] == ["gateway"] * 4
    for answer in (
        root.get(path),
        root.get("/upstreams/x"),
        root.get("/upstreams?limit=x"),
        root.ask("POST", "/upstreams", body=b"{}"),
        root.post("/upstreams", {}),
        root.post("/upstreams", named()),
        root.ask("PATCH", "/routes"),
        anonymous.get("/routes"),
    ):
        assert answer.source == "gateway"
        document = answer.json()
        assert isinstance(document["error"], str)
        assert document["instance"].startswith(root.rig.prefix)


def test_136_no_plugins_api(root: Client) -> None:
    for method, path in (("GET", "/plugins"), ("POST", "/plugins"), ("GET", f"/plugins/{uuid4()}/source")):
        platform(root.ask(method, path, {} if method == "POST" else None), 404)


@pytest.mark.double
def test_135_read_only() -> None:
    with ours(management_api_enabled=False) as url:
        root = Client(rig_of(url), "root")
        assert root.get("/upstreams").json() == root.get("/routes").json() == []
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            for path in ("/upstreams", f"/upstreams/{UPSTREAM}{uuid4()}", "/routes"):
                assert platform(root.ask(method, path, {}), 405)["error"]
        problem(root.get(f"/upstreams/{UPSTREAM}{uuid4()}"), 404, "not_found")
