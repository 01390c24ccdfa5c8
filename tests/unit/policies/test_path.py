"""Paths and queries of calls to upstreams."""

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.model.route import HttpMatch
from oagw.policies.path import beyond, normalised, target, unlisted


def match(path: str, *allowed: str, mode: Any = "append") -> HttpMatch:
    return HttpMatch(("GET",), path, allowed, mode)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("", ""),
        ("/", "/"),
        ("//", "/"),
        ("/a/", "/a"),
        ("/a//b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/%2e%2e/a%2Fb", "/%2e%2e/a%2Fb"),
        ("/...", "/..."),
    ],
)
def test_a_path_is_normalised(raw: str, path: str) -> None:
    assert normalised(raw) == path


@given(st.text("/.a%", max_size=30))
def test_a_normalised_path_stays_as_it_is(raw: str) -> None:
    path = normalised(f"/{raw}")
    assert normalised(path) == path
    assert path.startswith("/")
    assert not {"", ".", ".."} & set(path[1:].split("/")) or path == "/"


@pytest.mark.parametrize(
    ("route", "path", "result"),
    [
        ("/v1", "/v1", "/v1"),
        ("/v1", "/v1/models/x", "/v1/models/x"),
        ("/v1/model", "/v1/models", "/v1/model/s"),
        ("/v1/", "/v1/models", "/v1/models"),
        ("/", "/a", "/a"),
        ("/", "/", "/"),
        ("", "", "/"),
        ("", "/a", "/a"),
        ("v1", "v1", "/v1"),
    ],
)
def test_the_route_and_the_rest_are_joined_with_one_slash(route: str, path: str, result: str) -> None:
    assert target(match(route), path, "") == result


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("", "/a"),
        ("&&", "/a"),
        ("flag", "/a?flag="),
        ("q=a%20b+c", "/a?q=a+b+c"),
        ("b=2&a=1&b=1", "/a?b=2&a=1&b=1"),
        ("x=~*-._%2F/", "/a?x=%7E*-._%2F%2F"),
        ("%C3%BC=%FF", "/a?%C3%BC=%EF%BF%BD"),
    ],
)
def test_the_query_is_encoded_anew(query: str, result: str) -> None:
    assert target(match("/a"), "/a", query) == result


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("", None),
        ("a=1&a=2", None),
        ("a=1&c", "c"),
        ("%61=1", None),
        ("A=1", "A"),
        ("=x", ""),
        ("a%20b", "a b"),
    ],
)
def test_parameters_have_to_be_listed(query: str, refused: str | None) -> None:
    problem = unlisted(match("/", "a"), query)
    if refused is None:
        assert problem is None
    else:
        assert problem is not None
        violation = problem.context["field_violations"][0]
        assert (violation["field"], violation["reason"]) == ("query", "QUERY_NOT_ALLOWED")
        assert (
            violation["description"] == f"query parameter '{refused}' is not in the route's query_allowlist"
        )


def test_an_empty_list_refuses_every_parameter() -> None:
    assert unlisted(match("/"), "a=1") is not None
    assert unlisted(match("/"), "") is None


def test_a_suffix_may_be_refused() -> None:
    exact = match("/v1", mode="disabled")
    assert beyond(exact, "/v1") is None
    problem = beyond(exact, "/v1/x")
    assert problem is not None
    assert problem.context["field_violations"][0] == {
        "field": "path",
        "reason": "PATH_SUFFIX_NOT_ALLOWED",
        "description": "path suffix not allowed: /x",
    }
    assert beyond(match("/v1"), "/v1/x") is None


def test_many_parameters_are_looked_up_in_a_long_allowlist_in_little_time() -> None:
    allowed = match("/", *(f"x{number}" for number in range(100_000)))
    begin = process_time()
    assert unlisted(allowed, "&".join(["x99999=1"] * 3_000)) is None
    assert unlisted(allowed, "&".join([*["x99999=1"] * 3_000, "y"])) is not None
    assert process_time() - begin < 2
