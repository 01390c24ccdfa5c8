"""Whatever a template and a request contain: a text, an Invalid or a RenderError, and nothing else."""

from contextlib import suppress
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.catalogue import HELPERS
from oagw.templates.compiled import compile
from oagw.templates.render_context import Context, RenderError

few = settings(deadline=None, max_examples=150)

PATHS = st.sampled_from(
    [
        *("this", ".", "..", "../this", "@index", "@key", "@root", "request", "request.url", "request.path"),
        *("request.path.[0]", "request.query.a", "request.headers", "request.body", "parameters", "v", "a"),
        *("parameters.l", "parameters.m", "parameters.m.k", "parameters.n"),
    ]
)
ATOMS = st.one_of(
    PATHS,
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(
        ["'$.a'", "'$..*'", "','", "''", "'yyyy-MM-dd'", "'+'", "'/'", "'3 days'", "true", "null"]
    ),
    st.text("ab$.[]()*+?\\ é", max_size=6).map(lambda text: f"'{text}'"),
)


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Helpers with arguments and options, some of them right."""

    @st.composite
    def build(draw: st.DrawFn) -> str:
        name = draw(st.sampled_from(sorted(HELPERS.keys() - {"assign"})))
        arguments = draw(st.lists(inner, min_size=HELPERS[name].least, max_size=3))
        options = [
            f"{option}={draw(inner)}"
            for option in draw(st.lists(st.sampled_from(sorted(HELPERS[name].options) or ["x"]), max_size=2))
            if HELPERS[name].options
        ]
        return f"({' '.join([name, *arguments, *options])})"

    return build()


EXPRESSIONS = st.recursive(ATOMS, calls, max_leaves=6)
TAGS = st.one_of(PATHS, calls(EXPRESSIONS).map(lambda text: text[1:-1])).map("{{{{{}}}}}".format)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Templates within blocks, and one after another."""
    block = st.tuples(st.sampled_from(["if", "unless", "each", "with"]), EXPRESSIONS, inner, inner)
    return st.one_of(
        block.map(lambda it: f"{{{{#{it[0]} {it[1]}}}}}{it[2]}{{{{else}}}}{it[3]}{{{{/{it[0]}}}}}"),
        st.lists(inner, max_size=3).map("".join),
    )


TEMPLATES = st.recursive(st.one_of(TAGS, st.text(max_size=5)), blocks, max_leaves=8)
BODIES = st.one_of(
    st.binary(max_size=60), st.sampled_from([b'{"a": [1, {"b": null}], "c": 1e400}', b"[1, 2"])
)
PARAMETERS = {"l": [1, "a", None, [2]], "m": {"k": 1.5, "": ""}, "n": None}


def rendered(template: str, call: Call) -> None:
    """Compile and render; raises what should not be."""
    with suppress(Invalid, RenderError):
        out = compile(template, "").render(call, Context(1e9, Random(1), {"a": "b"}, PARAMETERS))
        out.encode()


@few
@given(st.text().filter(lambda text: "{{" not in text))
def test_a_text_without_tags_comes_out_as_it_went_in(text: str) -> None:
    assert compile(text, "").render(Call("GET", "/"), Context(0.0, Random(1))) == text


@few
@given(st.text(), st.text().filter(lambda text: "}}" not in text + "}" and "{{" not in text))
def test_what_is_escaped_comes_out_as_it_went_in(before: str, inside: str) -> None:
    before = before.replace("{", "").replace("}", "").replace("\\", "")
    inside = inside.strip("{}")
    out = compile(f"{before}{{{{request.method}}}}\\{{{{{inside}}}}}", "").render(
        Call("GET", "/"), Context(0.0, Random(1))
    )
    assert out == f"{before}GET{{{{{inside}}}}}"


@settings(deadline=None, max_examples=400)
@given(TEMPLATES, st.binary(max_size=30), st.binary(max_size=30), BODIES)
def test_a_template_of_the_grammar_renders_or_is_stopped(
    template: str, url: bytes, head: bytes, body: bytes
) -> None:
    call = Call("GET", "/" + url.decode("utf-8", "replace"), b"A: " + head, body)
    rendered(template, call)


@few
@given(
    st.lists(
        st.sampled_from(
            [
                "{{",
                "}}",
                "{",
                "}",
                "#",
                "/",
                "if",
                " ",
                "a",
                "'",
                "|",
                "(",
                ")",
                "~",
                "!",
                "--",
                "\\",
                "[",
                ".",
                "=",
                "else",
                "\n",
            ]
        )
    )
)
def test_pieces_of_tags_are_a_template_or_refused(pieces: list[str]) -> None:
    rendered("".join(pieces), Call("GET", "/"))
