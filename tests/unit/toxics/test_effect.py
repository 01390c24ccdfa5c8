"""What each toxic does to the pieces of an answer: which bytes come out, and when."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.step import Then
from oagw.toxics.effect import EFFECTS, Piece
from oagw.toxics.toxic import Toxic, ToxicDocument, applied

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def stream(events: int) -> list[Piece]:
    """A chunked answer with an event every second, the first at once."""
    pieces = [Piece(float(n), chunk(b"data: %d\n\n" % n)) for n in range(events)]
    return [Piece(0.0, HEAD), *pieces, Piece(float(events), b"0\r\n\r\n", Then.CLOSE)]


def through(type: str, pieces: list[Piece], **attributes: Any) -> list[Piece]:
    """What comes out of one toxic."""
    acted = []
    effect = EFFECTS[type](**attributes)
    out = list(effect.applied(iter(pieces), Random(1), lambda: acted.append(True)))
    assert len(acted) <= 1
    assert bool(acted) is (out != pieces) or type != "limit_data"
    return out


def sent(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


answers = st.lists(st.tuples(st.floats(0, 5), st.binary(max_size=200)), min_size=1, max_size=8).map(
    lambda steps: [
        *(Piece(sum(pause for pause, _ in steps[: n + 1]), data) for n, (_, data) in enumerate(steps)),
        Piece(sum(pause for pause, _ in steps), b"end", Then.CLOSE),
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
def test_what_only_delays_changes_no_byte_and_no_order(pieces: list[Piece], toxic: Any) -> None:
    type, attributes = toxic
    out = through(type, pieces, **attributes)
    assert sent(out) == sent(pieces)
    assert all(before.at <= after.at for before, after in pairwise(out))
    assert [piece.then for piece in out if piece.then is not Then.GO_ON] == [Then.CLOSE]
    assert out[-1].then is Then.CLOSE
    assert out[-1].at >= pieces[-1].at


ending = st.tuples(
    st.sampled_from(["limit_data", "reset_peer", "timeout"]),
    st.fixed_dictionaries({"after_bytes": st.integers(0, 300)}),
)


@given(answers, st.lists(st.one_of(harmless, ending), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_chain_lets_a_start_of_the_answer_through_and_ends_it_once(
    pieces: list[Piece], chain: list[Any]
) -> None:
    toxics = [Toxic(ToxicDocument(type, attributes=attributes)) for type, attributes in chain]
    acted: list[Toxic] = []
    out = list(applied(toxics, iter(pieces), Random(1), acted.append))
    assert sent(pieces).startswith(sent(out))
    assert all(before.at <= after.at for before, after in pairwise(out))
    assert [piece.then is Then.GO_ON for piece in out] == [True] * (len(out) - 1) + [False]
    assert (out[-1].then is not Then.CLOSE) is any(toxic.ends for toxic in acted)
    assert len(acted) == len(set(acted))


@given(answers, st.integers(0, 400))
@settings(max_examples=200, deadline=None)
def test_limit_data_cuts_exactly(pieces: list[Piece], limit: int) -> None:
    out = through("limit_data", pieces, limit=limit)
    whole = sent(pieces)
    assert sent(out) == whole[:limit]
    assert out[-1].then is (Then.TRUNCATE if limit < len(whole) else Then.CLOSE)


@given(answers, st.integers(0, 400), st.sampled_from(["reset_peer", "timeout"]))
@settings(max_examples=200, deadline=None)
def test_after_bytes_is_exact(pieces: list[Piece], after: int, type: str) -> None:
    out = through(type, pieces, timeout=7, after_bytes=after)
    whole = sent(pieces)
    assert sent(out) == whole[:after]
    if after > len(whole):
        assert out == pieces
    else:
        assert out[-1].then is (Then.RESET if type == "reset_peer" else Then.TRUNCATE)


@pytest.mark.parametrize(("events", "acts"), [(0, True), (1, True), (3, True), (4, False)])
@pytest.mark.parametrize(("type", "then"), [("reset_peer", Then.RESET), ("timeout", Then.TRUNCATE)])
def test_after_events_lets_exactly_so_many_through(events: int, acts: bool, type: str, then: Then) -> None:
    out = through(type, stream(3), timeout=500, after_events=events)
    assert sent(out).count(b"data:") == min(events, 3)
    assert out[-1].then is (then if acts else Then.CLOSE)
    if events == 3:
        assert out[-1].at == 2.5  # half a second after the third


def test_after_events_is_exact_within_one_write() -> None:
    burst = [Piece(0.0, HEAD + chunk(b"data: 1\n\ndata: 2\n\ndata: 3\n\n")), Piece(0.0, b"", Then.CLOSE)]
    assert sent(through("reset_peer", burst, after_events=2)).endswith(b"data: 2\n\n")


def test_latency_begins_after_so_many_events_and_keeps_the_distances() -> None:
    out = through("latency", stream(3), latency=400, after_events=1)
    assert [piece.at for piece in out if b"data:" in piece.data] == [0.0, 1.4, 2.4]
    assert out[-1] == Piece(3.4, b"0\r\n\r\n", Then.CLOSE)


def test_limit_data_counts_from_after_the_events() -> None:
    out = through("limit_data", stream(3), after_events=1, limit=5)
    assert sent(out) == sent(stream(3))[: len(HEAD + chunk(b"data: 0\n\n")) - 2 + 5]


def test_jitter_stays_within_its_bounds_and_varies() -> None:
    pieces = [Piece(float(n), b"x") for n in range(50)] + [Piece(50.0, b"", Then.CLOSE)]
    late = [
        after.at - before.at
        for before, after in zip(pieces, through("latency", pieces, latency=300, jitter=200), strict=True)
    ]
    assert 0.1 <= min(late[:-1]) < 0.2
    assert 0.4 < max(late[:-1]) <= 0.5
    assert late[-1] == 0


def test_bandwidth_holds_its_rate_over_bursts_and_silence() -> None:
    pieces = [Piece(0.0, b"x" * 30_000), Piece(1.0, b"y" * 10_000), Piece(9.0, b"z" * 5_000, Then.CLOSE)]
    out = through("bandwidth", pieces, rate=10)
    assert out[-1].at == pytest.approx(9.5)
    assert max(piece.at for piece in out if piece.data[:1] == b"y") == pytest.approx(4.0)
    assert max(len(piece.data) for piece in out) == 100


def test_slices_are_of_about_their_size_and_a_delay_apart() -> None:
    pieces = [Piece(0.0, b"x" * 1000), Piece(0.0, b"", Then.CLOSE)]
    out = through("slicer", pieces, average_size=100, size_variation=20, delay=2000)
    sizes = [len(piece.data) for piece in out if piece.data][:-1]
    assert 80 <= min(sizes) < max(sizes) <= 120
    assert [round(after.at - before.at, 6) for before, after in pairwise(out)] == [0.002] * (len(out) - 1)


def test_slow_close_holds_the_last_chunk_back() -> None:
    out = through("slow_close", stream(1), delay=250)
    assert out[-1] == Piece(1.25, b"0\r\n\r\n", Then.CLOSE)
    assert out[:-1] == stream(1)[:-1]


def test_a_timeout_of_0_hangs() -> None:
    assert through("timeout", stream(1)) == [Piece(0.0, b"", Then.HANG)]


def test_an_end_that_the_answer_makes_itself_is_left_alone() -> None:
    pieces = [Piece(0.0, b"x"), Piece(1.0, b"", Then.RESET)]
    assert through("latency", pieces, latency=100)[-1].then is Then.RESET
    assert through("limit_data", pieces, limit=1)[-1].then is Then.RESET
