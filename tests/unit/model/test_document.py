"""What is said of documents that do not fit: where, and what would."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import fields

from oagw.model.document import converted, decoded
from oagw.model.invalid import Invalid
from oagw.stubs.mapping import Mappings, StubMapping
from oagw.toxics.types import TYPES
from oagw.verify.verification import Verification


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        (
            {"response": {"fault": "NONE_SUCH"}},
            "/response/fault",
            "Invalid enum value 'NONE_SUCH', expected one of \"",
        ),
        (
            {"response": {"delayDistribution": {"type": "gauss"}}},
            "/response/delayDistribution/type",
            "Invalid value 'gauss', expected one of \"",
        ),
        (
            {"response": {"statuss": 200}},
            "/response/statuss",
            'Object contains unknown field "statuss", did you mean "status"? There are status, ',
        ),
        ({"xyzzy": 1}, "/xyzzy", 'Object contains unknown field "xyzzy"'),
        ({"priority": "1"}, "/priority", "Expected an integer, got a string"),
        ({"priority": 0}, "/priority", "Expected an integer >= 1"),
        ({"name": None}, "/name", "Expected a string, got null"),
        ({"request": []}, "/request", "Expected an object, got an array"),
        ({"id": "me"}, "/id", "Expected a UUID"),
        (
            {"request": {"headers": {"Accept": {"absent": True}, "X/Y": {"equalTo": 5}}}},
            "/request/headers/X~1Y/equalTo",
            "Expected a string, got an integer",
        ),
        (
            {"request": {"headers": {"Accept": {"equalsTo": "x"}}}},
            "/request/headers/Accept/equalsTo",
            'Object contains unknown field "equalsTo", did you mean "equalTo"? There are equalTo, ',
        ),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(
    document: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Invalid) as by_bytes:
        decoded(msgspec.json.Decoder(StubMapping), msgspec.json.encode(document))
    with pytest.raises(Invalid) as by_value:
        converted(document, StubMapping)
    with pytest.raises(Invalid) as inside:
        converted({"mappings": [{}, document]}, Mappings, "/x")
    for told in (by_bytes.value, by_value.value):
        assert told.pointer == pointer
        begins = detail.endswith(('"', ", "))
        assert told.detail.startswith(detail) if begins else told.detail == detail
    assert inside.value.pointer == "/x/mappings/1" + pointer


@pytest.mark.parametrize(
    ("document", "pointer", "detail"),
    [
        (
            {"response": {"fixedDelayMilliseconds": -1}},
            "/response/fixedDelayMilliseconds",
            "Expected a number >= 0.0 (fixedDelayMilliseconds is in milliseconds)",
        ),
        (
            {"response": {"delayDistribution": {"type": "uniform", "lower": "1 s", "upper": 2}}},
            "/response/delayDistribution/lower",
            "Expected a number, got a string (lower is in milliseconds)",
        ),
        (
            {"response": {"problem": {"category": "not_found", "retryAfter": 1.5}}},
            "/response/problem/retryAfter",
            "Expected an integer, got a number (retryAfter is in seconds)",
        ),
        (
            {"response": {"sse": [{"retry": -1}]}},
            "/response/sse/0/retry",
            "Expected an integer >= 0 (retry is in milliseconds)",
        ),
        ({"times": 0}, "/times", "Expected an integer >= 1"),
    ],
)
def test_a_number_that_does_not_fit_is_told_with_its_unit(
    document: dict[str, Any], pointer: str, detail: str
) -> None:
    with pytest.raises(Invalid) as told:
        converted(document, StubMapping)
    assert (told.value.pointer, told.value.detail) == (pointer, detail)


@pytest.mark.parametrize("type", TYPES)
def test_every_duration_and_size_of_a_toxic_has_a_unit(type: str) -> None:
    units = {
        "latency",
        "jitter",
        "timeout",
        "rate",
        "average_size",
        "size_variation",
        "delay",
        "bytes",
        "after_bytes",
    }
    for field in fields(TYPES[type]):
        name = field.encode_name
        with pytest.raises(Invalid) as told:
            converted({name: -1}, TYPES[type], "/attributes")
        assert (f"({name} is in " in told.value.detail) == (name in units), told.value.detail


@pytest.mark.parametrize("name", ["notSoonerThan", "notLaterThan"])
def test_the_times_of_a_verification_have_a_unit(name: str) -> None:
    with pytest.raises(Invalid) as told:
        converted({"request": {}, name: "1"}, Verification)
    assert told.value.detail == f"Expected a number, got a string ({name} is in seconds)"


def test_a_document_that_is_no_json_further_on_is_told_what_is_wrong_first() -> None:
    with pytest.raises(Invalid) as told:
        decoded(msgspec.json.Decoder(StubMapping), b'{"request": {"headers": {"A": {"equalTo": 5}}, ')
    assert told.value.pointer == "/request/headers/.../equalTo"


def test_a_member_that_occurs_twice_is_rejected_before_what_does_not_fit() -> None:
    with pytest.raises(Invalid) as told:
        decoded(msgspec.json.Decoder(Mappings), b'{"mappings": [{}, {"response": {"x": 1}}], "mappings": []}')
    assert told.value.pointer == "/mappings"
    assert told.value.detail == 'Object contains the member "mappings" twice'


def test_a_value_that_looks_like_a_place_is_none() -> None:
    for place in ("$.x", "$[9]", f"$[{'9' * 5000}]"):
        with pytest.raises(Invalid) as told:
            converted({"response": {"fault": f"a` - at `{place}`"}}, StubMapping)
        assert told.value.pointer == "/response/fault"
