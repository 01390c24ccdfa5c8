"""Templates: what is refused, what is bounded, and the helpers that WireMock draws at random."""

import re
from random import Random
from typing import Any

import pytest

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.compiled import compile
from oagw.templates.render_context import Context, RenderError

CALL = Call("POST", "/a/b?n=5", b"Host: h:81", b'{"a": [1, 2]}')
NOON = 1709208000.0  # 2024-02-29T12:00:00Z


def rendered(text: str, call: Call | None = None, seed: int = 1, **parameters: Any) -> str:
    """What ``text`` renders to at NOON."""
    call = call or CALL.with_head(CALL.head)  # a new one, whose time budget is not used up
    return compile(text, "/response/body").render(call, Context(NOON, Random(seed), {}, parameters, "the-id"))


def test_a_text_without_tags_is_literal() -> None:
    assert compile("plain } { text", "").is_literal
    assert rendered("plain } { text") == "plain } { text"
    assert not compile("{{request.url}}", "").is_literal


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("a\n{{foo 'x'}}", "line 2, column 3: unknown helper 'foo'"),
        ("{{#if request.body}}", "line 1, column 1: unterminated block 'if'"),
        ("{{#if a}}{{/each}}", "line 1, column 10: expected the end of 'if', got 'each'"),
        ("{{/if}}", "line 1, column 1: 'if' is closed but was not opened"),
        ("{{else}}", "line 1, column 1: unexpected 'else'"),
        ("{{xPath request.body '/a'}}", "the helper 'xPath' is not supported"),
        ("{{systemValue key='PATH'}}", "the helper 'systemValue' is refused"),
        ("{{upper}}", "the helper 'upper' requires 1 argument(s)"),
        ("{{now zone='UTC'}}", "the helper 'now' has no option 'zone'"),
        ("{{math 12345678901234567890 '+' 1}}", "unexpected '1'"),
        ("{{#assign}}x{{/assign}}", "the helper 'assign' requires 2 argument(s)"),
        ("{{#trim by='x'}}x{{/trim}}", "the helper 'trim' has no option 'by'"),
        ("{{> part}}", "partials are not supported"),
        ("{{* it}}", "decorators are not supported"),
        ("{{{{raw}}}}{{{{/raw}}}}", "raw blocks are not supported"),
        ("{{request.parts.x}}", "'request.parts.x' is not supported"),
        ("{{#each}}x{{/each}}", "the block 'each' requires one argument"),
        ("{{upper (lower 'x'}}", "unterminated parenthesis"),
        ("{{upper 'x}}", "unexpected"),
        ("{{}}", "expected the name of a value or a helper"),
        ("{{upper a=}}", "'a' has no value"),
        ("{{#if a}}" * 40 + "{{/if}}" * 40, "blocks are nested deeper than 32"),
        ("{{upper " + "(upper " * 40 + "'x'" + ")" * 40 + "}}", "expected the name"),
        ("{{a}}" + "x" * (1 << 20), "The template is longer than 1048576 characters."),
    ],
)
def test_what_is_not_understood_is_refused_by_name(text: str, detail: str) -> None:
    with pytest.raises(Invalid) as error:
        compile(text, "/response/body")
    assert error.value.pointer == "/response/body"
    assert detail in error.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "{{#each (range 1 9999999)}}{{this}}{{/each}}",
        "{{range 1 999999999999}}",
        "{{#each (range 1 9999)}}{{#each (range 1 9999)}}{{/each}}{{/each}}",
        "{{#each (range 1 9999)}}{{rjust 'x' size=10000}}{{/each}}",
        "{{rjust 'x' size=9999999999}}",
        "{{replace (rjust 'x' size=4000000) ' ' (rjust 'x' size=4000000)}}",
        "{{randomValue length=8000000}}" * 3,
        # A list that has itself twice, many times over.
        "{{val (array 1) assign='a'}}" + "{{val (array a a) assign='a'}}" * 60 + "{{a}}",
        "{{val (array 1) assign='a'}}" + "{{val (array a a) assign='a'}}" * 60 + "{{toJson a}}",
        "{{val (array 1) assign='a'}}" + "{{val (array a a) assign='a'}}" * 60 + "{{eq a (array a)}}",
        "{{matches (rjust 'b' size=40 pad='a') '(a|aa)+$'}}",
        "{{val 1 assign='a'}}" + "{{val (array a) assign='a'}}" * 1000 + "{{a}}",
        "{{#assign 'a'}}xxxxxxxxxxxx{{/assign}}" + "{{#assign 'a'}}{{a}}{{a}}{{/assign}}" * 40,
    ],
)
def test_what_takes_too_much_is_stopped(text: str) -> None:
    with pytest.raises(
        RenderError, match=r"^/response/body: the template was stopped at line 1, column \d+: "
    ):
        rendered(text)


def test_a_deeply_nested_body_is_no_json() -> None:
    body = b"[" * 100_000
    out = rendered("{{jsonPath request.body '$[0]'}}", Call("POST", "/", b"", body))
    assert out.endswith("is not valid JSON]")


def test_half_a_character_can_be_sent() -> None:
    assert rendered("{{jsonPath request.body '$.a'}}", Call("POST", "/", b"", rb'{"a": "x\ud800"}')) == "x?"


@pytest.mark.parametrize("pattern", ["E'x'E'x'E", "zZ", "y" * 999, "'", "w"])
def test_a_date_is_not_read_by_a_format_that_makes_no_sense(pattern: str) -> None:
    assert rendered(f"{{{{parseDate '{'x' * 60}' format=\"{pattern}\"}}}}").startswith("[ERROR: parseDate: ")


def test_now_is_the_time_that_was_handed_in() -> None:
    assert rendered("{{now}}") == "2024-02-29T12:00:00Z"
    assert rendered("{{now format='epoch'}} {{now format='unix'}}") == "1709208000000 1709208000"
    assert rendered("{{now offset='-3 days' format='yyyy-MM-dd'}}") == "2024-02-26"
    assert rendered("{{now offset='now +1 months' format='EEE, d MMM'}}") == "Fri, 29 Mar"
    assert rendered("{{now timezone='+02:00'}}") == "2024-02-29T14:00:00+02:00"
    assert rendered("{{now timezone='Asia/Kolkata' format='HH:mm z'}}") == "17:30 IST"
    assert rendered("{{now timezone='Nowhere/At'}}") == "[ERROR: Unknown time-zone ID: Nowhere/At]"
    assert rendered("{{now timezone='../../etc/passwd'}}").startswith("[ERROR: Unknown time-zone ID")
    assert rendered("{{now format='b'}}") == "[ERROR: Illegal pattern character 'b']"
    assert rendered("{{now offset='999999999 years'}}").startswith("[ERROR: ")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("{{randomValue}}", "[a-z0-9]{36}"),
        ("{{randomValue length=7 type='ALPHABETIC'}}", "[a-z]{7}"),
        ("{{randomValue length=7 type='ALPHABETIC' uppercase=true}}", "[A-Z]{7}"),
        ("{{randomValue length=7 type='NUMERIC'}}", "[0-9]{7}"),
        ("{{randomValue length=7 type='HEXADECIMAL'}}", "[0-9a-f]{7}"),
        ("{{randomValue length=50 type='ALPHANUMERIC_AND_SYMBOLS'}}", "[!-~]{50}"),
        (
            "{{randomValue type='UUID'}}",
            "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        ),
        ("{{randomInt lower=5 upper=7}}", "[56]"),
        ("{{randomInt}}", "-?[0-9]+"),
        ("{{randomDecimal lower=1 upper=2}}", r"1\.[0-9]+"),
        ("{{pickRandom 'a' 'b'}}", "[ab]"),
        ("{{pickRandom (array 'a' 'b')}}", "[ab]"),
        ("{{pickRandom (array 'a' 'b') count=2}}", r"\[a, b\]|\[b, a\]"),
        ("{{randomInt lower=2 upper=1}}", r"\[ERROR: bound must be greater than origin\]"),
        ("{{randomValue type='X'}}", r"\[ERROR: randomValue: type \[X\] should be .*\]"),
        ("{{randomValue length=-1}}", r"\[ERROR: randomValue: length is out of range\]"),
        ("{{randomInt lower=9223372036854775808}}", r"\[ERROR: randomInt: lower is out of range\]"),
        ("{{randomDecimal lower=2 upper=1}}", r"\[ERROR: bound must be greater than origin\]"),
        ("{{randomDecimal lower='-1.7e308' upper='1.7e308'}}", r"\[ERROR: .* bounds are out of range\]"),
        ("{{pickRandom (array)}}", r"\[ERROR: pickRandom: there is nothing to pick from\]"),
    ],
)
def test_what_is_random_has_its_form_and_can_be_replayed(text: str, pattern: str) -> None:
    assert re.fullmatch(pattern, rendered(text))
    assert rendered(text, seed=7) == rendered(text, seed=7)


def test_what_identifies_this_machine_is_not_told() -> None:
    assert (
        rendered("{{hostname}} {{request.id}} {{request.host}}:{{request.port}}") == "localhost the-id h:81"
    )


def test_json_can_end_with_a_tag() -> None:
    out = rendered('{"id": "{{request.path.[1]}}", "o": {"n": {{request.query.n}}}}')
    assert out == '{"id": "b", "o": {"n": 5}}'


def test_parameters_are_those_of_the_stub() -> None:
    assert rendered("{{parameters.a.[1].b}}{{parameters.none}}", a=[0, {"b": "x"}]) == "x"
