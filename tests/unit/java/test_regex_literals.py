"""oagw.java.regex: what can be told from an expression before it is tried."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.java.regex import Expression

# Pieces that Java and Python read in the same way.
_ATOMS = st.sampled_from(["ab", "c", "/", r"\.", "[0-9]", "[^/]", r"\d", ".", "(ab|c)", "(?:a)", "(?i:b)"])
_PIECES = st.tuples(_ATOMS, st.sampled_from(["", "", "", "?", "*", "+", "{0,2}", "{2}", "+?"])).map("".join)
_SOURCES = st.lists(_PIECES, max_size=6).map("".join)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_prefix_and_needle_are_in_whatever_matches(data: st.DataObject) -> None:
    source = data.draw(st.one_of(_SOURCES, st.tuples(_SOURCES, _SOURCES).map("|".join)))
    text = data.draw(st.from_regex(source, fullmatch=True))
    expression = Expression(source)
    assert text.startswith(expression.prefix)
    assert expression.needle in text


@pytest.mark.parametrize(
    ("source", "prefix", "needle"),
    [
        ("/a/[0-9]+/orders", "/a/", "/orders"),
        ("/a/.*/b/.*/longer/.*", "/a/", "/longer/"),
        ("/a/b", "/a/b", ""),
        ("/ab?c", "/a", "c"),
        ("/a(/b)?/c", "/a", "/c"),
        ("/a[0-9]/b|/c[0-9]/d", "", ""),
        ("/a(?i)[0-9]/b", "/a", ""),
        (r"^/a\.b\d", "/a.b", ""),
        (r"/a/\Q.+\E/b", "/a/", "/b"),
    ],
)
def test_an_expression_tells_what_is_literal_in_it(source: str, prefix: str, needle: str) -> None:
    expression = Expression(source)
    assert (expression.prefix, expression.needle) == (prefix, needle)


def test_without_regard_to_case_nothing_is_literal() -> None:
    expression = Expression("/a/[0-9]/b", flags="is")
    assert (expression.prefix, expression.needle) == ("", "")
