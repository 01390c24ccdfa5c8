"""Call: what a client sent, read. Whatever it sent, reading it never fails in another way than it says."""

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.call import Call, origin_form

quick = settings(deadline=None, max_examples=60)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)


def test_the_short_prefix_is_the_long_one() -> None:
    call = Call("GET", "/oagw/v1/proxy/weather/current?city=Oslo")
    assert call.urls == (
        "/api/oagw/v1/proxy/weather/current?city=Oslo",
        "/oagw/v1/proxy/weather/current?city=Oslo",
    )
    assert call.paths[0] == "/api/oagw/v1/proxy/weather/current"


def test_other_urls_have_one_spelling() -> None:
    assert Call("GET", "/health").urls == ("/health",)


def test_header_fields_keep_their_order_and_their_spelling() -> None:
    call = Call("GET", "/", b"B: 1\r\nA:2\r\nb: \t3 ")
    assert call.fields == [("B", "1"), ("A", "2"), ("b", "3")]
    assert call.headers == {"b": ["1", "3"], "a": ["2"]}


def test_header_values_that_are_no_utf8_are_latin1() -> None:
    assert Call("GET", "/", b"A: caf\xe9").headers == {"a": ["café"]}
    assert Call("GET", "/", "A: café".encode()).headers == {"a": ["café"]}


def test_cookies_of_several_fields_are_together() -> None:
    call = Call("GET", "/", b'Cookie: a=1; b="2";nonsense\r\nCookie: a=3=4')
    assert call.cookies == {"a": ["1", "3=4"], "b": ["2"]}


def test_a_body_that_is_nested_too_deeply_is_no_json() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        _ = Call("POST", "/", body=b"[" * 100_000).json


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b", b"/a?b"),
        (b"http://h/a?b", b"/a?b"),
        (b"HTTPS://h:1/a", b"/a"),
        (b"http://h", b"/"),
        (b"http://h?b", b"/?b"),
        (b"*", b"*"),
        (b"ftp://h/a", b"ftp://h/a"),
        (b"", b""),
    ],
)
def test_the_origin_form_is_path_and_query(target: bytes, expected: bytes) -> None:
    assert origin_form(target) == expected


@quick
@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_a_query_is_read_back_as_it_was_encoded(pairs: list[tuple[str, str]]) -> None:
    expected: dict[str, list[str]] = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)
    assert Call("GET", "/x?" + urlencode(pairs)).query == expected


@quick
@given(st.lists(st.tuples(NAMES, st.from_regex(r"[!-~]{1,12}", fullmatch=True))))
def test_header_fields_are_read_back_as_they_were_sent(pairs: list[tuple[str, str]]) -> None:
    head = "\r\n".join(f"{name}: {value}" for name, value in pairs).encode()
    assert Call("GET", "/", head).fields == pairs


@quick
@given(st.binary(), st.binary(), st.text())
def test_whatever_was_sent_can_be_read(head: bytes, body: bytes, url: str) -> None:
    call = Call("GET", url, head, body)
    assert all(isinstance(v, list) for v in (*call.headers.values(), *call.cookies.values()))
    assert isinstance(call.text, str)
    assert call.urls[0].startswith(call.paths[0])
    assert isinstance(call.query, dict)
    with suppress(ValueError):
        _ = call.json
