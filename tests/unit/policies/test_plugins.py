"""Guards, transforms, and the endpoint that a caller chooses."""

from random import Random
from uuid import UUID

import pytest

from oagw.model.problem import Problem
from oagw.model.upstream import Endpoint, Plugin
from oagw.policies.plugins import (
    GUARD,
    REQUEST_ID,
    REQUIRED_HEADERS,
    TRANSFORM,
    guarded_request,
    guarded_response,
    transformed_request,
)
from oagw.policies.target_host import chosen


def requiring(**config: str) -> list[Plugin]:
    return [Plugin(REQUIRED_HEADERS, config)]


def test_a_missing_request_header_is_named() -> None:
    plugins = requiring(required_request_headers=" X-Foo , x-bar")
    problem = guarded_request(plugins, [(b"x-foo", b"")])
    assert problem is not None
    assert (problem.status, problem.context["field_violations"]) == (
        400,
        [
            {
                "field": "guard",
                "reason": "REQUIRED_HEADER_MISSING",
                "description": "Missing required header: x-bar",
            }
        ],
    )
    assert guarded_request(plugins, [(b"x-foo", b""), (b"x-bar", b"")]) is None


def test_a_missing_response_header_is_a_503() -> None:
    plugins = requiring(required_response_headers="x-foo")
    problem = guarded_response(plugins, [])
    assert problem is not None
    assert (problem.status, problem.headers[b"Retry-After"]) == (503, (b"10",))
    assert problem.context["retry_after_seconds"] == 10
    assert guarded_response(plugins, [(b"x-foo", b"1")]) is None
    assert guarded_response([Plugin(f"{GUARD}cf.core.oagw.timeout.v1")], []) is None


@pytest.mark.parametrize("plugin", [Plugin(REQUIRED_HEADERS), Plugin(REQUIRED_HEADERS, {}), Plugin("x~y")])
def test_without_settings_nothing_is_required(plugin: Plugin) -> None:
    assert guarded_request([plugin], []) is guarded_response([plugin], []) is None


@pytest.mark.parametrize("name", ["timeout", "cors", "unknown"])
def test_a_guard_of_the_catalogue_is_an_internal_error(name: str) -> None:
    problem = guarded_request([Plugin(f"{GUARD}cf.core.oagw.{name}.v1")], [])
    assert problem is not None
    assert (problem.status, problem.detail) == (500, "An internal error occurred. Please retry later.")


def test_an_id_is_added_where_there_is_none() -> None:
    plugins = [Plugin(f"{TRANSFORM}cf.core.oagw.logging.v1"), Plugin(REQUEST_ID)]
    ((name, value),) = transformed_request(plugins, [], Random(1))
    assert (name, UUID(value.decode()).version) == (b"x-request-id", 4)
    sent = [(b"x-request-id", b"mine")]
    assert transformed_request(plugins, sent, Random(1)) == sent
    assert transformed_request(plugins[:1], [], Random(1)) == []


ENDPOINTS = [Endpoint("a.example"), Endpoint("B.example")]


@pytest.mark.parametrize("value", [b"b.EXAMPLE", b"B.example"])
def test_an_endpoint_is_chosen_by_its_host_in_any_case(value: bytes) -> None:
    assert chosen(ENDPOINTS, value) is ENDPOINTS[1]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "INVALID_TARGET_HOST"),
        (b"a.example:443", "INVALID_TARGET_HOST"),
        (b"https://a.example", "INVALID_TARGET_HOST"),
        (b"a.example\n", "INVALID_TARGET_HOST"),
        (b"c.example", "UNKNOWN_TARGET_HOST"),
    ],
)
def test_no_endpoint_is_a_400(value: bytes, reason: str) -> None:
    problem = chosen(ENDPOINTS, value)
    assert isinstance(problem, Problem)
    assert problem.context["field_violations"][0]["field"] == "x-target-host"
    assert problem.context["field_violations"][0]["reason"] == reason
