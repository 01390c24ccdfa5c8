"""Writes of routes: their upstream, match rules, overlap, and the order of the checks."""

from random import Random
from time import process_time
from typing import Any
from uuid import UUID

import pytest

from oagw.model.draws import Draws
from oagw.model.memory import MIB, Memory
from oagw.model.refused import Refused
from oagw.registry.store import Registry
from tests.unit.registry.samples import (
    LEFT,
    ROOT,
    TREE,
    body,
    create,
    create_route,
    http,
    refusal,
    registry,
    replace_route,
)

GRPC = {"grpc": {"service": "s", "method": "m"}}


def test_a_route_belongs_to_an_upstream_of_the_same_tenant() -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    message = refusal(create_route, kept, lab, tenant=LEFT)
    assert message == f"400 upstream '{lab.uuid}' not found for this tenant"
    route = create_route(kept, lab)
    assert (route.tenant_id, route.upstream, route.priority, route.enabled) == (ROOT, lab.uuid, 0, True)
    assert kept.route(ROOT, route.uuid) is route
    assert kept.route(LEFT, route.uuid) is None


@pytest.mark.parametrize("match", [{}, {"http": None}, http() | GRPC])
def test_exactly_one_match(match: Any) -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    message = refusal(create_route, kept, lab, match or {"http": None})
    assert message == "400 match rules must specify exactly one of 'http' or 'grpc'"
    route = create_route(kept, lab, GRPC)
    assert refusal(replace_route, kept, route, match=match) == message


def test_routes_must_not_overlap() -> None:
    kept = registry()
    lab, other = create(kept, ROOT, body()), create(kept, ROOT, body("other"))
    first = create_route(kept, lab, http("/v1", "GET", "POST"), priority=1)
    with pytest.raises(Refused) as refused:
        create_route(kept, lab, http("/v1", "PUT", "POST"), priority=1)
    problem = refused.value.problem  # type: ignore[attr-defined]
    assert problem.status == 409
    assert problem.detail.startswith("route overlap: an enabled route already exists on upstream")
    assert problem.context == {
        "resource_type": "gts.cf.core.oagw.route.v1~",
        "resource_name": f"{lab.uuid}:/v1:Post",
    }
    create_route(kept, lab, http("/v1", "POST"), priority=2)
    create_route(kept, lab, http("/v1", "PUT"), priority=1)
    create_route(kept, lab, http("/v1/", "POST"), priority=1)
    create_route(kept, other, http("/v1", "POST"), priority=1)
    create_route(kept, lab, GRPC, priority=1)
    disabled = create_route(kept, lab, http("/v1", "POST"), priority=1, enabled=False)
    again = {"match": http("/v1", "POST"), "priority": 1}
    assert "409 route overlap" in refusal(replace_route, kept, disabled, **again)
    replace_route(kept, first, **again, enabled=False)
    replace_route(kept, disabled, **again)
    assert "409 route overlap" in refusal(replace_route, kept, first, **again)
    kept.delete_route(disabled)
    replace_route(kept, first, **again)
    replace_route(kept, first, **again)  # it does not conflict with itself


def test_the_order_of_the_checks() -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    create_route(kept, lab)
    cors = {"allowed_origins": ["bad"]}
    assert "invalid origin" in refusal(create_route, kept, lab, {"http": None}, LEFT, cors=cors)
    assert "not found for this tenant" in refusal(create_route, kept, lab, {"http": None}, LEFT)
    assert "exactly one" in refusal(create_route, kept, lab, {"http": None})
    assert "overlap" in refusal(create_route, kept, lab)
    route = create_route(kept, lab, http("/v2"))
    assert "invalid origin" in refusal(replace_route, kept, route, match={}, cors=cors)
    assert "exactly one" in refusal(replace_route, kept, route, match={})
    assert "overlap" in refusal(replace_route, kept, route)
    kept.delete_route(route)
    message = refusal(replace_route, kept, route, match={}, cors=cors)
    assert message == f"404 route not found: {route.uuid}"


def test_lists_are_in_the_order_of_ids_and_in_pages() -> None:
    kept = registry()
    labs = [create(kept, ROOT, body(f"lab{n}")) for n in range(9)]
    routes = [create_route(kept, labs[n % 2], http(f"/{n}")) for n in range(9)]
    by_id = sorted(labs, key=lambda lab: lab.uuid)
    assert by_id != labs
    assert kept.upstreams(ROOT, 50) == by_id
    assert kept.upstreams(ROOT, 3, 2) == by_id[2:5]
    assert kept.upstreams(ROOT, 3, 8) == by_id[8:]
    assert kept.upstreams(ROOT, 3, 9) == kept.upstreams(ROOT, 0) == kept.upstreams(LEFT, 50) == []
    key = lambda route: route.uuid  # noqa: E731
    assert kept.routes(ROOT, 50) == sorted(routes, key=key)
    assert kept.routes(ROOT, 50, 0, labs[1].uuid) == sorted(routes[1::2], key=key)
    assert kept.routes(LEFT, 50, 0, labs[1].uuid) == kept.routes(ROOT, 50, 0, UUID(int=1)) == []


def test_overlaps_of_many_methods_are_found_in_little_time() -> None:
    """A document of 1 MiB may have even more methods."""
    kept = registry()
    lab = create(kept, ROOT, body())
    create_route(kept, lab, http("/v1", *["POST"] * 20_000))
    begin = process_time()
    create_route(kept, lab, http("/v1", *["GET"] * 20_000))
    assert process_time() - begin < 2


def test_what_has_moved_or_is_gone_overlaps_no_more() -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    for change in ({"match": http("/v2")}, {"priority": 1}, {"match": GRPC}, {"enabled": False}):
        route = create_route(kept, lab)
        replace_route(kept, route, **change)
        other = create_route(kept, lab)
        assert "overlap" in refusal(replace_route, kept, route)
        kept.delete_route(other)
        replace_route(kept, route)
        assert "overlap" in refusal(create_route, kept, lab)
        kept.delete_route(route)
    create_route(kept, lab)
    kept.delete_upstream(lab)
    again = create(kept, ROOT, body())
    create_route(kept, again)
    kept.clear()
    create_route(kept, create(kept, ROOT, body()))


def test_one_of_many_routes_is_written_in_little_time() -> None:
    kept = Registry(Memory(100 * MIB), Draws(Random(1)), TREE)
    lab = create(kept, ROOT, body())
    routes = [create_route(kept, lab, http(f"/{number}")) for number in range(10_000)]
    begin = process_time()
    for route in routes[:500]:
        replace_route(kept, route, match=http(f"{route.uuid}"))
    assert process_time() - begin < 1  # looking at each of the others took 9 ms for each
