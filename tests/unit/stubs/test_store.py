"""Store: which stub is found, however many there are, and after any have gone."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.sandboxes import Sandboxes
from oagw.stubs import store
from oagw.stubs.mapping import StubMapping
from oagw.stubs.store import Store, Stub

URLS = ("/a", "/b", "/api/oagw/v1/proxy/x/c", None)
SANDBOX = Sandboxes(Random(1), 10, 1 << 20, Memory(1 << 30)).default
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
    stubs = Store(Memory(1 << 30))
    for id, url, priority, goes in changes:
        known = stubs.get(f"{id}")
        if known is not None and goes:
            stubs.remove(known)
        else:
            stubs.add(stub(id, url, priority))
    for url in URLS[:3]:
        call = Call("GET", str(url))
        expected = next((one for one in stubs if one.pattern.matches(call, 0)), None)
        assert stubs.find(call, SANDBOX, 0) is expected


def test_a_full_store_takes_no_more_but_lets_one_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_STUBS", 2)
    stubs = Store(Memory(1 << 30))
    for id in (1, 2):
        stubs.check_room([stub(id)])
        stubs.add(stub(id))
    stubs.check_room([stub(2)])
    with pytest.raises(Invalid, match="More than 2 stubs"):
        stubs.check_room([stub(2), stub(3)])
