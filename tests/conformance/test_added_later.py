"""Behaviours that were added to the contract later: 161, the order of the checks of a write."""

from typing import Any

from tests.conformance.client import (
    APIKEY,
    NOOP,
    Answer,
    Client,
    limit,
    new_alias,
    platform,
    problem,
    upstream,
    whole,
)


def says(answer: Answer, phrase: str) -> None:
    """Check that ``phrase`` is in the problem."""
    assert answer.status >= 400
    assert phrase in answer.body.decode(), (phrase, answer.body)


def faulty() -> dict[str, Any]:
    """A document with a fault for each check of POST /upstreams that does not depend on the state."""
    return {
        "server": {"endpoints": []},
        "protocol": "any",
        "cors": {"allowed_origins": ["bad"]},
        "rate_limit": limit(9, budget={"mode": "shared"}),
        "auth": {"type": APIKEY, "config": {"secret_ref": "cred://conformance-missing"}},
    }


def test_161_order_of_creating_an_upstream(
    hierarchy_root: Client, left_child: Client, outsider: Client
) -> None:
    enforced, spent = new_alias(), new_alias()
    hierarchy_root.upstream(enforced, auth={"type": NOOP, "sharing": "enforce"})
    hierarchy_root.upstream(spent, rate_limit=limit(1, budget={"mode": "allocated", "total": 1}))
    left_child.upstream(spent, rate_limit=limit(1))

    document = faulty()
    platform(left_child.ask("POST", "/upstreams", body=b"{"), 415)
    platform(left_child.post("/upstreams", document | {"enabled": 1}), 422)
    says(left_child.post("/upstreams", document), "server must have at least one endpoint")
    document |= {"server": upstream()["server"]}
    says(left_child.post("/upstreams", document), "INVALID_CORS_ORIGIN")
    del document["cors"]
    says(left_child.post("/upstreams", document), "budget.total is required")
    document |= {"rate_limit": limit(9)}
    says(left_child.post("/upstreams", document), "explicit alias is required")
    says(outsider.post("/upstreams", document), "explicit alias is required")
    says(outsider.post("/upstreams", document | {"alias": enforced}), "tenant not found")
    says(left_child.post("/upstreams", document | {"alias": enforced}), "cannot override auth")
    document |= {"alias": spent}
    says(left_child.post("/upstreams", document), "is not accessible to this tenant")
    del document["auth"]
    says(left_child.post("/upstreams", document), "budget allocation exceeded")
    document |= {"rate_limit": limit(1)}
    problem(left_child.post("/upstreams", document), 409, "already_exists")


def test_161_order_of_replacing_an_upstream(hierarchy_root: Client, left_child: Client) -> None:
    alias = new_alias()
    above = hierarchy_root.upstream(alias, auth={"type": NOOP, "sharing": "enforce"})
    lab = left_child.upstream(alias)
    path = f"/upstreams/{lab['id']}"
    document = whole(faulty(), alias="other")
    platform(left_child.put("/upstreams/x", {}), 422)
    says(left_child.put("/upstreams/x", document), "INVALID_GTS_FORMAT")
    problem(left_child.put(f"/upstreams/{above['id']}", document), 404, "not_found")
    says(left_child.put(path, document), "server must have at least one endpoint")
    document |= {"server": upstream()["server"]}
    says(left_child.put(path, document), "alias cannot be changed")
    document |= {"alias": alias}
    says(left_child.put(path, document), "INVALID_CORS_ORIGIN")
    del document["cors"]
    says(left_child.put(path, document), "budget.total is required")
    document |= {"rate_limit": limit(9, budget={"mode": "allocated", "total": 1})}
    says(left_child.put(path, document), "cannot override auth")
    allocating = limit(1, budget={"mode": "allocated", "total": 1})
    answer = hierarchy_root.put(f"/upstreams/{above['id']}", whole(upstream(alias, rate_limit=allocating)))
    assert answer.status == 200
    says(left_child.put(path, document), "is not accessible to this tenant")
    del document["auth"]
    says(left_child.put(path, document), "budget allocation exceeded")
    document |= {"rate_limit": limit(1)}
    assert left_child.put(path, document).status == 200


def test_161_allocation_comes_before_lowering(
    root: Client, hierarchy_root: Client, left_child: Client
) -> None:
    alias = new_alias()
    root.upstream(alias, rate_limit=limit(1, budget={"mode": "allocated", "total": 10}))
    lab = hierarchy_root.upstream(alias, rate_limit=limit(5, budget={"mode": "allocated", "total": 5}))
    left_child.upstream(alias, rate_limit=limit(5))
    path = f"/upstreams/{lab['id']}"
    document = whole(upstream(alias, rate_limit=limit(6, budget={"mode": "allocated", "total": 1})))
    says(hierarchy_root.put(path, document), "budget allocation exceeded")
    document["rate_limit"]["sustained"]["rate"] = 5
    says(hierarchy_root.put(path, document), "cannot lower budget")


def test_161_order_of_writing_a_route(root: Client, hierarchy_root: Client) -> None:
    lab, foreign = root.upstream(), hierarchy_root.upstream()
    first = root.route(lab, "/a")
    document: dict[str, Any] = {"match": {}, "cors": {"allowed_origins": ["bad"]}}
    platform(root.post("/routes", document), 422)
    says(root.post("/routes", document | {"upstream_id": "x"}), "INVALID_GTS_FORMAT")
    document |= {"upstream_id": foreign["id"]}
    says(root.post("/routes", document), "INVALID_CORS_ORIGIN")
    del document["cors"]
    says(root.post("/routes", document), "not found for this tenant")
    document |= {"upstream_id": lab["id"]}
    says(root.post("/routes", document), "exactly one of")
    problem(root.post("/routes", document | {"match": first["match"]}), 409, "already_exists")

    route = root.route(lab, "/b")
    path = f"/routes/{route['id']}"
    change = whole({"match": {}, "priority": 0, "cors": {"allowed_origins": ["bad"]}})
    platform(root.put("/routes/x", {}), 422)
    says(root.put("/routes/x", change), "INVALID_GTS_FORMAT")
    problem(hierarchy_root.put(path, change), 404, "not_found")
    says(root.put(path, change), "INVALID_CORS_ORIGIN")
    del change["cors"]
    says(root.put(path, change), "exactly one of")
    problem(root.put(path, change | {"match": first["match"]}), 409, "already_exists")
    assert root.get(path).json() == route
