"""Where the body is in the bytes of a response, however they are cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.layout import Layout

Spans = list[tuple[bool, bytes]]


@given(
    st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=30)), max_size=12),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
)
@settings(max_examples=300, deadline=None)
def test_the_body_is_found_however_the_bytes_are_cut(spans: Spans, sizes: list[int]) -> None:
    layout = Layout()
    finders = [layout.finder(), layout.finder()]
    wire = b"".join(data for _, data in spans)
    position = 0
    for is_body, data in spans:
        if is_body:
            layout.add_body(position, len(data))
        position += len(data)
    for finder in finders:
        found, start, number = b"", 0, 0
        while start < len(wire):
            piece = wire[start : start + sizes[number % len(sizes)]]
            found += b"".join(piece[first:last] for first, last in finder.parts(piece))
            start, number = start + len(piece), number + 1
        assert found == b"".join(data for is_body, data in spans if is_body)


def test_what_is_added_later_is_found_where_it_comes() -> None:
    layout = Layout()
    finder = layout.finder()
    layout.add_body(2, 3)
    assert list(finder.parts(b"..abc.")) == [(2, 5)]
    layout.add_body(7, 2)
    assert list(finder.parts(b".de")) == [(1, 3)]
    layout.drop(finder)
    layout.add_body(9, 1)
    assert list(finder.parts(b"x")) == []
