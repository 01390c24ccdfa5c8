"""Call: what a client sent, in the spellings that it can be asked for."""

import pytest

from oagw.model.call import Call, TooDeep


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
