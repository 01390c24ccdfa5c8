"""Mismatch: the texts of this version of msgspec are read as they are meant."""

from typing import Any, Literal

import msgspec
import pytest

from oagw.model.mismatch import mismatch


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    b: int
    c: Literal["x", "y"] = "x"


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    a: list[Inner] = []
    d: dict[str, int] = {}


TYPE, UNKNOWN = "Expected `int`, got `str`", "Object contains unknown field `e`"


@pytest.mark.parametrize(
    ("document", "expected", "steps"),
    [
        ({"a": [{"b": "1"}]}, (TYPE, "a[0].b", None, None, None), ["a", "0", "b"]),
        ({"a": [{}]}, ("Object missing required field `b`", "a[0]", None, "b", None), ["a", "0"]),
        ({"e": 1}, (UNKNOWN, "", "e", None, None), []),
        ({"a": [{"b": 1, "e": 1}]}, (UNKNOWN, "a[0]", "e", None, None), ["a", "0"]),
        ({"a": [{"b": 1, "c": "z"}]}, ("Invalid enum value 'z'", "a[0].c", None, None, "z"), ["a", "0", "c"]),
        ({"d": {"k": "v"}}, (TYPE, "d[...]", None, None, None), ["d", "..."]),
        ([], ("Expected `object`, got `array`", "", None, None, None), []),
    ],
)
def test_what_is_wrong_is_read_with_where(document: Any, expected: Any, steps: list[str]) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(document, Outer)
    said = mismatch(refused.value)
    assert said == expected
    assert said.steps == steps
