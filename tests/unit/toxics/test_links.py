"""What each toxic does to a response, as scripts: fed this at 0 s, it gives that at 0.1 s."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.ending import Ending
from oagw.model.layout import Layout
from oagw.toxics.link import MAX_BYTES, MAX_PIECES, Chain, Link
from oagw.toxics.toxic import Acting, Toxic, ToxicDocument, chain

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"0\r\n\r\n"


class Piece(NamedTuple):
    """``data`` goes in, or comes out, ``at`` so many seconds; or the response ends."""

    at: float
    data: bytes
    ending: Ending = Ending.OPEN


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(events: int) -> list[Piece]:
    """A chunked response with an event every second, the first at once."""
    pieces = [Piece(float(n), chunk(b"data: %d\n\n" % n)) for n in range(events)]
    return [Piece(0.0, HEAD), *pieces, Piece(float(events), LAST), Piece(float(events), b"", Ending.COMPLETE)]


def toxic(type: str, **attributes: Any) -> Toxic:
    return Toxic(ToxicDocument(type, attributes=attributes))


def acting(toxics: Iterable[Toxic]) -> list[Acting]:
    random = Random(1)
    return [Acting(toxic, random) for toxic in toxics]


def through(toxics: list[Toxic], script: list[Piece]) -> tuple[list[Piece], list[Toxic]]:
    """What comes out of ``toxics``, each piece at the time when it is due, and those that acted."""
    layout, acted, position = Layout(), list[Toxic](), 0
    link = chain(acting(toxics), layout, acted.append)
    out: list[Piece] = []
    for at, data, ending in script:
        drain(link, at, out, before=True)
        body = data.find(b"data:")
        if data == LAST:
            layout.tail = position
        elif body >= 0:
            layout.add_body(position + body, len(data) - body - 2)
        position += len(data)
        if data:
            link.feed(data, at)
        if ending is not Ending.OPEN:
            link.end(ending, at)
    drain(link, 1e12, out)
    return out, acted


def drain(link: Link, until: float, out: list[Piece], before: bool = False) -> None:
    """Let ``link`` give all that is due ``until`` then, each at its time."""
    while (due := link.due) is not None and (due < until or (due == until and not before)):
        if out and out[-1].ending is not Ending.OPEN:
            return
        item = link.drain(due)
        if isinstance(item, bytes):
            assert item
            out.append(Piece(due, item))
        elif item is not None:
            out.append(Piece(due, b"", item))


def one(type: str, script: list[Piece], **attributes: Any) -> list[Piece]:
    """What comes out of one toxic."""
    out, acted = through([toxic(type, **attributes)], script)
    assert len(acted) <= 1
    assert bool(acted) is (out != script) or type != "limit_data"
    return out


def sent(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


answers = st.lists(
    st.tuples(st.floats(0, 5), st.binary(min_size=1, max_size=200)), min_size=1, max_size=8
).map(
    lambda steps: [
        *(Piece(sum(pause for pause, _ in steps[: n + 1]), data) for n, (_, data) in enumerate(steps)),
        Piece(sum(pause for pause, _ in steps), b"end"),
        Piece(sum(pause for pause, _ in steps), b"", Ending.COMPLETE),
    ]
)
harmless = st.one_of(
    st.tuples(
        st.just("latency"),
        st.fixed_dictionaries({"latency": st.integers(0, 3000), "jitter": st.integers(0, 2000)}),
    ),
    st.tuples(st.just("bandwidth"), st.fixed_dictionaries({"rate": st.integers(1, 5)})),
    st.tuples(st.just("slow_close"), st.fixed_dictionaries({"delay": st.integers(0, 3000)})),
    st.tuples(
        st.just("slicer"),
        st.fixed_dictionaries({"average_size": st.integers(5, 50), "size_variation": st.integers(0, 4)}),
    ),
)


@given(answers, harmless)
@settings(max_examples=200, deadline=None)
def test_what_only_delays_changes_no_byte_and_no_order(pieces: list[Piece], kind: Any) -> None:
    type, attributes = kind
    out = one(type, pieces, **attributes)
    assert sent(out) == sent(pieces)
    assert all(before.at <= after.at for before, after in pairwise(out))
    assert [piece.ending for piece in out if piece.ending is not Ending.OPEN] == [Ending.COMPLETE]
    assert out[-1].ending is Ending.COMPLETE
    assert out[-1].at >= pieces[-1].at


ending = st.tuples(
    st.sampled_from(["limit_data", "reset_peer", "timeout"]),
    st.fixed_dictionaries({"after_bytes": st.integers(0, 300)}),
)


@given(answers, st.lists(st.one_of(harmless, ending), min_size=1, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_chain_lets_a_start_of_the_answer_through_and_ends_it_once(
    pieces: list[Piece], types: list[Any]
) -> None:
    out, acted = through([toxic(type, **attributes) for type, attributes in types], pieces)
    assert sent(pieces).startswith(sent(out))
    assert all(before.at <= after.at for before, after in pairwise(out))
    assert [piece.ending is Ending.OPEN for piece in out] == [True] * (len(out) - 1) + [False]
    assert (out[-1].ending is not Ending.COMPLETE) is any(one.ends for one in acted)
    assert len(acted) == len(set(acted))


@given(answers, st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_limit_data_cuts_exactly(pieces: list[Piece], limit: int) -> None:
    out = one("limit_data", pieces, bytes=limit)
    whole = sent(pieces)
    assert sent(out) == whole[:limit]
    assert out[-1].ending is (Ending.TRUNCATE if limit < len(whole) else Ending.COMPLETE)


@given(answers, st.integers(0, 400), st.sampled_from(["reset_peer", "timeout"]))
@settings(max_examples=200, deadline=None)
def test_after_bytes_is_exact(pieces: list[Piece], after: int, type: str) -> None:
    out = one(type, pieces, timeout=7, after_bytes=after)
    whole = sent(pieces)
    assert sent(out) == whole[:after]
    if after > len(whole):
        assert out == pieces
    else:
        assert out[-1].ending is (Ending.RESET if type == "reset_peer" else Ending.TRUNCATE)


@pytest.mark.parametrize(("events", "acts"), [(0, True), (1, True), (3, True), (4, False)])
@pytest.mark.parametrize(("type", "then"), [("reset_peer", Ending.RESET), ("timeout", Ending.TRUNCATE)])
def test_after_events_lets_exactly_so_many_through(events: int, acts: bool, type: str, then: Ending) -> None:
    out = one(type, stream(3), timeout=500, after_events=events)
    assert sent(out).count(b"data:") == min(events, 3)
    assert out[-1].ending is (then if acts else Ending.COMPLETE)
    if events == 3:
        assert out[-1].at == 2.5  # half a second after the third


def test_after_events_is_exact_within_one_write() -> None:
    burst = [
        Piece(0.0, HEAD),
        Piece(0.0, chunk(b"data: 1\n\ndata: 2\n\ndata: 3\n\n")),
        Piece(0.0, b"", Ending.COMPLETE),
    ]
    assert sent(one("reset_peer", burst, after_events=2)).endswith(b"data: 2\n\n")


def test_latency_begins_after_so_many_events_and_keeps_the_distances() -> None:
    out = one("latency", stream(3), latency=400, after_events=1)
    assert [piece.at for piece in out if b"data:" in piece.data] == [0.0, 1.4, 2.4]
    assert out[-2:] == [Piece(3.4, LAST), Piece(3.4, b"", Ending.COMPLETE)]


def test_limit_data_counts_from_after_the_events() -> None:
    out = one("limit_data", stream(3), after_events=1, bytes=5)
    assert sent(out) == sent(stream(3))[: len(HEAD + chunk(b"data: 0\n\n")) - 2 + 5]


def test_jitter_stays_within_its_bounds_and_varies() -> None:
    pieces = [Piece(float(n), b"x") for n in range(50)] + [Piece(50.0, b"", Ending.COMPLETE)]
    late = [
        after.at - before.at
        for before, after in zip(pieces, one("latency", pieces, latency=300, jitter=200), strict=True)
    ]
    assert 0.1 <= min(late[:-1]) < 0.2
    assert 0.4 < max(late[:-1]) <= 0.5
    assert late[-1] == 0


def test_bandwidth_holds_its_rate_over_bursts_and_silence() -> None:
    pieces = [Piece(0.0, b"x" * 30_000), Piece(1.0, b"y" * 10_000), Piece(9.0, b"z" * 5_000)]
    pieces.append(Piece(9.0, b"", Ending.COMPLETE))
    out = one("bandwidth", pieces, rate=10)
    assert out[-1].at == pytest.approx(9.5)
    assert max(piece.at for piece in out if piece.data[:1] == b"y") == pytest.approx(4.0)
    assert max(len(piece.data) for piece in out) == 100


def test_slices_are_of_about_their_size_and_a_delay_apart() -> None:
    pieces = [Piece(0.0, b"x" * 1000), Piece(0.0, b"", Ending.COMPLETE)]
    out = one("slicer", pieces, average_size=100, size_variation=20, delay=2000)
    sizes = [len(piece.data) for piece in out if piece.data][:-1]
    assert 80 <= min(sizes) < max(sizes) <= 120
    assert [round(after.at - before.at, 6) for before, after in pairwise(out)] == [0.002] * (len(out) - 1)


def test_slow_close_holds_the_last_chunk_back() -> None:
    out = one("slow_close", stream(1), delay=250)
    assert out[-2:] == [Piece(1.25, LAST), Piece(1.25, b"", Ending.COMPLETE)]
    assert out[:-2] == stream(1)[:-2]


def test_a_timeout_of_0_hangs() -> None:
    assert one("timeout", stream(1)) == [Piece(0.0, b"", Ending.HANG)]


def test_an_end_that_the_answer_makes_itself_is_left_alone() -> None:
    pieces = [Piece(0.0, b"x"), Piece(1.0, b"", Ending.RESET)]
    assert one("latency", pieces, latency=100)[-1].ending is Ending.RESET
    assert one("limit_data", pieces, bytes=1)[-1].ending is Ending.RESET


def test_limit_data_with_its_last_byte_waits_for_what_comes_next() -> None:
    """Whether the response is cut is decided by the next byte, or by its end, and not before."""
    whole = sent(stream(1))
    first, end = [Piece(0.0, whole[:-5])], Piece(2.0, b"", Ending.COMPLETE)
    assert one("limit_data", [*first, end], bytes=len(whole) - 5) == [*first, end]
    more = [*first, Piece(1.0, b"more"), end]
    assert one("limit_data", more, bytes=len(whole) - 5) == [*first, Piece(1.0, b"", Ending.TRUNCATE)]


def test_a_reset_after_events_comes_with_the_last_of_them_and_not_with_the_next() -> None:
    out = one("reset_peer", stream(3), after_events=2)
    assert out[-1] == Piece(1.0, b"", Ending.RESET)


def test_a_chain_does_one_thing_after_the_other() -> None:
    out, _ = through(
        [toxic("latency", latency=100), toxic("slicer", average_size=2, delay=10_000)],
        [Piece(0.0, b"abcd"), Piece(1.0, b"ef"), Piece(1.0, b"", Ending.COMPLETE)],
    )
    assert [(round(at, 3), data) for at, data, _ in out] == [
        (0.1, b"ab"),
        (0.11, b"cd"),
        (1.1, b"ef"),
        (1.11, b""),
    ]


def link(*toxics: Toxic) -> Chain:
    return chain(acting(toxics), Layout(), lambda toxic: None)


@pytest.mark.parametrize("first", ["bandwidth", "slicer"])
def test_a_large_body_is_cut_only_when_its_parts_are_due(first: str) -> None:
    body = b"x" * 64_000_000
    slow = {"bandwidth": toxic("bandwidth", rate=1), "slicer": toxic("slicer", average_size=10)}
    whole = link(slow[first])
    whole.feed(body, 0.0)
    assert (whole.pieces, whole.full) == (1, True)
    through = 0
    while (due := whole.due) is not None and due < 1.0:
        data = whole.drain(due)
        assert isinstance(data, bytes)
        through += len(data)
    assert whole.pieces == 1
    assert through == pytest.approx(1000 if first == "bandwidth" else 200_000, rel=0.02)


def test_slices_before_a_slow_line_do_not_pile_up() -> None:
    both = link(toxic("slicer", average_size=10), toxic("bandwidth", rate=1))
    both.feed(b"x" * 64_000_000, 0.0)
    while (due := both.due) is not None and due < 5.0:
        both.drain(due)
        assert both.pieces <= MAX_PIECES + 1


@pytest.mark.parametrize("kind", [toxic("latency", latency=3_600_000), toxic("bandwidth", rate=1)])
def test_a_link_that_holds_much_is_full_until_it_holds_half(kind: Toxic) -> None:
    slow, fed = link(kind), 0
    while not slow.full:
        slow.feed(b"x" * 1000, 0.0)
        fed += 1000
    assert fed == pytest.approx(MAX_BYTES, abs=1000)
    out = 0
    while slow.full:
        assert slow.due is not None
        data = slow.drain(slow.due)
        assert isinstance(data, bytes)
        out += len(data)
    assert out == pytest.approx(MAX_BYTES / 2, abs=2000)


def test_where_nothing_comes_through_nothing_needs_to_be_fed() -> None:
    silent = link(toxic("latency", latency=10), toxic("timeout", after_bytes=5))
    silent.feed(b"x" * 10, 0.0)
    while (due := silent.due) is not None:
        silent.drain(due)
    for _ in range(1000):
        if silent.full:
            break
        silent.feed(b"x" * 1000, 1.0)
    assert silent.full
    assert silent.due is None
