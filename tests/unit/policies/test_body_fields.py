"""Header fields of a request that describe its body."""

import pytest

from oagw.policies.body_fields import misframed


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Content-Type": ["a/b", "a/b"]}, "DUPLICATE_HEADER"),
        ({"Content-Type": ["nonsense"]}, "INVALID_MIME_TYPE"),
        ({"Content-Type": [""]}, "INVALID_MIME_TYPE"),
        ({"Content-Type": ["a/"]}, "INVALID_MIME_TYPE"),
        ({"Content-Type": ["a/b; boundary=x y"]}, None),
        ({"Transfer-Encoding": ["gzip, chunked"]}, "UNSUPPORTED_VALUE"),
        ({"Transfer-Encoding": ["chunked", "chunked"]}, "DUPLICATE_HEADER"),
        ({"Content-Length": ["1"], "Transfer-Encoding": ["chunked"]}, "CL_TE_COEXISTENCE"),
        ({"TE": ["trailers"], "Transfer-Encoding": ["Chunked"]}, None),
        ({"Content-Length": ["1"]}, None),
    ],
)
def test_fields_that_contradict_each_other(fields: dict[str, list[str]], reason: str | None) -> None:
    given = {name.encode(): [value.encode() for value in values] for name, values in fields.items()}
    problem = misframed(given)
    assert (None if problem is None else problem.context["field_violations"][0]["reason"]) == reason
