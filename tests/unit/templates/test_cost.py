"""What rendering may cost: every helper of the catalogue is tried with large and odd arguments.

A new helper is tried as well, without being named here. One that fails declares its cost with ``Run.spend``.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from random import Random
from time import thread_time

import pytest

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.catalogue import HELPERS, HelperEntry
from oagw.templates.compiled import compile
from oagw.templates.render_context import MAX_SECONDS, Context, RenderError
from oagw.templates.run import MAX_OUTPUT, Run
from oagw.templates.syntax import MAX_PARTS

pytestmark = [pytest.mark.usefixtures("frozen_heap"), pytest.mark.timed]

MIB = 1 << 20

# What one rendering may take for a body of up to 1 MiB: its budget, and one step after it.
MOST = 0.25

# Enough to find what is not linear, at a time that a test may take.
SIZE = MIB // 16

BODIES = {
    "words": b"a " * (SIZE // 2),
    "wide": "\u4e2d".encode() * (SIZE // 3),
    "form": b"a=%41&" * (SIZE // 6),
    "list": b"[" + b"1," * (SIZE // 2) + b"1]",
    "map": b"{" + b",".join(b'"%d":1' % number for number in range(SIZE // 10)) + b"}",
}

# Arguments; ``A`` is the large one.
ARGUMENTS = ("A", "A A", "A 'a' 'bbbb'", "A '+' A", "'a' A", "A '$.*'")

# Values for options; others are a large number.
OPTIONS = {"decode": "true", "urlDecode": "true", "fully": "true", "uppercase": "true", "pad": "'z'"}

NUMBERS = ("-0", "1e400", "-1e400", "1e308", "5e-324", "NaN", str(2**64), "9" * 310, "-" + "9" * 4000, "1.5")


def seconds(template: str, body: bytes) -> float:
    """What rendering ``template`` for ``body`` takes, apart from reading it; it ends well or is stopped."""
    compiled = compile(template, "/body")
    call = Call("POST", "/", b"Content-Type: application/x-www-form-urlencoded", body)
    assert call.text
    started = thread_time()
    with suppress(RenderError):
        assert len(compiled.render(call, Context(1.7e9, Random(1)))) <= MAX_OUTPUT
    return thread_time() - started


def calls(name: str, large: str) -> Iterator[str]:
    """Calls of the helper ``name`` with ``large`` among its arguments, and with each of its options."""
    entry = HELPERS[name]
    shown = "{{#%s}}{{%s}}{{/%s}}" if name == "assign" else "{{%s %s}}%.0s"
    for given in ARGUMENTS:
        arguments = given.replace("A", large)
        if len(given.split()) < entry.least or name == "assign":
            continue
        yield shown % (name, arguments, name)
    arguments = " ".join([large] * max(1, entry.least))
    for option in entry.options if name != "assign" else ():
        yield shown % (name, f"{arguments} {option}={OPTIONS.get(option, '8000000')}", name)
    if entry.block:
        opened = "'a'" if name == "assign" else "" if entry.block == "body" else arguments
        yield f"{{{{#{name} {opened}}}}}{{{{{large}}}}}{{{{/{name}}}}}"


def check_large(name: str) -> None:
    """Assert that the helper ``name`` is bounded for large arguments."""
    for kind, body in BODIES.items():
        parsed = body[:1] in b"[{"
        for large in ("request.body", "d") if parsed else ("request.body",):
            for text in calls(name, large):
                taken = seconds(("{{parseJson request.body 'd'}}" if large == "d" else "") + text, body)
                assert taken < MOST, f"{text} with {kind} takes {taken:.2f} s"


def check_often(name: str) -> None:
    """Assert that calling the helper ``name`` again and again is bounded."""
    for text in islice(calls(name, "this"), 2):
        taken = seconds(f"{{{{#each (range 1 200000)}}}}{text}{{{{/each}}}}", b"{}")
        assert taken < MOST, f"{text} in a loop takes {taken:.2f} s"


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_is_bounded_for_large_arguments(name: str) -> None:
    check_large(name)


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_is_bounded_in_a_loop(name: str) -> None:
    check_often(name)


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_takes_any_number(name: str) -> None:
    body = f"[{','.join(NUMBERS).replace('NaN', '1')}]".encode()
    for at in range(len(NUMBERS)):
        large = f"(jsonPath request.body '$[{at}]')"
        for text in calls(name, large):
            text = text.replace("{{(", "{{upper (")
            assert seconds(text, body) < MOST
            assert seconds(text.replace("8000000", large), body) < MOST


@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_takes_any_text_for_a_number(name: str) -> None:
    for number in (*NUMBERS, "9" * 5000, "Infinity", "1_000", "\u0663"):
        for text in calls(name, f"'{number}'"):
            text = text.replace(f"{{{{'{number}'}}}}", number)
            assert seconds(text, json.dumps(number).encode()) < MOST


def test_a_helper_without_a_bound_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(run: Run, arguments: list[object], options: dict[str, object]) -> str:
        end = thread_time() + 2 * MOST
        while thread_time() < end:
            pass
        return ""

    monkeypatch.setitem(HELPERS, "endless", HelperEntry(endless))
    with pytest.raises(AssertionError, match=r"endless request\.body"):
        check_large("endless")
    with pytest.raises(AssertionError, match="endless this"):
        check_often("endless")


def test_all_templates_of_an_answer_share_their_time() -> None:
    context, call = Context(1.7e9, Random(1)), Call("POST", "/")
    loop = compile("{{#each (range 1 200000)}}{{now}}{{/each}}", "/headers/A")
    started = thread_time()
    for _ in range(100):
        with pytest.raises(RenderError, match=r"^/headers/A: .* it takes longer than 50 ms\.$"):
            loop.render(call, context)
    assert thread_time() - started < 3 * MAX_SECONDS


@pytest.mark.parametrize("tag", ["{{a}}", "{{#if a}}{{/if}}", "{{upper (lower 'a')}}", "\\{{a}}", "{{! a }}"])
def test_a_template_has_so_many_parts_at_most(tag: str) -> None:
    started = thread_time()
    with pytest.raises(Invalid, match=f"more than {MAX_PARTS} tags, names and values"):
        compile(tag * (MIB // len(tag)), "/body")
    assert thread_time() - started < MOST


def test_reading_a_template_is_bounded() -> None:
    for text in (
        "{{a}}" * (MAX_PARTS // 2),
        "{{#if a}}{{/if}}" * (MAX_PARTS // 5),
        f"{{{{upper '{'a' * (MIB - 99)}'}}}}",
    ):
        started = thread_time()
        compile(text, "/body")
        assert thread_time() - started < MOST, text[:30]


def test_many_tags_are_not_too_much() -> None:
    compiled = compile("{{request.method}} " * 2000, "/body")
    assert compiled.render(Call("GET", "/"), Context(0, Random(1))) == "GET " * 2000
