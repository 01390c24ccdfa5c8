"""A member that occurs twice is found wherever it is, in time that grows with the document."""

import json
from contextlib import suppress
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.duplicate_members import check_members
from oagw.model.invalid import Invalid

pytestmark = pytest.mark.timed

MIB = 1 << 20


def located(document: str | bytes) -> Invalid:
    with pytest.raises(Invalid) as told:
        check_members(document.encode() if isinstance(document, str) else document)
    return told.value


@pytest.mark.parametrize(
    ("document", "pointer", "member"),
    [
        ('{"a": 1, "a": 1}', "/a", "a"),
        ('{"a": 1, "b": 2, "b": 3, "a": 4}', "/b", "b"),
        (r'{"\u0061": 1, "a": 2}', "/a", "a"),
        (r'{"\ud83d\ude00": 1, "😀": 2}', "/😀", "😀"),
        (r'{"a\/b": 1, "a/b": 2}', "/a~1b", "a/b"),
        ('{"~": {"": {"": 1, "": 2}}}', "/~0//", ""),
        ('{"a": [0, {}, [[], [{"x": [{"b": 1, "b": 2}]}]]]}', "/a/2/1/0/x/0/b", "b"),
        ('[[], {"a": 1, "a": 2}]', "/1/a", "a"),
        ('{"a": {"b": {}}, "a": {"c": 1, "c": 2}}', "/a/c", "c"),
        ('{"a": {"b": {}}, "a": {"c": 1}}', "/a", "a"),
        ('{"n": [1, 1.5, -0, 1e999, %s], "a": null, "a": null}' % ("9" * 5000), "/a", "a"),
    ],
)
def test_a_member_that_occurs_twice_is_located(document: str, pointer: str, member: str) -> None:
    told = located(document)
    assert (told.pointer, told.detail) == (pointer, f'Object contains the member "{member}" twice')


def test_a_name_that_is_no_text_is_located_as_well() -> None:
    told = located(r'{"\ud800": 1, "\ud800": 2}')
    assert (told.pointer, told.detail) == ("/?", 'Object contains the member "?" twice')


@pytest.mark.parametrize(
    "document",
    [
        '{"a": {"a": 1}, "b": {"a": 2}}',
        '[{"a": 1}, {"a": 1}]',
        '{"a": 1, "A": 2}',
        '{"a": "{\\"b\\": 1, \\"b\\": 2}"}',  # a text
        "null",
        # What is not valid JSON is left to the decoder.
        "",
        '{"a": 1, "b": 2',
        '{"a": 1, "a": 2',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_other_documents_pass(document: str | bytes) -> None:
    check_members(document.encode() if isinstance(document, str) else document)


def test_what_is_nested_too_deeply_is_rejected_as_that() -> None:
    for deep in ("[" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000):
        told = located(deep)
        assert (told.pointer, told.detail) == ("", "Invalid JSON: nested too deeply")


def test_what_a_document_may_be_nested_passes() -> None:
    check_members(b'{"a":' * 900 + b"1" + b"}" * 900)
    deep = b'{"a":[' * 400 + b'{"b":1,"b":2}' + b"]}" * 400
    assert located(deep).pointer == "/a/0" * 400 + "/b"


def paths(value: Any) -> list[list[str | int]]:
    """The steps that lead to each member of ``value``."""
    found: list[list[str | int]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in items:
        found += [[step]] if isinstance(value, dict) else []
        found += [[step, *rest] for rest in paths(one)]
    return found


def with_twin(value: Any, path: list[str | int]) -> str:
    """``value`` as JSON, with the member at the end of ``path`` twice in its object."""
    step, *rest = path
    if isinstance(value, list):
        return "[" + ", ".join(
            with_twin(one, rest) if n == step else json.dumps(one) for n, one in enumerate(value)
        ) + "]"  # fmt: skip
    members = [
        f"{json.dumps(name)}: {with_twin(one, rest) if name == step and rest else json.dumps(one)}"
        for name, one in value.items()
    ]
    if not rest:
        members.append(f'"{"".join(f"{chr(92)}u{ord(c):04x}" for c in str(step))}": 0')
    return "{" + ", ".join(members) + "}"


_NAMES = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=3)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_member_of_any_document_is_located(data: st.DataObject) -> None:
    inner = st.recursive(
        st.none() | st.integers(),
        lambda one: st.lists(one, max_size=3) | st.dictionaries(_NAMES, one, max_size=3),
        max_leaves=20,
    )
    value = data.draw(inner)
    check_members(json.dumps(value).encode())
    if members := paths(value):
        path = data.draw(st.sampled_from(members))
        expected = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
        assert located(with_twin(value, path)).pointer == expected


DEEP = "[" * 100 + "]" * 100


@pytest.mark.parametrize(
    "unit", ["{}", "[]", '{"a":1,"b":2}', "1", "1.5e300", '"ab"', "[{}]", '{"a":[[]]}', DEEP]
)
@pytest.mark.parametrize("twin", ["{}", '{"a":1,"a":2}'])
def test_a_mebibyte_takes_less_than_a_tenth_of_a_second(unit: str, twin: str) -> None:
    units = ",".join([unit] * (MIB // (len(unit) + 1)))
    for document in (
        f'{{"x":[{twin},{units}]}}',
        f'{{"x":[{units},{twin}]}}',
        f'{{"x":[{units}],"y":{twin}}}',
    ):
        body = document.encode()
        # Processor time, and the best of some: other processes slow this one down all the same.
        assert any(seconds(body) < 0.1 for _ in range(10)), document[:30]


def seconds(body: bytes) -> float:
    before = thread_time()
    with suppress(Invalid):
        check_members(body)
    return thread_time() - before
