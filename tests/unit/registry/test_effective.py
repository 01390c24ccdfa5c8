"""The rules by which the configurations of an upstream, its ancestors and a route are merged."""

from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from oagw.model.route import Route
from oagw.model.upstream import Auth, Cors, Plugins, RateLimit, Upstream
from oagw.registry.effective import (
    Effective,
    effective,
    layered,
    merge_plugins,
    per_second,
)
from tests.unit.registry.samples import ROOT, http, limit

T = TypeVar("T")
ROUTE = UUID(int=99)


def upstream(number: int, **members: Any) -> Upstream:
    """An upstream with the id ``number``."""
    record = {
        "uuid": UUID(int=number),
        "tenant_id": ROOT,
        "alias": "lab",
        "server": {"endpoints": [{"host": "127.0.0.1"}]},
        "protocol": "any",
        "enabled": True,
        **members,
    }
    return convert(record, Upstream)


def merged(*layers: dict[str, Any], route: dict[str, Any] | None = None) -> Effective:
    """The configuration for ``route`` of the last of ``layers``, which have the ids 1, 2 and so on."""
    of_route = {
        "uuid": ROUTE,
        "tenant_id": ROOT,
        "upstream": ROOT,
        "match": http(),
        "priority": 0,
        "enabled": True,
    }
    upstreams = [upstream(number, **members) for number, members in enumerate(layers, 1)]
    return effective(layered(upstreams), convert({**of_route, **(route or {})}, Route))


def auth(type: str, sharing: str = "private") -> dict[str, Any]:
    return {"auth": {"type": type, "sharing": sharing}}


def rate(*arguments: Any, **members: Any) -> dict[str, Any]:
    return {"rate_limit": limit(*arguments, **members)}


def plugins(sharing: str, *items: str) -> dict[str, Any]:
    """``a=1`` is a plugin with the reference ``a`` and the setting 1."""
    split = [item.split("=") for item in items]
    return {
        "plugins": {"sharing": sharing, "items": [{"plugin_ref": a, "config": {"is": b}} for a, b in split]}
    }


def cors(sharing: str, *origins: str, **members: Any) -> dict[str, Any]:
    return {"cors": {"sharing": sharing, "enabled": True, "allowed_origins": origins, **members}}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{}, {}], None),
        ([auth("a"), {}], "a"),  # a private one too, once its owner is visible
        ([auth("a", "inherit"), {}], "a"),
        ([auth("a", "inherit"), auth("b")], "b"),
        ([auth("a", "enforce"), auth("b")], "a"),
        ([auth("a", "enforce"), {}, auth("b", "enforce")], "a"),
        ([auth("a"), auth("b", "enforce"), auth("c")], "b"),
    ],
)
def test_auth(layers: Any, expected: str | None) -> None:
    found = merged(*layers).auth
    assert (None if found is None else found.type) == expected


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{}, {}], []),
        ([rate(5), {}], [("upstream:2", 5)]),
        ([rate(5), rate(9)], [("upstream:2", 9)]),
        ([rate(5), rate(9, sharing="inherit")], [("upstream:2", 5)]),
        ([rate(9), rate(5, sharing="enforce")], [("upstream:2", 5)]),
        ([rate(5, sharing="enforce"), rate(9)], [("upstream:2", 5)]),
        ([rate(5, sharing="enforce"), rate(3)], [("upstream:2", 3)]),
        ([rate(5, sharing="inherit"), rate(9)], [("upstream:2", 9)]),
        ([rate(100, "minute"), rate(2, sharing="inherit")], [("upstream:2", 100)]),
        # The whole of the ancestor's limit if they are equal.
        ([rate(60, "minute"), rate(1, sharing="inherit")], [("upstream:2", 60)]),
    ],
)
def test_rate_limit(layers: Any, expected: Any) -> None:
    limits = merged(*layers).limits
    assert [(owner_of(owner), limit.sustained.rate) for owner, limit in limits] == expected


def owner_of(text: str) -> str:
    kind, _, id = text.partition(":")
    return f"{kind}:{UUID(id).int}"


@pytest.mark.parametrize(
    ("above", "own", "expected"),
    [
        ({}, rate(5), [("upstream:1", None), ("route:99", 5)]),
        (rate(9), rate(5), [("upstream:1", 9), ("route:99", 5)]),
        (rate(9), rate(5, sharing="inherit"), [("upstream:1", 5), ("route:99", 5)]),
        (rate(3), rate(5, sharing="enforce"), [("upstream:1", 3), ("route:99", 5)]),
        ({}, rate(5, sharing="inherit"), [("upstream:1", 5), ("route:99", 5)]),
        (rate(3), {}, [("upstream:1", 3)]),
    ],
)
def test_rate_limit_of_a_route(above: Any, own: Any, expected: Any) -> None:
    limits = merged(above, route=own).limits
    found = [(owner_of(owner), limit.sustained.rate) for owner, limit in limits]
    assert found == [pair for pair in expected if pair[1] is not None]


POOL = rate(5, sharing="inherit", budget={"mode": "shared", "total": 9})


@pytest.mark.parametrize(
    ("layers", "owner"),
    [
        ([POOL], 1),
        ([POOL, {}], 1),
        ([POOL, {}, rate(9, sharing="inherit")], 1),
        ([rate(9), POOL, {}], 2),
        ([POOL, POOL, {}], 1),
        ([POOL, rate(9)], 2),
        ([POOL, rate(9), {}], 3),
        ([rate(5, sharing="enforce", budget={"mode": "shared", "total": 9}), rate(9)], 1),
        ([rate(5, sharing="inherit", budget={"mode": "allocated", "total": 9}), {}], 2),
    ],
)
def test_a_shared_budget_is_one_pool(layers: Any, owner: int) -> None:
    assert owner_of(merged(*layers).limits[0].owner) == f"upstream:{owner}"


@pytest.mark.parametrize(
    ("layers", "route", "expected"),
    [
        ([plugins("private", "a=1"), {}], {}, "a=1"),
        ([plugins("inherit", "a=1", "b=1"), plugins("inherit", "c=2", "a=2")], {}, "a=2 b=1 c=2"),
        ([plugins("inherit", "a=1"), plugins("private", "b=2")], {}, "b=2"),
        ([plugins("enforce", "a=1", "b=1"), plugins("private", "c=2", "a=2")], {}, "a=1 b=1 c=2"),
        ([plugins("enforce", "a=1"), plugins("enforce", "b=2", "a=2")], {}, "a=2 b=2"),
        ([plugins("private", "a=1")], plugins("private", "b=2"), "b=2"),
        ([plugins("private", "a=1", "b=1")], plugins("inherit", "c=2", "a=2"), "a=2 b=1 c=2"),
        ([plugins("private", "a=1")], plugins("private"), ""),
        ([{}], plugins("enforce", "b=2"), "b=2"),
        ([plugins("private", "a=1")], {}, "a=1"),
    ],
)
def test_plugins(layers: Any, route: Any, expected: str) -> None:
    found = merged(*layers, route=route).plugins
    stated = [f"{plugin.plugin_ref}={(plugin.config or {})['is']}" for plugin in found]
    assert " ".join(stated) == expected


@pytest.mark.parametrize(
    ("layers", "route", "expected"),
    [
        ([cors("private", "a")], {}, "a"),
        ([cors("inherit", "a"), {}], {}, "a"),
        ([cors("private", "a"), {}], {}, None),
        ([cors("inherit", "a"), cors("inherit", "b")], {}, "b a"),
        ([cors("private", "a"), cors("inherit", "b")], {}, "b"),
        ([cors("enforce", "a"), cors("inherit", "b")], {}, "a"),
        ([cors("inherit", "a"), cors("private", "b")], {}, "a"),
        ([cors("inherit", "a"), cors("enforce", "b")], {}, "a"),
        ([{}, cors("private", "b")], {}, None),
        ([{}, cors("inherit", "b")], {}, "b"),
        ([cors("private", "a")], cors("private", "c"), "a"),
        ([cors("private", "a")], cors("enforce", "c"), "a"),
        ([cors("private", "a")], cors("inherit", "c"), "c a"),
        ([cors("enforce", "a")], cors("inherit", "c"), "a"),
        ([{}], cors("inherit", "c"), "c"),
    ],
)
def test_cors(layers: Any, route: Any, expected: str | None) -> None:
    found = merged(*layers, route=route).cors
    assert (None if found is None else " ".join(found.allowed_origins or ())) == expected


def test_the_rest_of_cors_is_that_of_the_descendant() -> None:
    above = cors("inherit", "a", allow_credentials=True, allowed_methods=["GET"], expose_headers=["x"])
    found = merged(above, cors("inherit", "b", allowed_methods=["PUT"], enabled=False)).cors
    assert found == convert(
        {"sharing": "inherit", "enabled": False, "allowed_origins": ["b", "a"], "allowed_methods": ["PUT"]},
        Cors,
    )


def test_headers_and_tags() -> None:
    one, two = {"request": {"remove": ["a"]}}, {"response": {"remove": ["b"]}}
    assert merged({"headers": one}, {}).headers.request.remove == ("a",)
    assert not merged({"headers": one}, {"headers": two}).headers.request
    found = merged({"tags": ["a", "b"]}, {}, {"tags": ["b", "c"]}, route={"tags": ["d", "a"]})
    assert found.tags == ("a", "b", "c", "d")


sharings = st.sampled_from(["private", "inherit", "enforce"])


def maybe(members: st.SearchStrategy[dict[str, Any]]) -> Any:
    return st.lists(st.just({}) | members, min_size=1, max_size=5)


@settings(deadline=None)
@given(maybe(st.builds(auth, st.text("abc", min_size=1, max_size=2), sharings)))
def test_the_first_enforced_auth_holds_or_else_the_last(layers: list[dict[str, Any]]) -> None:
    stated = [convert(layer["auth"], Auth) for layer in layers if layer]
    enforced = [one for one in stated if one.sharing == "enforce"]
    assert merged(*layers).auth == (enforced[0] if enforced else stated[-1] if stated else None)


@settings(deadline=None)
@given(maybe(st.builds(rate, st.integers(1, 200), st.sampled_from(["second", "minute"]), sharings)))
def test_the_limit_is_one_of_the_layers_and_never_less_strict_than_the_own(
    layers: list[dict[str, Any]],
) -> None:
    stated = [convert(layer["rate_limit"], RateLimit) for layer in layers if layer]
    limits = merged(*layers).limits
    assert [limit.limit for limit in limits] == [one for one in stated if limits and one == limits[0].limit][
        :1
    ]
    assert bool(limits) == bool(stated)
    if stated:
        assert per_second(limits[0].limit) <= per_second(stated[-1])
        if not any(one.sharing == "private" for one in stated[1:]):
            assert limits[0].limit == min(stated, key=per_second)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(plugins, sharings, st.sampled_from(["a=1", "b=1", "c=1"]), st.sampled_from(["a=2", "d=2"])),
        min_size=2,
        max_size=4,
    )
)
def test_each_plugin_once_and_none_lost(layers: list[dict[str, Any]]) -> None:
    above, own = (convert(layer["plugins"], Plugins) for layer in layers[:2])
    found = merge_plugins(above, own)
    assert found is not None
    refs = [plugin.plugin_ref for plugin in found.items]
    if found is not own:
        assert len(refs) == len(set(refs))
        assert set(refs) == {plugin.plugin_ref for plugin in (*above.items, *own.items)}
    assert {plugin.plugin_ref for plugin in own.items} <= set(refs)
    assert found is own or above.sharing == "enforce" or own.sharing != "private"
