"""The store: what counts towards the limit of memory, how many records fit, and what is remembered."""

from random import Random

import pytest

import oagw.registry.store
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.memory import MIB, Memory
from oagw.registry.resolve import Disabled, Resolved, match
from oagw.registry.store import Registry
from tests.unit.registry.samples import (
    LEFT,
    ROOT,
    TREE,
    body,
    create,
    create_route,
    http,
    registry,
    replace,
    replace_route,
)


def test_everything_counts_towards_the_limit() -> None:
    memory = Memory(MIB)
    kept = Registry(memory, Draws(Random(1)), TREE)
    lab = create(kept, ROOT, body())
    create_route(kept, lab)
    small = dict(memory.documents)
    lab = replace(kept, lab, body(tags=["a" * 10_000]))
    assert memory.documents["upstreams"] > small["upstreams"] + 10_000
    with pytest.raises(Invalid):
        replace(kept, lab, body(tags=["a" * MIB]))
    assert kept.upstreams(ROOT, 1) == [lab]
    kept.delete_upstream(lab)
    assert set(memory.documents.values()) == {0}
    create_route(kept, create(kept, ROOT, body()))
    kept.clear()
    assert set(memory.documents.values()) == {0}
    assert (kept.upstreams(ROOT, 9), kept.routes(ROOT, 9)) == ([], [])
    assert kept.resolve(ROOT, "lab") is None
    create(kept, ROOT, body())


def test_the_number_of_records_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oagw.registry.store, "MAX_UPSTREAMS", 1)
    monkeypatch.setattr(oagw.registry.store, "MAX_ROUTES", 1)
    kept = registry()
    lab = create(kept, ROOT, body())
    with pytest.raises(Invalid, match="limit of 1 upstreams"):
        create(kept, LEFT, body())
    replace(kept, lab, body())
    route = create_route(kept, lab)
    with pytest.raises(Invalid, match="limit of 1 routes"):
        create_route(kept, lab, http("/v2"))
    replace_route(kept, route)


def test_the_same_objects_until_the_next_write() -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    route = create_route(kept, lab)
    resolved = kept.resolve(ROOT, "LAB.")
    assert isinstance(resolved, Resolved)
    assert resolved is kept.resolve(ROOT, "lab")
    matched = match(resolved, "GET", "/v1/models")
    assert matched is match(resolved, "GET", "/v1/others")
    assert matched is not None
    assert (matched.upstream, matched.route) == (lab, route)
    route = replace_route(kept, route, match=http("/v2"))
    again = kept.resolve(ROOT, "lab")
    assert isinstance(again, Resolved)
    assert match(again, "GET", "/v1/models") is None
    assert match(again, "GET", "/v2").route is route
    replace(kept, lab, body(enabled=False))
    assert isinstance(kept.resolve(ROOT, "lab"), Disabled)
    kept.delete_upstream(kept.upstream(ROOT, lab.uuid))  # type: ignore[arg-type]
    assert kept.resolve(ROOT, "lab") is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oagw.registry.store, "_REMEMBERED", 2)
    kept = registry()
    labs = [create(kept, ROOT, body(f"lab{n}")) for n in range(5)]
    for _ in range(2):
        for lab in labs:
            assert kept.resolve(ROOT, lab.alias).upstream is lab
