"""What a JSONPath selects; the values are those of the Jayway that is in WireMock 3.13.2."""

import json
from contextlib import suppress
from time import thread_time
from typing import Any

import pytest

from oagw.matching.jsonpath import BadPath, read
from oagw.model.call import Call
from oagw.model.time_budget import BudgetExceeded

DOCUMENT = json.loads(
    '{"a": {"b": 1, "c": [1, 2, 3], "d": null, "e": "", "f": [], "g": {}}, "s": "abc", "n": 0, "one": [7],'
    ' "i": [{"n": "x", "p": 1, "t": ["r"]}, {"n": "Yz", "p": 2.5, "t": ["r", "s"]}, {"n": "it\'s", "p": 10}],'
    ' "o": [{"k": {"v": 1}}, {"k": null}, {}]}'
)


def select(expression: str, document: Any = DOCUMENT) -> Any:
    return read(expression, "").select(document, Call("GET", "/"))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$.['a'].['b']", 1),
        ("$['a'].b", 1),
        ("a.b", 1),
        ("@.a.b", 1),
        ("$.i.[0].n", "x"),
        ("$.i[-1].n", "it's"),
        ("$.i[9]", None),
        ("$.i[(@.length-1)].n", "it's"),
        ("$.i.[*].n", ["x", "Yz", "it's"]),
        ("$.i[0,2].n", ["x", "it's"]),
        ("$.i[-2:].n", ["Yz", "it's"]),
        ("$.i[0:-1].n", []),
        ("$.i[-3:-1].n", ["x", "Yz"]),
        ("$..n", [0, "x", "Yz", "it's"]),
        ("$['a']['b','c']", {"b": 1, "c": [1, 2, 3]}),
        ("$['x','y']", {}),
        ("$['a','s'].c", [[1, 2, 3]]),
        ("$..['n','p']", [{"n": "x", "p": 1}, {"n": "Yz", "p": 2.5}, {"n": "it's", "p": 10}]),
        ("$.a.c.first()", 1),
        ("$.a.c.last()", 3),
        ("$.one.last()", None),
        ("$.a.f.first()", None),
        ("$.a.c.index(1)", 2),
        ("$.a.c.index(-1)", 3),
        ("$.i.index(1).n", "Yz"),
        ("$.a.c.sum()", 6.0),
        ("$.a.c.sum(10)", 16.0),
        ("$.sum($.a.c, 4)", 10.0),
        ("$.avg(1.5, 2)", 1.75),
        ("$.a.c.stddev()", 0.8164965809277263),
        ("$.a.f.sum()", None),
        ("$..p.sum()", 13.5),
        ("$..c.length()", 3),
        ("$.i[*].length()", [3, 3, 2]),
        ("$.s.length()", None),
        ("$.a.keys()", ["b", "c", "d", "e", "f", "g"]),
        ('$.concat($.s, "b", $.n, 5)', "abcb05"),
        ("$.concat($.i[*].n)", "xYzit's"),
        ('$.a.c.append("z", 5)', [1, 2, 3, "z", 5]),
        ("$.o[?(@.k.v)].k.v", [1]),
        ("$.o[?(@.k)].k", [{"v": 1}, None]),
        ("$.o[?(!@.k)]", [{}]),
        ("$.o[?(@.k == null)]", [{"k": None}]),
        ("$.i[?(@.n == 'x' || @.p == 10 && @.t)].n", ["x"]),
        ("$.i[?(@.n nin ['x'])].n", ["Yz", "it's"]),
        ("$.i[?(@.t size 1)].n", ["x"]),
        ("$.i[?(@.t empty false)].n", ["x", "Yz"]),
        ("$.i[?(@.t anyof ['s','q'])].n", ["Yz"]),
        ("$.i[?(@.t noneof ['s'])].n", ["x"]),
        ("$.i[?(@.t subsetof ['r'])].n", ["x"]),
        ("$.i[?(@.t == ['r'])].n", ["x"]),
        ("$.i[?(@.t.length() == 2)].n", ["Yz"]),
        ("$.i[?(@.t.first() == 'r')].n", ["x", "Yz"]),
        ("$.i[?(@.['n'] =~ /y.*/i)].n", ["Yz"]),
        ("$.i[?(@.t =~ /s/)].n", ["Yz"]),
        ("$.i[?('10.0' == @.p)].n", []),
        ("$.i[?(@.p == '10.0')].n", ["it's"]),
        ("$.i[?(@.p === '10')].n", []),
        ("$.i[?(@.n && @.p > $.a.b)].n", ["Yz", "it's"]),
        ("$..[?(@.p>1)].n", ["Yz", "it's"]),
        ("$.i[?(@ contains 'x')]", []),
        ("$.i[?(@.n == ')')].n", []),
    ],
)
def test_a_path_selects_what_jayway_does(expression: str, value: Any) -> None:
    assert select(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$.i[?@.n == 'x'].n", ["x"]),
        ("$.i[?(@.n == 'x' and not @.z)].n", ["x"]),
        ("$.i[?(length(@.t) == 2)].n", ["Yz"]),
        ("$.i[?(@.n&&@.t)].n", ["x", "Yz"]),
        ("$.i[::2].n", ["x", "it's"]),
    ],
)
def test_what_rfc_9535_has_is_accepted_as_well(expression: str, value: Any) -> None:
    assert select(expression) == value


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("$.i.first().n", "ignores steps after"),
        ("$.i[0]n", "expected [ or ."),
        ("$.a.foo()", "unknown function foo()"),
        ("$.i[?(@.t all ['r'])]", "unknown operator all"),
        ("$.i[?(@.n == x)]", "strings must be quoted"),
        ("$.i[?('a')]", "expected an operator"),
        ("$.a.c.append('z')", "strings must be quoted"),
        ("$.i[?(!@.n == 'x')]", "must be in parentheses"),
        ("$.i[?(@.n =~ /x/x)]", "flag x"),
        ("$.a b", "must be in brackets"),
        ("$.i[?(@.n == 'x]", "unterminated string"),
        ("$..length()", "a function needs a path"),
        ("$.i[?(@.keys() == 1)]", "cannot be compared"),
        ("$.a..", "expected a name"),
    ],
)
def test_what_would_be_ignored_or_fail_is_refused(expression: str, why: str) -> None:
    with pytest.raises(BadPath, match=why.replace("(", r"\(").replace(")", r"\)").replace("[", r"\[")):
        read(expression, "")


def test_numbers_of_any_size_are_compared() -> None:
    document = {"a": [10**400, -(10**400), float("inf"), float("nan"), 1e308, "1e999", "9" * 5000]}
    for filter in ("@ > 1e400", "@ == '1e999'", "@ in [1e400, 1]", "@ =~ /1.*/", "@ == 1" + "0" * 400):
        select(f"$.a[?({filter})]", document)
    assert select("$.a.max()", document) == float("inf")
    for function in ("min", "sum", "avg", "stddev", "concat"):
        select(f"$.a.{function}()", document)
    assert select("$.a[?(@ == '9')]", document) == []


def test_a_condition_does_not_hold_where_it_cannot_be_applied() -> None:
    assert select("$[?(@.a[?(@.b == 1)])]", {"a": 1}) == []
    assert select("$.i[?(@.p anyof [1])]") == []


@pytest.mark.timed
def test_work_is_bounded() -> None:
    nested: Any = []
    for _ in range(900):
        nested = [nested, 1]
    wide = {"a": [[n] for n in range(2_000)]}
    for expression, document in (
        ("$..*..*..*..*", nested),
        ("$..[?(@..*..*)]", nested),
        ("$.a[?(@ subsetof $.a[*][0])]", wide),
        ("$.a[?($..* anyof $..*)]", wide),
        ("$.concat(" + ", ".join(["$..*"] * 20) + ")", {"a": ["x" * 1_000_000]}),
    ):
        started = thread_time()
        with suppress(BudgetExceeded):
            select(expression, document)
        assert thread_time() - started < 1, expression
