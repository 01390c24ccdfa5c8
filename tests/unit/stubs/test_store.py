"""StubStore: which stub is found, however many there are, and after any have gone."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.stubs import store
from oagw.stubs.mapping import StubMapping
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub

URLS = ("/a", "/b", "/api/oagw/v1/proxy/x/c", None)
CHANGES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(URLS), st.integers(1, 3), st.booleans()), max_size=40
)


def stub(id: int, url: str | None = None, priority: int = 5) -> Stub:
    return Stub(StubMapping(request=RequestPattern(url=url), priority=priority), f"{id}", {})


@settings(deadline=None, max_examples=100)
@given(CHANGES)
def test_whatever_was_put_in_and_taken_out_the_first_that_matches_is_found(
    changes: list[tuple[int, str | None, int, bool]],
) -> None:
    stubs = StubStore(Memory(1 << 30))
    for id, url, priority, goes in changes:
        known = stubs.get(f"{id}")
        if known is not None and goes:
            stubs.remove(known)
        else:
            stubs.add(stub(id, url, priority))
    for url in URLS[:3]:
        call = Call("GET", str(url))
        expected = next((one for one in stubs if one.pattern.matches(call, 0)), None)
        assert stubs.find(call, 0) is expected


def test_a_full_store_takes_no_more_but_lets_one_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_STUBS", 2)
    stubs = StubStore(Memory(1 << 30))
    for id in (1, 2):
        stubs.check_room([stub(id)])
        stubs.add(stub(id))
    stubs.check_room([stub(2)])
    with pytest.raises(Invalid, match="More than 2 stubs"):
        stubs.check_room([stub(2), stub(3)])


def counted(times: int) -> Stub:
    return Stub(StubMapping(request=RequestPattern(url="/a"), times=times), "1", {})


def answer(stubs: StubStore) -> bool:
    call = Call("GET", "/a")
    found = stubs.find(call, 0.0)
    if found is not None:
        stubs.answer(found, call, 0.0, Draws(Random(1)))
    return found is not None


def test_hit_counts_are_bounded_by_the_memory_and_no_stub_answers_more_often_than_it_may() -> None:
    memory = Memory(1 << 20)
    shared = StubStore(memory)
    one = counted(times=2)
    shared.add(one)
    first, second = StubStore(memory, shared), StubStore(memory, shared)
    assert answer(first)
    room = (1 << 20) * 3 // 4 - sum(memory.documents.values())
    memory.keep("toxics", room)
    assert [answer(first), answer(first)] == [True, False]  # it has a count
    assert not answer(second)
    assert second.why_not(one) == "there is no memory left to count its answers"
    memory.keep("toxics", -room)
    assert [answer(second) for _ in range(3)] == [True, True, False]


def test_a_caller_who_is_gone_leaves_nothing_but_which_shared_stubs_answered() -> None:
    memory = Memory(1 << 20)
    shared = StubStore(memory)
    shared.add(counted(times=2))
    before = dict(memory.documents)
    caller = StubStore(memory, shared)
    answer(caller)
    assert memory.documents != before
    caller.clear()
    assert {kind: size for kind, size in memory.documents.items() if size} == before
    assert (shared.answered(), shared.answered([caller])) == ({"1"}, {"1"})
    shared.add(counted(times=1))  # in its place
    assert shared.answered() == set()
