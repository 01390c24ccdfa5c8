"""The walk of an alias up the tree of tenants, and the choice of a route."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from oagw.model.route import Match, Route
from oagw.model.upstream import Upstream
from oagw.registry.matching import RouteTable
from oagw.registry.resolve import Disabled, Resolved, match
from oagw.registry.store import Registry
from tests.unit.registry.samples import (
    ALONE,
    BELOW,
    LEAF,
    LEFT,
    OUTSIDE,
    RIGHT,
    ROOT,
    body,
    create,
    create_route,
    http,
    limit,
    registry,
    replace,
)

SHARED: dict[str, Any] = {"auth": {"type": "noop", "sharing": "inherit"}}


def selected(kept: Registry, tenant: UUID, alias: str = "lab") -> Upstream | Disabled | None:
    found = kept.resolve(tenant, alias)
    return found.upstream if isinstance(found, Resolved) else found


@pytest.mark.parametrize(
    ("members", "seen"),
    [
        ({}, False),
        ({"auth": {"type": "noop"}, "rate_limit": limit(1), "plugins": {"items": []}, "cors": {}}, False),
        ({"headers": {"request": {"set": {"a": "b"}}}}, False),
        ({"auth": {"type": "noop", "sharing": "enforce"}}, True),
        ({"rate_limit": limit(1, sharing="inherit")}, True),
        ({"plugins": {"items": [], "sharing": "inherit"}}, True),
        ({"cors": {"sharing": "enforce"}}, True),
    ],
)
def test_tenants_below_see_what_shares_anything(members: Any, seen: bool) -> None:
    kept = registry()
    lab = create(kept, ROOT, body(**members))
    assert selected(kept, ROOT) is lab
    for tenant in (LEFT, LEAF, RIGHT):
        assert selected(kept, tenant) is (lab if seen else None)
    assert selected(kept, ALONE) is selected(kept, BELOW) is None  # a barrier


def test_the_closest_enabled_upstream_is_selected() -> None:
    kept = registry()
    root = create(kept, ROOT, body(**SHARED))
    left = create(kept, LEFT, body(**SHARED))
    leaf = create(kept, LEAF, body())
    assert [selected(kept, tenant) for tenant in (LEAF, LEFT, RIGHT, ROOT)] == [leaf, left, root, root]
    assert [layer.uuid for layer in kept.resolve(LEAF, "lab").layers] == [root.uuid, left.uuid, leaf.uuid]
    leaf = replace(kept, leaf, body(enabled=False))
    assert selected(kept, LEAF) == left
    left = replace(kept, left, body(enabled=False, **SHARED))
    assert selected(kept, LEAF) == root
    root = replace(kept, root, body(enabled=False, **SHARED))
    assert selected(kept, LEAF) == Disabled(leaf)
    assert selected(kept, RIGHT) == Disabled(root)
    kept.delete_upstream(leaf)
    assert selected(kept, LEAF) == Disabled(left)
    replace(kept, left, body(enabled=False))  # no longer visible
    assert selected(kept, LEAF) == Disabled(root)


def test_disabled_and_invisible_ancestors_are_no_layers() -> None:
    kept = registry()
    root = create(kept, ROOT, body(**SHARED))
    left = create(kept, LEFT, body(enabled=False, **SHARED))
    leaf = create(kept, LEAF, body())
    assert kept.resolve(LEAF, "lab").layers == (root, leaf)
    replace(kept, left, body())
    assert kept.resolve(LEAF, "lab").layers == (root, leaf)


def test_an_outsider_resolves_nothing() -> None:
    with pytest.raises(KeyError):
        registry().resolve(OUTSIDE, "lab")


def test_routes_of_the_selected_upstream_come_before_those_of_its_ancestors() -> None:
    kept = registry()
    root, left, leaf = (create(kept, tenant, body(**SHARED)) for tenant in (ROOT, LEFT, LEAF))
    of_root = create_route(kept, root, http("/v1/models", "GET", "POST"))
    of_left = create_route(kept, left, http("/v1", "GET"))
    found = kept.resolve(LEAF, "lab")
    assert isinstance(found, Resolved)
    chosen = match(found, "GET", "/v1/models")
    assert chosen is not None
    assert (chosen.upstream, chosen.route) == (leaf, of_left)  # though its path is shorter
    assert match(found, "POST", "/v1/models").route is of_root
    assert match(found, "DELETE", "/v1/models") is None
    own = create_route(kept, leaf, http("", "GET"))
    assert match(kept.resolve(LEAF, "lab"), "GET", "/v1/models").route is own  # type: ignore[arg-type]
    # Those of descendants and of invisible ancestors do not count.
    assert match(kept.resolve(ROOT, "lab"), "GET", "/v1") is None  # type: ignore[arg-type]
    replace(kept, root, body())
    assert match(kept.resolve(LEAF, "lab"), "POST", "/v1/models") is None  # type: ignore[arg-type]


METHODS = ("GET", "POST")
paths = st.text("/ab", max_size=4)
routes = st.builds(
    lambda number, methods, path, priority, enabled, grpc: Route(
        UUID(int=number),
        ROOT,
        ROOT,
        convert({"grpc": {"service": "s", "method": "m"}} if grpc else http(path, *methods), Match),
        priority,
        enabled,
    ),
    st.integers(1, 2**64),
    st.lists(st.sampled_from(METHODS), unique=True, min_size=1),
    paths,
    st.integers(-1, 1),
    st.booleans(),
    st.just(False) | st.booleans(),
)


@settings(deadline=None)
@given(st.lists(routes, max_size=12, unique_by=lambda route: route.uuid), paths)
def test_the_table_finds_what_a_search_through_all_routes_finds(all: list[Route], path: str) -> None:
    table = RouteTable(all)
    for method in (*METHODS, "HEAD"):
        matching = [
            (-len(http.path), -route.priority, route.uuid, route)
            for route in all
            if route.enabled
            and (http := route.match.http)
            and method in http.methods
            and path.startswith(http.path)
        ]
        assert table.find(method, path) is (min(matching)[3] if matching else None)
