"""Header fields on their way to an upstream and back."""

from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.gateway.outgoing import grouped
from oagw.model.upstream import HeaderRules, RequestHeaderRules
from oagw.policies.fields import HOP_BY_HOP, OWN, changed, collapsed, passed, stripped

SENT = [
    (b"content-type", b"text/plain"),
    (b"accept", b"a/b"),
    (b"x-trace", b"1"),
    (b"x-trace", b"2"),
    (b"authorization", b"Bearer x"),
    (b"cookie", b"a=b"),
]


def rules(**members: Any) -> RequestHeaderRules:
    return msgspec.convert(members, RequestHeaderRules)


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({}, ["content-type"]),
        ({"passthrough": "allowlist"}, ["content-type"]),
        (
            {"passthrough": "allowlist", "passthrough_allowlist": ["X-Trace", "Cookie"]},
            ["content-type", "x-trace"],
        ),
        ({"passthrough_allowlist": ["x-trace"]}, ["content-type"]),
        ({"passthrough": "all"}, ["content-type", "accept", "x-trace", "x-trace"]),
    ],
)
def test_what_passes(members: dict[str, Any], names: list[str]) -> None:
    assert [name.decode() for name, _ in passed(SENT, rules(**members))] == names


def test_of_a_listed_field_the_first_value_passes() -> None:
    allowed = rules(passthrough="allowlist", passthrough_allowlist=["x-trace"])
    assert passed(SENT, allowed)[1] == (b"x-trace", b"1")
    assert passed(SENT, None) == SENT[:1]


def test_hop_by_hop_fields_and_those_that_connection_names_are_stripped() -> None:
    fields = [(name, b"x") for name in sorted(HOP_BY_HOP - {b"connection"})]
    fields += [
        (b"x-oagw-anything", b"1"),
        (b"connection", b"close, X-Mine"),
        (b"x-mine", b"1"),
        (b"x-other", b"1"),
    ]
    assert stripped([*fields, (b"connection", b"x-other"), (b"proxy-connection", b"y")]) == [
        (b"x-other", b"1"),
        (b"proxy-connection", b"y"),
    ]


def test_with_auth_the_last_of_each_field_is_left() -> None:
    fields = [(b"a", b"1"), (b"b", b"\xff"), (b"a", b"2"), (b"c", b"tab\there")]
    assert collapsed(fields) == [(b"a", b"2"), (b"c", b"tab\there")]


def test_rules_remove_then_set_then_add() -> None:
    rule = msgspec.convert(
        {"remove": ["A", "b"], "set": {"B": "set", "c": "set"}, "add": {"c": "added", "A": "added"}},
        HeaderRules,
    )
    fields = [(b"a", b"1"), (b"b", b"1"), (b"c", b"1"), (b"c", b"2"), (b"d", b"1")]
    assert changed(fields, rule) == [
        (b"c", b"set"),
        (b"d", b"1"),
        (b"b", b"set"),
        (b"c", b"added"),
        (b"a", b"added"),
    ]


def test_rules_write_what_callers_may_not_but_not_what_the_gateway_writes() -> None:
    rule = msgspec.convert(
        {
            "set": {"authorization": "x", "x-oagw-y": "z", "host": "evil", "content-length": "7"},
            "add": {"connection": "keep-alive", "transfer-encoding": "chunked"},
            "remove": ["host"],
        },
        HeaderRules,
    )
    assert changed([(b"host", b"here")], rule, OWN) == [
        (b"host", b"here"),
        (b"authorization", b"x"),
        (b"x-oagw-y", b"z"),
    ]


def test_a_value_that_cannot_be_sent_is_skipped() -> None:
    rule = msgspec.convert({"set": {"a": "b\r\nc: d", "": "x", "e f": "x", "g": "ü", "h": "ok"}}, HeaderRules)
    assert changed([], rule) == [(b"h", b"ok")]


_NAMES = st.sampled_from([b"a", b"b", b"te", b"connection", b"x-oagw-c", b"upgrade", b"cookie", b"host"])
_FIELDS = st.lists(st.tuples(_NAMES, st.sampled_from([b"a", b"b, upgrade", b"close", b""])), max_size=12)


@given(_FIELDS)
def test_stripping_twice_is_stripping_once_and_keeps_the_order(fields: list[tuple[bytes, bytes]]) -> None:
    once = stripped(fields)
    assert stripped(once) == once
    left = iter(fields)
    assert all(any(field == one for one in left) for field in once)
    assert not {name for name, _ in once} & (HOP_BY_HOP | {b"x-oagw-c"})


def test_set_replaces_each_field_in_its_place_whatever_the_case() -> None:
    fields = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4")]
    found = changed(fields, rules(set={"X": "7", "A": "5", "b": "6", "a": "8", "y": "9"}))
    assert found == [(b"a", b"8"), (b"b", b"6"), (b"c", b"4"), (b"x", b"7"), (b"y", b"9")]


def test_many_header_rules_take_little_time() -> None:
    """As many as a document of 1 MiB has."""
    many = {f"x{number}": "" for number in range(80_000)}
    begin = process_time()
    assert len(changed(SENT, rules(set=many, add=many, remove=list(many)))) == len(SENT) + 160_000
    assert process_time() - begin < 3


def test_repeated_fields_take_little_time() -> None:
    fields = [(b"a", b"%d" % number) for number in range(60_000)]
    begin = process_time()
    assert grouped([(b"b", b""), *fields]) == {b"b": (b"",), b"a": tuple(value for _, value in fields)}
    assert process_time() - begin < 1
