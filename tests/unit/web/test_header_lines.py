"""Header fields that are prepared as lines."""

import pytest

from oagw.web.header_lines import HeaderLines, lines_of, prepared

FIELDS = {b"Content-Type": (b"text/plain",), b"Vary": (b"Accept", b"Origin")}


def test_prepared_fields_are_the_lines_that_are_sent() -> None:
    lines = prepared({b"content-type": (b"text/plain",), b"VARY": (b"Accept", b"Origin")})
    assert lines.lines == b"\r\nContent-Type: text/plain\r\nVary: Accept\r\nVary: Origin"


def test_they_can_be_read_like_any_other_fields() -> None:
    lines = prepared(FIELDS)
    assert dict(lines) == FIELDS
    assert (len(lines), lines[b"Vary"], lines.get(b"Date")) == (2, (b"Accept", b"Origin"), None)
    assert not HeaderLines(b"")


def test_placeholders_are_filled_in_and_the_template_stays() -> None:
    template = prepared({b"A": (b"%d",), b"B": (b"%b",)})
    assert dict(template % (1, b"x")) == {b"A": (b"1",), b"B": (b"x",)}
    assert dict(template % (2, b"y")) == {b"A": (b"2",), b"B": (b"y",)}


def test_more_fields_come_last() -> None:
    both = prepared({b"A": (b"1",)}) + prepared({b"B": (b"2: 3",)})
    assert list(both.items()) == [(b"A", (b"1",)), (b"B", (b"2: 3",))]


@pytest.mark.parametrize(
    "fields",
    [
        {b"date": (b"x",)},
        {b"x-request-id": (b"x",)},
        {b"Connection": (b"close",)},
        {b"A": (b"1\r\nB: 2",)},
        {b"A": (b"1\n2", b"\r")},
    ],
)
def test_some_fields_cannot_be_prepared(fields: dict[bytes, tuple[bytes, ...]]) -> None:
    assert lines_of(fields) is None
