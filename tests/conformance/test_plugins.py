"""Behaviours 80 to 88: guards and transforms."""

from typing import Any
from uuid import UUID

import pytest

from tests.conformance.client import Client, problem, violation
from tests.conformance.lab import Lab

GUARD = "gts.cf.core.oagw.guard_plugin.v1~"
TRANSFORM = "gts.cf.core.oagw.transform_plugin.v1~"
ALL = {"request": {"passthrough": "all"}}


def bound(*plugins: tuple[str, dict[str, str]], **members: Any) -> dict[str, Any]:
    """Plugins, each an id and its configuration."""
    return {"items": [{"plugin_ref": ref, "config": config} for ref, config in plugins], **members}


def required(request: str = "", response: str = "") -> tuple[str, dict[str, str]]:
    """The guard required_headers."""
    config = {"required_request_headers": request, "required_response_headers": response}
    return f"{GUARD}cf.core.oagw.required_headers.v1", {
        name: value for name, value in config.items() if value
    }


def transform(name: str) -> tuple[str, dict[str, str]]:
    """A transform without configuration."""
    return f"{TRANSFORM}cf.core.oagw.{name}.v1", {}


def missing(client: Client, alias: str, *fields: str, name: str = "x-need") -> None:
    answer = client.call(alias, *fields)
    document = violation(answer, "guard", "REQUIRED_HEADER_MISSING")
    (found,) = document["context"]["field_violations"]
    assert found["description"] == f"Missing required header: {name}"
    assert document["context"]["resource_type"] == GUARD
    assert answer.source == "gateway"


def test_080_missing_header(root: Client, lab: Lab) -> None:
    missing(root, root.at(lab.port, plugins=bound(required("x-need")), headers=ALL))
    assert lab.requests == []


def test_081_present_header(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, plugins=bound(required(" X-Need , X-Other,")), headers=ALL)
    assert root.call(alias, "x-nEED: 1", "x-other: 2").status == 200
    missing(root, alias, "X-Need: 1", name="x-other")


def test_082_header_that_does_not_pass(root: Client, lab: Lab) -> None:
    missing(root, root.at(lab.port, plugins=bound(required("x-need"))), "X-Need: 1")
    rules = {"request": {"set": {"x-need": "too late"}}}
    missing(root, root.at(lab.port, plugins=bound(required("x-need")), headers=rules))


def test_083_no_configuration(root: Client, lab: Lab) -> None:
    assert root.call(root.at(lab.port, plugins=bound(required()))).status == 200


def test_084_missing_header_of_the_response(root: Client, lab: Lab) -> None:
    rules = {"response": {"set": {"x-must": "too late"}}}
    alias = root.at(lab.port, plugins=bound(required(response="X-Must")), headers=rules)
    answer = root.call(alias)
    document = problem(answer, 503, "service_unavailable")
    assert (answer.header("retry-after"), document["context"]["retry_after_seconds"]) == ("10", 10)
    assert (answer.source, len(lab.requests)) == ("gateway", 1)
    lab.script = lambda request, peer: peer.answer(200, "x-must: 1")
    assert root.call(alias).status == 200


@pytest.mark.parametrize("name", ["timeout", "cors", "none"])
def test_085_other_guards(root: Client, lab: Lab, name: str) -> None:
    alias = root.at(lab.port, plugins=bound((f"{GUARD}cf.core.oagw.{name}.v1", {})))
    problem(root.call(alias), 500, "internal")
    assert lab.requests == []


def test_086_request_id(root: Client, lab: Lab) -> None:
    plugins = bound(transform("request_id"))
    alias = root.at(lab.port, plugins=plugins)
    for _ in range(2):
        root.call(alias, "X-Request-Id: mine")
    ids = [request.values("x-request-id") for request in lab.requests]
    assert [UUID(one).version for (one,) in ids] == [4, 4]
    assert ids[0] != ids[1]
    lab.clear()
    root.call(root.at(lab.port, plugins=plugins, headers=ALL), "X-Request-Id: mine")
    assert lab.only().values("x-request-id") == ["mine"]


def test_087_other_transforms(root: Client, lab: Lab) -> None:
    plugins = bound(transform("logging"), transform("none"), ("gts.any.thing.v1~x", {}), ("nonsense", {}))
    assert root.call(root.at(lab.port, plugins=plugins)).status == 200


def test_088_plugins_of_routes(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, plugins=bound(required("x-need")), match={"path": "/none"})
    of = root.of_alias(alias)
    root.route(of, "/private", plugins=bound(transform("request_id")))
    root.route(of, "/inherit", plugins=bound(transform("request_id"), sharing="inherit"))
    root.route(of, "/absent")
    assert root.call(f"{alias}/private").status == 200
    for path in ("/inherit", "/absent"):
        missing(root, alias + path)
