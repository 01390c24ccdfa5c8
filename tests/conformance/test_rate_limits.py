"""Behaviours 89 to 103, 150 and 160: rate limits."""

from time import sleep, time
from typing import Any

import pytest

from tests.conformance.client import Answer, Client, limit, new_alias, problem
from tests.conformance.lab import HOSTS, Lab, free_port

SHOWN = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def shown(answer: Answer) -> tuple[int, int]:
    """The limit and what remains."""
    first, second = (answer.header(name) for name in SHOWN[:2])
    assert first is not None
    assert second is not None
    return int(first), int(second)


def statuses(client: Client, target: str, count: int, *fields: str) -> list[int]:
    return [client.call(target, *fields).status for _ in range(count)]


def test_089_figures(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(60, "minute"))
    before = int(time())
    first, second = root.call(alias), root.call(alias)
    assert (shown(first), shown(second)) == ((60, 59), (60, 58))
    assert before <= int(second.header(SHOWN[2]) or 0) <= time() + 3
    plain = root.call(root.at(lab.port))
    assert not [name for name in SHOWN if name in plain.headers]
    lab.script = lambda request, peer: peer.answer(200, "X-RateLimit-Limit: 7")
    assert root.call(root.at(lab.port)).header(SHOWN[0]) == "7"
    assert root.call(alias).headers[SHOWN[0]] == ["60"]


def test_090_over_the_limit(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, "minute"))
    root.call(alias)
    answer = root.call(alias)
    document = problem(answer, 429, "resource_exhausted")
    (violation,) = document["context"]["violations"]
    assert (violation["subject"], violation["description"]) == ("rate_limit", "rate limit exceeded")
    assert document["context"]["resource_type"] == "gts.cf.core.oagw.proxy.v1~"
    assert (
        document["detail"]
        == "Rate limit exceeded. Retry after the duration indicated by the Retry-After header."
    )
    assert answer.source == "gateway"
    assert shown(answer) == (1, 0)
    assert 55 <= int(answer.header("retry-after") or 0) <= 60
    assert abs(int(answer.header(SHOWN[2]) or 0) - time() - 60) < 5
    assert len(lab.requests) == 1


def test_091_burst(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, "hour", burst={"capacity": 3}))
    assert statuses(root, alias, 4) == [200, 200, 200, 429]
    assert root.call(alias).header(SHOWN[0]) == "3"


def test_092_tokens_return(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, burst={"capacity": 2}))
    assert statuses(root, alias, 2) == [200, 200]
    answer = root.call(alias)
    assert (answer.status, answer.header("retry-after")) == (429, "1")
    sleep(1)
    assert statuses(root, alias, 2) == [200, 429]


@pytest.mark.double
def test_092_on_the_manual_clock(patient: Any, lab: Lab) -> None:
    client, advance = patient
    alias = client.at(lab.port, rate_limit=limit(2, "minute"))
    assert statuses(client, alias, 3) == [200, 200, 429]
    seconds = int(client.call(alias).header("retry-after") or 0)
    assert seconds == 30
    advance(seconds - 1)
    assert client.call(alias).header("retry-after") == "1"
    advance(1)
    assert statuses(client, alias, 2) == [200, 429]


def test_093_hidden_figures(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, "hour", response_headers=False))
    for status in (200, 429):
        answer = root.call(alias)
        assert answer.status == status
        assert not [name for name in SHOWN if name in answer.headers]
    assert int(answer.header("retry-after") or 0) > 3_500


def test_094_cost(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(5, "hour", cost=2))
    assert [shown(root.call(alias)) for _ in range(2)] == [(5, 3), (5, 1)]
    assert statuses(root, alias, 1) == [429]
    alias = root.at(lab.port, rate_limit=limit(1, "hour", cost=2))
    answer = root.call(alias)
    assert (answer.status, shown(answer)) == (429, (1, 1))


def test_095_sliding_window(root: Client, lab: Lab) -> None:
    rules = limit(2, algorithm="sliding_window", burst={"capacity": 9})
    alias = root.at(lab.port, rate_limit=rules)
    assert statuses(root, alias, 3) == [200, 200, 429]
    answer = root.call(alias)
    assert (answer.header("retry-after"), shown(answer)) == ("1", (2, 0))
    sleep(1.1)
    assert statuses(root, alias, 3) == [200, 200, 429]


def test_096_two_limits(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(10, "hour"), match={"path": "/none"})
    of = root.of_alias(alias)
    root.route(of, "/tight", rate_limit=limit(2, "hour"))
    root.route(of, "/loose", rate_limit=limit(100, "hour"))
    root.route(of, "/equal", rate_limit=limit(8, "hour"))
    assert shown(root.call(f"{alias}/tight")) == (2, 1)
    assert shown(root.call(f"{alias}/loose")) == (10, 8)
    assert shown(root.call(f"{alias}/equal")) == (10, 7)
    assert statuses(root, f"{alias}/tight", 2) == [200, 429]
    assert statuses(root, f"{alias}/loose", 1) == [200]


def test_097_upstream_token_is_spent(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(5, "hour"), match={"path": "/none"})
    of = root.of_alias(alias)
    root.route(of, "/one", rate_limit=limit(1, "hour"))
    root.route(of, "/other")
    assert statuses(root, f"{alias}/one", 3) == [200, 429, 429]
    assert shown(root.call(f"{alias}/other")) == (5, 1)


def test_098_refusals_spend_nothing(root: Client, lab: Lab) -> None:
    guard = "gts.cf.core.oagw.guard_plugin.v1~cf.core.oagw.required_headers.v1"
    plugins = {"items": [{"plugin_ref": guard, "config": {"required_request_headers": "content-type"}}]}
    alias = root.at(lab.port, rate_limit=limit(1, "hour"), plugins=plugins, match={"path": "/v1"})
    path = f"{alias}/v1"
    assert root.call(path).status == root.call(f"{path}?z=1", "Content-Type: a/b").status == 400
    assert root.call(f"{alias}/none").status == 404
    assert root.call(path, "Content-Type: a/b", "X-OAGW-Target-Host: none").status == 400
    assert shown(root.call(path, "Content-Type: a/b")) == (1, 0)


def test_099_scopes_of_tenants(root: Client, hierarchy_root: Client, left_child: Client, lab: Lab) -> None:
    for scope, expected in (("tenant", [200, 200, 429]), ("global", [200, 429, 429])):
        rules = limit(1, "hour", scope=scope, sharing="inherit")
        alias = hierarchy_root.at(lab.port, rate_limit=rules)
        clients = (hierarchy_root, left_child, left_child)
        assert [client.call(alias).status for client in clients] == expected


def test_100_scopes_of_callers(root: Client, hierarchy_root: Client, left_child: Client, lab: Lab) -> None:
    alias = hierarchy_root.at(lab.port, rate_limit=limit(1, "hour", scope="user", sharing="inherit"))
    assert [client.call(alias).status for client in (hierarchy_root, left_child, left_child)] == [
        200,
        200,
        429,
    ]
    alias = root.at(lab.port, rate_limit=limit(1, "hour", scope="ip"))
    assert statuses(root, alias, 2) == [200, 429]
    assert statuses(root, alias, 2, "X-Real-IP: 10.0.0.1") == [200, 429]


def test_100_scope_route(root: Client, lab: Lab) -> None:
    rules = limit(1, "hour", scope="route")
    alias = root.at(lab.port, rate_limit=rules, match={"path": "/none"})
    of = root.of_alias(alias)
    for path in ("/a", "/b"):
        root.route(of, path)
    assert root.call(f"{alias}/a").status == 200
    assert root.call(f"{alias}/b").status == 429
    alias = root.at(lab.port, match={"path": "/none"})
    of = root.of_alias(alias)
    for path in ("/a", "/b"):
        root.route(of, path, rate_limit=rules)
    assert [root.call(alias + path).status for path in ("/a", "/b", "/a")] == [200, 200, 429]


def test_101_strategies(root: Client, lab: Lab) -> None:
    for strategy in ("reject", "queue", "degrade"):
        alias = root.at(lab.port, rate_limit=limit(1, "hour", strategy=strategy))
        assert statuses(root, alias, 2) == [200, 429]


def test_102_changed_limit(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, "hour"))
    assert statuses(root, alias, 2) == [200, 429]
    root.change(alias, tags=["changed"])
    assert statuses(root, alias, 1) == [429]
    root.change(alias, rate_limit=limit(2, "hour"))
    assert statuses(root, alias, 3) == [200, 200, 429]
    root.change(alias, rate_limit=limit(2, "day"))
    assert statuses(root, alias, 1) == [200]


def test_103_figures_on_errors(root: Client, lab: Lab) -> None:
    alias = root.at(lab.port, rate_limit=limit(9, "hour"))
    lab.script = lambda request, peer: peer.answer(500)
    answer = root.call(alias)
    assert (answer.status, answer.source, shown(answer)) == (500, "upstream", (9, 8))
    answer = root.call(root.at(free_port(), HOSTS[0], rate_limit=limit(9, "hour")))
    assert (answer.status, answer.source, shown(answer)) == (503, "gateway", (9, 8))


def test_150_shared_pool(hierarchy_root: Client, left_child: Client, right_child: Client, lab: Lab) -> None:
    alias = new_alias()
    pool = limit(3, "hour", sharing="inherit", scope="global", budget={"mode": "shared", "total": 3})
    hierarchy_root.at(lab.port, alias=alias, rate_limit=pool)
    left_child.at(lab.port, alias=alias)
    right_child.at(lab.port, alias=alias, rate_limit=limit(50, "hour"))
    for client in (left_child, hierarchy_root, left_child):
        assert client.call(alias).status == 200
    assert [client.call(alias).status for client in (left_child, hierarchy_root, right_child)] == [
        429,
        429,
        200,
    ]


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        (["X-Forwarded-For: 10.0.0.1"], ["X-Forwarded-For:  10.0.0.1 , 10.0.0.2", "X-Real-IP: 10.0.0.3"]),
        (["X-Forwarded-For: 10.0.0.1"], ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 10.0.0.2"]),
        (["X-Forwarded-For: 2001:db8::1"], ["X-Forwarded-For: 2001:0DB8:0::0:1"]),
        (["X-Forwarded-For: nobody", "X-Real-IP: 10.0.0.1"], ["X-Real-IP: 10.0.0.1"]),
        (["X-Forwarded-For: nobody, 10.0.0.1"], []),
        (["X-Forwarded-For: 10.0.0.1:80"], []),
        (["X-Forwarded-For: [::1]"], []),
        (["X-Real-IP: 10.0.0.1:80"], []),
        (["X-Forwarded-For: , 10.0.0.1"], ["X-Forwarded-For: unknown"]),
    ],
)
def test_160_scope_ip(root: Client, lab: Lab, fields: list[str], same: list[str]) -> None:
    alias = root.at(lab.port, rate_limit=limit(1, "hour", scope="ip"))
    assert root.call(alias, *fields).status == 200
    assert root.call(alias, *same).status == 429
    assert root.call(alias, "X-Real-IP: 192.0.2.9").status == 200
