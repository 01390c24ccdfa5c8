"""Call: what a client sent, read. Whatever it sent, reading it never fails in another way than it says."""

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.call import Call, TooDeep, origin_form

quick = settings(deadline=None, max_examples=60)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)


def test_other_urls_have_one_spelling() -> None:
    assert Call("GET", "/health").urls == ("/health",)


def test_header_fields_keep_their_order_and_their_spelling() -> None:
    call = Call("GET", "/", b"B: 1\r\nA:2\r\nb: \t3 ")
    assert call.fields == [("B", "1"), ("A", "2"), ("b", "3")]
    assert call.headers == {"b": ["1", "3"], "a": ["2"]}


@pytest.mark.parametrize(
    ("host", "authority"),
    [
        ("api.example", ("api.example", 80)),
        ("api.example:8080", ("api.example", 8080)),
        ("[::1]", ("[::1]", 80)),
        ("[::1]:8080", ("[::1]", 8080)),
        ("", ("localhost", 8765)),
        ("a:b", ("a:b", 80)),
        (":80", (":80", 80)),
        (f"a:{'9' * 5000}", (f"a:{'9' * 5000}", 80)),
    ],
)
def test_the_authority_is_that_of_host_or_where_the_server_was_reached(
    host: str, authority: tuple[str, int]
) -> None:
    assert Call("GET", "/", f"Host: {host}".encode(), port=8765).authority == authority


def test_header_values_that_are_no_utf8_are_latin1() -> None:
    assert Call("GET", "/", b"A: caf\xe9").headers == {"a": ["café"]}
    assert Call("GET", "/", "A: café".encode()).headers == {"a": ["café"]}


def test_cookies_of_several_fields_are_together() -> None:
    call = Call("GET", "/", b'Cookie: a=1; b="2";nonsense\r\nCookie: a=3=4')
    assert call.cookies == {"a": ["1", "3=4"], "b": ["2"]}


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


def test_a_url_has_a_spelling_below_each_prefix_and_the_canonical_one_comes_first() -> None:
    long, short = "/api/oagw/v1/proxy/a/b?c=1", "/oagw/v1/proxy/a/b?c=1"
    assert Call("GET", long).urls == (long, short)
    assert Call("GET", short).urls == (long, short)
    assert Call("GET", short).paths == ("/api/oagw/v1/proxy/a/b", "/oagw/v1/proxy/a/b")


def test_the_alias_is_canonical_in_lower_case_and_the_rest_stays() -> None:
    sent = "/oagw/v1/proxy/OpenAI/V1/Chat"
    canonical = "/api/oagw/v1/proxy/openai/V1/Chat"
    assert Call("GET", sent).urls == (canonical, "/oagw/v1/proxy/openai/V1/Chat", sent)


def test_an_empty_query_is_none() -> None:
    assert Call("GET", "/x?").urls[0] == "/x"


def test_a_body_that_is_no_json_says_so_each_time() -> None:
    call = Call("GET", "/x", body=b"{")
    for _ in range(2):
        with pytest.raises(ValueError, match="Expecting"):
            _ = call.json


def test_json_that_is_nested_too_deep_is_told_apart() -> None:
    with pytest.raises(TooDeep):
        _ = Call("GET", "/x", body=b"[" * 100_000).json


def test_a_form_is_read_where_the_body_says_that_it_is_one() -> None:
    head = b"Content-Type: application/x-www-form-urlencoded;charset=utf-8"
    assert Call("POST", "/x", head, b"a=1&a=b+c&d").form == {"a": ["1", "b c"], "d": [""]}
    assert Call("POST", "/x", b"", b"a=1").form == {}
