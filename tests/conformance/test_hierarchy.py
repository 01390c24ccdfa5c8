"""Behaviours 140 to 152 and 162, 163, 174: tenants, binding and budgets, as far as they are about writes."""

from typing import Any

import pytest

from tests.conformance.client import NOOP, Client, invalid, limit, new_alias, problem, upstream, whole


def enforcing(name: str) -> dict[str, Any]:
    """A member of an upstream with the sharing mode ``enforce``."""
    values: dict[str, Any] = {"auth": {"type": NOOP}, "rate_limit": limit(100), "cors": {"enabled": True}}
    return {name: {**values[name], "sharing": "enforce"}}


def own(name: str) -> dict[str, Any]:
    """The same member of a descendant."""
    return {name: {**enforcing(name)[name], "sharing": "private"}}


@pytest.mark.parametrize("name", ["auth", "rate_limit", "cors"])
def test_143_enforce(hierarchy_root: Client, left_child: Client, name: str) -> None:
    alias = hierarchy_root.upstream(**enforcing(name))["alias"]
    phrase = f"cannot override {name}: ancestor upstream has sharing mode 'enforce'"
    invalid(left_child.post("/upstreams", upstream(alias, **own(name))), phrase)
    others = [other for other in ("auth", "rate_limit", "cors") if other != name]
    child = left_child.upstream(alias, **own(others[0]), **own(others[1]), plugins={"items": []})
    path = f"/upstreams/{child['id']}"
    invalid(left_child.put(path, whole(upstream(alias, **own(name)))), phrase)
    assert left_child.put(path, whole(upstream(alias))).status == 200


def test_143_other_modes(hierarchy_root: Client, left_child: Client) -> None:
    plugins: dict[str, Any] = {"plugins": {"items": [], "sharing": "enforce"}}
    every = own("auth") | own("rate_limit") | own("cors")
    inherited = {name: {**value, "sharing": "inherit"} for name, value in every.items()}
    for members in (every, inherited, plugins):
        alias = hierarchy_root.upstream(**members)["alias"]
        left_child.upstream(alias, **every, plugins={"items": []})


def budget(mode: str, total: int | None = None, ratio: float | None = None) -> dict[str, Any]:
    """A budget without the members that are None."""
    members = {"mode": mode, "total": total, "overcommit_ratio": ratio}
    return {name: value for name, value in members.items() if value is not None}


def allocating(
    total: int, window: str = "second", ratio: float | None = None, **members: Any
) -> dict[str, Any]:
    """The rate limit of a tenant that allocates ``total`` per ``window``."""
    return {"rate_limit": limit(1_000, window, budget=budget("allocated", total, ratio), **members)}


@pytest.mark.parametrize(
    ("stated", "phrase"),
    [
        (budget("allocated"), "budget.total is required when budget.mode is 'allocated' or 'shared'"),
        (budget("shared"), "budget.total is required when budget.mode is 'allocated' or 'shared'"),
        (budget("shared", 0), "budget.total must be at least 1"),
        (budget("allocated", 1, 0.9), "overcommit_ratio must be between"),
        (budget("unlimited", None, 2.1), "overcommit_ratio must be between"),
    ],
)
def test_148_budget_fields(root: Client, stated: dict[str, Any], phrase: str) -> None:
    members: dict[str, Any] = {"rate_limit": limit(1, budget=stated)}
    invalid(root.post("/upstreams", upstream(**members)), phrase)
    lab = root.upstream()
    invalid(root.put(f"/upstreams/{lab['id']}", whole(upstream(lab["alias"], **members))), phrase)


def test_148_valid_budgets(root: Client) -> None:
    for stated in (
        budget("unlimited"),
        budget("unlimited", 0),
        budget("allocated", 1, 1.0),
        budget("shared", 1, 2.0),
    ):
        assert root.upstream(rate_limit=limit(1, budget=stated))["rate_limit"]["budget"] == stated


def test_149_allocated(hierarchy_root: Client, left_child: Client, right_child: Client) -> None:
    alias = hierarchy_root.upstream(**allocating(600, "minute"))["alias"]  # 10 a second
    required = "rate_limit is required when ancestor has budget.mode = 'allocated'"
    invalid(left_child.post("/upstreams", upstream(alias)), required)
    left_child.upstream(alias, rate_limit=limit(360, "minute"))
    answer = right_child.post("/upstreams", upstream(alias, rate_limit=limit(5)))
    invalid(answer, "budget allocation exceeded: children total 11.00 req/s exceeds ancestor budget")
    child = right_child.upstream(alias, rate_limit=limit(4))  # equal is allowed
    path = f"/upstreams/{child['id']}"
    answer = right_child.put(path, whole(upstream(alias, rate_limit=limit(14_401, "hour"))))
    invalid(answer, "budget allocation exceeded")
    invalid(right_child.put(path, whole(upstream(alias))), required)
    answer = right_child.put(path, whole(upstream(alias, rate_limit=limit(14_400, "hour"))))
    assert answer.status == 200


def test_149_overcommitted(hierarchy_root: Client, left_child: Client, right_child: Client) -> None:
    alias = hierarchy_root.upstream(**allocating(10, ratio=1.5))["alias"]
    left_child.upstream(alias, rate_limit=limit(10), enabled=False)
    answer = right_child.post("/upstreams", upstream(alias, rate_limit=limit(6)))
    invalid(answer, "budget allocation exceeded")
    right_child.upstream(alias, rate_limit=limit(5))


def test_150_shared_accepts_a_child_without_limit(hierarchy_root: Client, left_child: Client) -> None:
    pool = limit(10, sharing="inherit", budget=budget("shared", 1))
    alias = hierarchy_root.upstream(rate_limit=pool)["alias"]
    child = left_child.upstream(alias)
    assert "rate_limit" not in child
    path = f"/upstreams/{child['id']}"
    assert left_child.put(path, whole(upstream(alias, rate_limit=limit(1_000)))).status == 200


def test_151_lowering(hierarchy_root: Client, left_child: Client, right_child: Client) -> None:
    lab = hierarchy_root.upstream(**allocating(20))
    path, alias = f"/upstreams/{lab['id']}", lab["alias"]
    left_child.upstream(alias, rate_limit=limit(6))
    right_child.upstream(alias, rate_limit=limit(4))
    phrase = "cannot lower budget: existing descendant allocations total 10.00"
    invalid(hierarchy_root.put(path, whole(upstream(alias, **allocating(9)))), phrase)
    assert hierarchy_root.put(path, whole(upstream(alias, **allocating(10)))).status == 200
    assert hierarchy_root.put(path, whole(upstream(alias, **allocating(9, ratio=1.2)))).status == 200
    assert hierarchy_root.put(path, whole(upstream(alias))).status == 200
    invalid(hierarchy_root.put(path, whole(upstream(alias, **allocating(9)))), phrase)


def test_162_the_closest_ancestor(root: Client, hierarchy_root: Client, left_child: Client) -> None:
    alias = new_alias()
    root.upstream(alias, **enforcing("auth"), **allocating(1))
    members = own("auth") | {"rate_limit": limit(1)}
    invalid(left_child.post("/upstreams", upstream(alias, **members)), "cannot override auth")
    # Private and disabled, it is still the closest, and the only one that is looked at.
    hierarchy_root.upstream(alias, rate_limit=limit(1), enabled=False)
    left_child.upstream(alias, **own("auth"), rate_limit=limit(1_000))


def test_162_a_disabled_private_budget(hierarchy_root: Client, left_child: Client) -> None:
    alias = hierarchy_root.upstream(**allocating(1, sharing="private"), enabled=False)["alias"]
    answer = left_child.post("/upstreams", upstream(alias, rate_limit=limit(2)))
    invalid(answer, "budget allocation exceeded")


def test_163_an_unchanged_budget(hierarchy_root: Client, left_child: Client) -> None:
    lab = hierarchy_root.upstream(**allocating(10))
    path, alias = f"/upstreams/{lab['id']}", lab["alias"]
    left_child.upstream(alias, rate_limit=limit(10))
    # In another window the same budget is a sixtieth.
    assert hierarchy_root.put(path, whole(upstream(alias, **allocating(10, "minute")))).status == 200
    answer = hierarchy_root.put(path, whole(upstream(alias, **allocating(11, "minute"))))
    invalid(answer, "cannot lower budget")


@pytest.mark.parametrize("role", ["outsider", "nobody"])
def test_174_without_a_tenant_in_the_tree(role: str, request: pytest.FixtureRequest, root: Client) -> None:
    client: Client = request.getfixturevalue(role)
    lab = root.upstream()
    assert client.get("/upstreams").json() == client.get("/routes").json() == []
    problem(client.get(f"/upstreams/{lab['id']}"), 404, "not_found")
    problem(client.put(f"/upstreams/{lab['id']}", whole(upstream(lab["alias"]))), 404, "not_found")
    document = problem(client.post("/upstreams", upstream()), 404, "not_found")
    assert document["detail"] == f"tenant not found: {client.tenant}"
    assert document["context"]["resource_type"] == "gts.cf.core.oagw.proxy.v1~"
    route = {"upstream_id": lab["id"], "match": {"http": {"methods": ["GET"], "path": "/"}}}
    invalid(client.post("/routes", route), "not found for this tenant")
