"""Behaviours 140 to 147: what a call means for a tenant, and the configuration in force."""

from typing import Any

import pytest

from tests.conformance.client import NOOP, Client, limit, new_alias, problem
from tests.conformance.lab import Lab

REQUIRED = "gts.cf.core.oagw.guard_plugin.v1~cf.core.oagw.required_headers.v1"
REQUEST_ID = "gts.cf.core.oagw.transform_plugin.v1~cf.core.oagw.request_id.v1"
SHOWN = "x-ratelimit-limit"


def apikey(client: Client, value: str, sharing: str = "private") -> dict[str, Any]:
    """An auth plugin that sends ``value`` as x-key; the secret is shared."""
    plugin = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
    config = {"header": "x-key", "secret_ref": client.secret(value, "shared")}
    return {"type": plugin, "config": config, "sharing": sharing}


@pytest.mark.parametrize("shared", ["auth", "rate_limit", "plugins", "cors"])
@pytest.mark.parametrize("sharing", ["inherit", "enforce"])
def test_140_shared_alias(
    hierarchy_root: Client, left_child: Client, lab: Lab, shared: str, sharing: str
) -> None:
    parts: dict[str, Any] = {
        "auth": {"type": NOOP},
        "rate_limit": limit(99),
        "plugins": {"items": []},
        "cors": {"enabled": False},
    }
    members: dict[str, Any] = {shared: {**parts[shared], "sharing": sharing}}
    alias = hierarchy_root.at(lab.port, **members)
    assert left_child.call(alias).status == 200


def test_140_private_alias(root: Client, hierarchy_root: Client, left_child: Client, lab: Lab) -> None:
    headers = {"response": {"set": {"x-a": "1"}}}
    private = hierarchy_root.at(
        lab.port, auth={"type": NOOP}, rate_limit=limit(9), plugins={"items": []}, headers=headers
    )
    document = problem(left_child.call(private), 404, "not_found")
    assert document["context"]["resource_type"] == "gts.cf.core.oagw.upstream.v1~"
    assert root.call(private).status == 404
    far = root.at(lab.port, auth={"type": NOOP, "sharing": "inherit"})
    assert left_child.call(far).status == 200


def test_141_shadows(hierarchy_root: Client, left_child: Client, right_child: Client, lab: Lab) -> None:
    lab.script = lambda request, peer: peer.answer(body=request.host.encode())
    alias = hierarchy_root.at(lab.port, "127.0.0.1", auth={"type": NOOP, "sharing": "inherit"})
    left_child.at(lab.port, "127.0.0.2", alias=alias)
    assert left_child.call(alias).body == b"127.0.0.2"
    assert hierarchy_root.call(alias).body == right_child.call(alias).body == b"127.0.0.1"
    left_child.change(alias, enabled=False)
    assert left_child.call(alias).body == b"127.0.0.1"
    hierarchy_root.change(alias, enabled=False)
    answer = left_child.call(alias)
    assert (answer.status, answer.header("retry-after")) == (503, "30")
    left_child.change(alias, enabled=True)
    assert left_child.call(alias).body == b"127.0.0.2"


def test_142_siblings(hierarchy_root: Client, left_child: Client, right_child: Client, lab: Lab) -> None:
    shared: dict[str, Any] = {"auth": {"type": NOOP, "sharing": "inherit"}}
    alias = right_child.at(lab.port, **shared)
    above = hierarchy_root.at(lab.port, **shared)
    assert left_child.call(alias).status == hierarchy_root.call(alias).status == 404
    listed = {one["alias"] for one in left_child.get("/upstreams?limit=100").json()}
    assert not listed & {alias, above}
    assert left_child.get(f"/upstreams/{hierarchy_root.of_alias(above)['id']}").status == 404


@pytest.mark.parametrize(
    ("sharing", "own", "expected"),
    [
        ("inherit", None, "above"),
        ("inherit", "private", "own"),
        ("inherit", "inherit", "own"),
        ("enforce", None, "above"),
        ("private", None, "above"),
    ],
)
def test_144_auth(
    hierarchy_root: Client, left_child: Client, lab: Lab, sharing: str, own: str | None, expected: str
) -> None:
    # The rate limit makes an upstream with private auth visible, which is then inherited as well.
    rules = limit(99, sharing="inherit")
    alias = hierarchy_root.at(lab.port, auth=apikey(hierarchy_root, "above", sharing), rate_limit=rules)
    auth: dict[str, Any] = {} if own is None else {"auth": apikey(left_child, "own", own)}
    left_child.at(lab.port, alias=alias, **auth)
    assert left_child.call(alias).status == 200
    assert lab.only().values("x-key") == [expected]


@pytest.mark.parametrize(
    ("sharing", "own", "expected"),
    [
        ("inherit", None, "50"),
        ("inherit", limit(40, sharing="inherit"), "40"),
        ("inherit", limit(60, sharing="inherit"), "50"),
        ("inherit", limit(3_000, "minute", sharing="inherit"), "50"),
        ("inherit", limit(60, sharing="enforce"), "50"),
        ("inherit", limit(60), "60"),
        ("private", limit(60, sharing="inherit"), "50"),
    ],
)
def test_145_rate(
    hierarchy_root: Client, left_child: Client, lab: Lab, sharing: str, own: Any, expected: str
) -> None:
    visible: dict[str, Any] = {"auth": {"type": NOOP, "sharing": "inherit"}}
    alias = hierarchy_root.at(lab.port, rate_limit=limit(50, sharing=sharing), **visible)
    own_limit: dict[str, Any] = {} if own is None else {"rate_limit": own}
    left_child.at(lab.port, alias=alias, **own_limit)
    assert left_child.call(alias).header(SHOWN) == expected


def test_145_rate_of_a_route(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(50, "hour", burst={"capacity": 5}), match={"path": "/none"})
    of = root.of_alias(alias)
    root.route(of, "/private", rate_limit=limit(40, "hour"))
    root.route(of, "/inherit", rate_limit=limit(40, "hour", sharing="inherit"))
    root.route(of, "/higher", rate_limit=limit(60, "hour", sharing="inherit"))
    assert root.call(f"{alias}/private").header(SHOWN) == "5"
    assert root.call(f"{alias}/inherit").header(SHOWN) == "40"
    assert root.call(f"{alias}/higher").header(SHOWN) == "5"


def required(name: str, sharing: str) -> dict[str, Any]:
    return {
        "sharing": sharing,
        "items": [{"plugin_ref": REQUIRED, "config": {"required_request_headers": name}}],
    }


@pytest.mark.parametrize(
    ("sharing", "own", "needed", "made"),
    [
        ("inherit", None, "x-above", False),
        ("inherit", {"sharing": "inherit", "items": [{"plugin_ref": REQUEST_ID}]}, "x-above", True),
        ("inherit", required("x-own", "inherit"), "x-own", False),
        ("inherit", {"sharing": "private", "items": [{"plugin_ref": REQUEST_ID}]}, None, True),
        ("enforce", required("x-own", "private"), "x-above", False),
        ("enforce", {"sharing": "private", "items": [{"plugin_ref": REQUEST_ID}]}, "x-above", True),
    ],
)
def test_146_plugins(
    hierarchy_root: Client,
    left_child: Client,
    lab: Lab,
    sharing: str,
    own: Any,
    needed: str | None,
    made: bool,
) -> None:
    headers = {"request": {"passthrough": "allowlist", "passthrough_allowlist": ["x-above", "x-own"]}}
    alias = hierarchy_root.at(lab.port, plugins=required("x-above", sharing), headers=headers)
    plugins: dict[str, Any] = {} if own is None else {"plugins": own}
    left_child.at(lab.port, alias=alias, **plugins)
    for name in ("x-above", "x-own"):
        refused = needed not in (None, name)
        assert left_child.call(alias, f"{name}: 1").status == (400 if refused else 200), name
    assert {"x-request-id" in request.names for request in lab.requests} == {made}


def test_147_routes_of_the_parent(hierarchy_root: Client, left_child: Client, lab: Lab) -> None:
    lab.script = lambda request, peer: peer.answer(body=request.host.encode())
    alias = new_alias()
    shared: dict[str, Any] = {"auth": {"type": NOOP, "sharing": "inherit"}}
    hierarchy_root.at(lab.port, "127.0.0.1", alias=alias, match={"path": "/v1"}, **shared)
    left_child.at(lab.port, "127.0.0.2", alias=alias, match={"path": "/own"})
    for path in ("/v1/x", "/own"):
        assert left_child.call(alias + path).body == b"127.0.0.2"
    assert left_child.call(f"{alias}/v2").status == 404
    assert hierarchy_root.call(f"{alias}/own").status == 404
