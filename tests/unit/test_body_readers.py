"""Each reader of what clients send is bounded: tried with the worst inputs that are known.

A reader that is not listed here fails. So does a module that calls one of the functions that such readers are
made of, unless it is known to bound what it reads.
"""

import ast
import gzip
import json
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import pytest

import oagw
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from oagw.model.document import decoded
from oagw.model.invalid import Invalid
from oagw.model.reading import MAX_ESCAPES, MAX_FIELDS, MAX_VALUES, ParseLimitExceeded, decode
from oagw.stubs.mapping import StubMapping
from tests.support.wire import Wire

pytestmark = pytest.mark.timed

MIB = 1 << 20
FORM = b"Content-Type: application/x-www-form-urlencoded"
GZIP = b"\r\nContent-Encoding: gzip"

# What a reader may cost: seconds for each MiB that came, or for less, and bytes of memory. A machine that
# does nothing else takes half as many seconds.
SECONDS = 0.2
MEMORY = 200 * MIB


def filled(unit: bytes, size: int = MIB) -> bytes:
    return unit * (size // len(unit))


# Bodies that are not forms: JSON of many values, or of numbers that are slow to read.
BODIES = {
    "arrays": b"[" + filled(b"[],") + b"1]",
    "objects": b"[" + filled(b'{"a":1},') + b"1]",
    "members": b"{" + b",".join(b'"%d":1' % number for number in range(80_000)) + b"}",
    "twice": b"{" + filled(b'"a":1,') + b'"a":1}',
    "depth": filled(b"["),
    "exponents": b"[" + filled(b"1.5e300,") + b"1]",
    "exponents with zeros": b"[" + filled(b"1e0300,") + b"1]",
    "tiny": b"[" + filled(b"1.5e-320,") + b"1]",
    "digits": b"[" + filled(b"9" * 4000 + b",") + b"1]",
    "one number": filled(b"9"),
    "escapes": b'"' + filled(b"\\u0041") + b'"',
    "halves": b'"' + filled(b"\\ud800") + b'"',
    "not utf-8": filled(b"\xff"),
    "15 MB of values": filled(b"[1],", 15 * MIB),
    "15 MB of ampersands": filled(b"a&", 15 * MIB),
}
FORMS = {
    "fields": filled(b"a&"),
    "pairs": filled(b"a=1&"),
    "names": b"&".join(b"%dkey=1" % number for number in range(90_000)),
    "percent": filled(b"%41"),
    "percent not utf-8": b"a=" + filled(b"%ff"),
    "mixed": filled("%41é".encode()),
    "plus": filled(b"a+"),
    "15 MB of fields": filled(b"a=1&", 15 * MIB),
    "15 MB of escapes": filled(b"%41", 15 * MIB),
    "15 MB in one field": b"a=" + filled(b"x", 15 * MIB),
}
# Charsets in which something is not valid all the time.
CHARSETS = {
    "utf-16-le": b"\x00\xd8",
    "windows-1252": b"\x81",
    "utf-32": b"\xff\xff\xff\xff",
    "gb18030": b"\xff",
}
# Heads of 16 KiB, the most that a request may have.
HEADS = {
    "cookies": b"Cookie: " + filled(b"a=1;", 16 << 10),
    "fields": filled(b"a:\r\n", 16 << 10),
    "semicolons": b"Cookie: " + filled(b";", 16 << 10),
    "codings": b"Content-Encoding: " + filled(b"gzip,", 16 << 10),
    "charsets": b"Content-Type: " + filled(b"; charset", 16 << 10),
    "spaces": b"Content-Type: a;" + filled(b" ", 16 << 10),
    "ports": b"Host: " + filled(b"1:", 16 << 10),
}
URLS = {
    "parameters": "/?" + "a&" * 8_000,
    "escapes": "/?" + "%41" * 5_000,
    "slashes": "/" * 16_000,
    "alias": "/api/oagw/v1/proxy/" + "A" * 16_000,
}


@cache
def calls() -> dict[str, tuple[Call, int]]:
    """The worst requests, and their sizes. They are made once: read copies of them."""
    found = {f"body {name}": (Call("POST", "/", b"A: b", body), len(body)) for name, body in BODIES.items()}
    for name, body in FORMS.items():
        found[f"form {name}"] = (Call("POST", "/", FORM, body), len(body))
    for charset, unit in CHARSETS.items():
        head, body = b"Content-Type: text/plain; charset=%b" % charset.encode(), filled(unit)
        found[f"charset {charset}"] = (Call("POST", "/", head, body), len(body))
        small = gzip.compress(filled(unit, 8 * MIB))
        found[f"gzip and {charset}"] = (Call("POST", "/", head + GZIP, small), len(small))
    for name, unit in (("zeros", b"\0"), ("values", b"[],"), ("numbers", b"1e5,"), ("text", b"x")):
        small = gzip.compress(filled(unit, 8 * MIB))
        found[f"gzip of {name}"] = (Call("POST", "/", b"A: b" + GZIP, small), len(small))
        found[f"gzip of a form of {name}"] = (Call("POST", "/", FORM + GZIP, small), len(small))
    members = filled(gzip.compress(b""))
    found["gzip members"] = (Call("POST", "/", b"A: b" + GZIP, members), len(members))
    found |= {f"head {name}": (Call("POST", "/", head, b"x"), len(head)) for name, head in HEADS.items()}
    found |= {f"url {name}": (Call("GET", url), len(url)) for name, url in URLS.items()}
    return found


# What a Call is made of: no reader.
PLAIN = {"is_coded", "fault", "is_form"}
READERS = {
    *(
        "urls",
        "paths",
        "fields",
        "raw_fields",
        "headers",
        "authority",
        "query",
        "cookies",
        "form",
        "codec",
        "text",
        "json",
        "folded_text",
        "body",
    ),
    *("_form", "_json", "_decoded"),
}


def cost(read: Callable[[], object]) -> float:
    """The seconds of processor time that ``read`` takes; it may refuse."""
    started = process_time()
    with suppress(ValueError, Invalid, msgspec.ValidationError, RecursionError):
        read()
    return process_time() - started


def within(read: Callable[[], object], size: int) -> None:
    allowed = SECONDS * max(1.0, size / MIB)
    seconds = cost(read)
    for _ in range(3):  # the machine may have been busy
        if seconds >= allowed:
            seconds = min(seconds, cost(read))
    assert seconds < allowed, f"{seconds:.3f} s"


def test_each_reader_of_a_call_is_known() -> None:
    properties = {n for n, value in vars(Call).items() if isinstance(value, property | cached_property)}
    assert properties == READERS | PLAIN


@pytest.mark.parametrize("reader", sorted(READERS | PLAIN))
def test_no_reader_of_a_call_takes_long(reader: str) -> None:
    for name, (call, size) in calls().items():

        def read(call: Call = call) -> None:
            anew = Call(call.method, call.url, call.head, call.sent_body)
            getattr(anew, reader)

        try:
            within(read, size)
        except AssertionError as error:
            raise AssertionError(f"{reader} of {name}: {error}") from None


def test_no_reader_of_a_call_takes_much_memory() -> None:
    for name, (call, size) in calls().items():
        if size > MIB + 10 or "gzip" in name:
            tracemalloc.start()
            anew = Call(call.method, call.url, call.head, call.sent_body)
            for reader in ("form", "json", "text"):
                cost(lambda anew=anew, reader=reader: getattr(anew, reader))  # type: ignore[misc]
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < MEMORY, f"{name}: {peak / MIB:.0f} MiB"


DECODERS: list[msgspec.json.Decoder[Any]] = [
    msgspec.json.Decoder(),
    msgspec.json.Decoder(StubMapping),
    msgspec.json.Decoder(RequestPattern),
    msgspec.json.Decoder(list[float]),
    msgspec.json.Decoder(dict[str, Any]),
]


@pytest.mark.parametrize("name", BODIES)
def test_no_document_takes_long(name: str) -> None:
    for body in (BODIES[name], b'{"metadata": {"a": ' + BODIES[name] + b"}}"):
        for decoder in DECODERS:
            within(lambda body=body, decoder=decoder: decode(decoder, body), len(body))  # type: ignore[misc]
            within(lambda body=body, decoder=decoder: decoded(decoder, body), 2 * len(body))  # type: ignore[misc]


SERVICES = (
    "/oagw/v1/proxy/calculator/calculate",
    "/oagw/v1/proxy/openai/v1/chat/completions",
    "/oagw/v1/proxy/openai/v1/responses",
    "/oagw/v1/proxy/openai/v1/completions",
    "/oagw/v1/proxy/openai/v1/embeddings",
)


@pytest.mark.parametrize("target", SERVICES)
def test_no_service_takes_long_to_read_a_body(target: str) -> None:
    wire = Wire()
    for name in BODIES:
        body = b'{"model": {}, "more": ' + BODIES[name] + b"}"
        started = process_time()
        answer = wire.ask("POST", target, "Content-Type: application/json", body=body)
        seconds = process_time() - started
        assert answer.status in (400, 413), name  # there is no such model
        assert seconds < SECONDS * max(1.0, len(body) / MIB), f"{name}: {seconds:.3f} s"


@pytest.mark.parametrize("number", ["1.5e300", "1e0300", "1.5e-320", "1", "-0.5e10", "12345678901234567890"])
def test_numbers_mean_the_same_however_many_there_are(number: str) -> None:
    few, many = f"[{number}]".encode(), ("[" + f"{number}," * 5_000 + "1]").encode()
    decoder = msgspec.json.Decoder()
    assert decode(decoder, many)[:1] == decode(decoder, few)
    assert decode(msgspec.json.Decoder(list[float]), many)[0] == float(number)


@pytest.mark.parametrize("wrong", [b"1e999", b"NaN", b"Infinity", b'"\\ud800"', b'"\xff"', b"{", b"01"])
def test_what_is_wrong_is_wrong_however_many_numbers_there_are(wrong: bytes) -> None:
    body = b"[" + b"1.5e300," * 5_000 + wrong + b"]"
    with pytest.raises(ValueError):  # noqa: PT011  # it has many words for it
        decode(msgspec.json.Decoder(), body)


def test_what_is_of_another_type_is_named_however_many_numbers_there_are() -> None:
    body = b'{"priority": "x", "metadata": {"a": [' + b"1.5e300," * 5_000 + b"1]}}"
    with pytest.raises(Invalid) as caught:
        decoded(msgspec.json.Decoder(StubMapping), body)
    assert caught.value.pointer == "/priority"


def test_what_is_beyond_a_bound_is_said() -> None:
    for call, said in (
        (Call("POST", "/", FORM, b"a&" * MAX_FIELDS + b"a"), f"has more than {MAX_FIELDS} fields"),
        (Call("POST", "/", FORM, b"%41" * (MAX_ESCAPES + 1)), f"has more than {MAX_ESCAPES} percent-escapes"),
    ):
        for _ in range(2):
            with pytest.raises(ParseLimitExceeded, match=said):
                _ = call.form
    with pytest.raises(ParseLimitExceeded, match=f"has more than {MAX_VALUES} values"):
        _ = Call("POST", "/", b"", b"[" + b"1," * MAX_VALUES + b"1]").json


def test_a_form_beyond_its_bound_matches_nothing() -> None:
    wire = Wire()
    for number, operator in enumerate(({"absent": True}, {"equalTo": ""}, {"doesNotContain": "x"})):
        pattern = {"url": f"/{number}", "formParameters": {"a": operator}}
        assert wire.admin("POST", "/mappings", {"request": pattern}).status == 201
        body = b"a&" * MAX_FIELDS + b"a"
        answer = wire.ask("POST", f"/{number}", FORM.decode(), body=body)
        assert answer.status == 404
    shown = wire.admin("GET", "/requests?limit=1").json()["requests"][0]["request"]
    assert (shown["formParams"], len(shown["body"])) == ({}, len(body))


def test_a_request_that_is_given_has_no_more_than_one_that_came() -> None:
    wire = Wire()
    for member, given in (("url", "/?" + "a&" * MIB), ("headers", {"Cookie": "a=1;" * MIB})):
        refused = wire.admin("POST", "/near-misses/request", {member: given})
        assert refused.status == 422
        assert refused.json()["errors"][0]["source"]["pointer"] == f"/{member}"


# Who may call what reads texts of clients: modules that bound it, or that read no texts of clients.
READING = {
    "loads": {
        "model/reading.py",
        "templates/helpers/data.py",  # behind check_values, and paid for by the rendering
        "model/redacted.py",  # behind is_json, which is read_json
        # Texts in stubs, which are parts of documents of bounded size.
        *("matching/json_equal.py", "matching/json_schema.py"),
        # What clients read.
        *("client/control_plane.py", "client/mock_gateway.py", "client/shared.py", "client/management.py"),
        "client/exam/reports.py",  # what an adapter writes, in lines of bounded size
        "gateway_file/reader.py",  # the file of --config, of bounded size
    },
    "parse_qsl": set(),
    "parse_qs": {"web/read_request.py"},  # the query, whose length is limited
    "unquote": {"matching/schema_references.py"},  # a part of a document of bounded size
    "unquote_plus": {"model/secret.py", "templates/helpers/data.py", "templates/helpers/texts.py"},
    # But for the first, a path of 16 KiB.
    "unquote_to_bytes": {
        "model/reading.py",
        "model/credstore.py",
        "web/request.py",
        "web/guard.py",
        "gateway/pipeline.py",
    },
    "decompress": {"model/coding.py"},
    "decompressobj": {"model/coding.py"},
    "SimpleCookie": set(),
    "message_from_bytes": set(),
    "getvalue": {"web/request.py", "services/echo.py", "gateway/forwarding.py"},
}


def test_nobody_else_reads_what_clients_send() -> None:
    home = Path(oagw.__file__).parent
    # Echo and forwarding send it on as it came; the last two ask whether there is one, and rewind it.
    contents = {
        "web/any_site.py",
        "web/body.py",
        "web/request.py",
        "services/echo.py",
        "gateway/forwarding.py",
        "web/channel.py",
        "services/openai/validation_error.py",
    }
    for module in sorted(home.rglob("*.py")):
        name = module.relative_to(home).as_posix()
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert name in READING.get(called, {name}), f"{name}:{node.lineno} calls {called}"
            if isinstance(node, ast.Attribute) and node.attr == "content":
                assert getattr(node.value, "id", "") != "request" or name in contents, f"{name}:{node.lineno}"


def test_the_worst_documents_are_json() -> None:
    for name in ("arrays", "objects", "members", "twice", "exponents", "tiny", "digits", "escapes"):
        json.loads(BODIES[name])
