"""The syntax of request heads, rule by rule."""

import pytest

from oagw.web.head import (
    MAX_FIELDS,
    MAX_LINE,
    BadRequest,
    Fields,
    body_length,
    check_characters,
    check_fields,
    check_lines,
    expectations,
    has_bare_line_end,
    is_host,
    parse_beginning,
    parse_head,
    parse_request_line,
    read_fields,
)

HTTP_1_1, HTTP_1_0 = b"HTTP/1.1", b"HTTP/1.0"
LIMIT = 1000


def rejected(call: object, *args: object) -> int:
    """The status with which ``call`` rejects ``args``."""
    assert callable(call)
    with pytest.raises(BadRequest) as caught:
        call(*args)
    assert caught.value.error
    return caught.value.status


def test_a_request_line_is_a_method_a_target_and_a_version() -> None:
    assert parse_request_line(b"M-SEARCH /a?b HTTP/1.0") == (b"M-SEARCH", b"/a?b", HTTP_1_0)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET",
        b"GET /",
        b"GET  / HTTP/1.1",
        b" GET / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"GET\t/\tHTTP/1.1",
        b"GET / http/1.1",
        b"GET / HTTP/1.2",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.1\n",
        b"GET /\x7f HTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET /\r HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"GET: / HTTP/1.1",
        b"PRI * HTTP/2.0",
    ],
)
def test_any_other_request_line_is_400(line: bytes) -> None:
    assert rejected(parse_request_line, line) == 400


def test_fields_are_collected_by_name_in_any_case() -> None:
    fields: Fields = {}
    read_fields([b"x-a: 1", b"X-A:2 \t", b"TE:", b"x-b: a:b \xe9"], fields)
    assert fields == {b"X-A": [b"1", b"2"], b"TE": [b""], b"X-B": [b"a:b \xe9"]}


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b" continued",
        b"\tcontinued: x",
        b": no name",
        b"",
        b"Host : g",
        b"Host\t: g",
        b"Ho st: g",
        b"H\x00st: g",
        b"H\xf6st: g",
        b'"Host": g',
    ],
)
def test_any_other_field_line_is_400(line: bytes) -> None:
    assert rejected(read_fields, [b"A: b", line], {}) == 400


def test_a_field_value_has_no_control_character_but_htab() -> None:
    check_characters(b"A: b\tc \xe9\r\nD: e", 2)
    check_characters(b"", 0)
    for byte in [*range(9), *range(10, 32), 127]:
        assert rejected(check_characters, b"A: b%cc\r\nD: e" % byte, 2) == 400
        assert rejected(check_characters, b"A: b%c" % byte, 1) == 400


def test_a_line_end_that_is_no_crlf_is_found_before_the_line_is_complete() -> None:
    for rest in (b"a\n", b"\n", b"a\nb", b"a\rb", b"\r\r"):
        assert has_bare_line_end(rest), rest
    for rest in (b"", b"\r", b"abc\r", b"abc"):
        assert not has_bare_line_end(rest), rest


GET = b"GET / HTTP/1.1\r\n"


def test_a_head_is_parsed_in_one_step() -> None:
    head = parse_head(GET + b"Host: g\r\na:1\r\nA: 2")
    assert head[:5] == (
        b"GET",
        b"/",
        HTTP_1_1,
        b"Host: g\r\na:1\r\nA: 2",
        {b"Host": [b"g"], b"A": [b"1", b"2"]},
    )
    assert parse_head(GET[:-2])[:5] == (b"GET", b"/", HTTP_1_1, b"", {})


def test_the_limits_of_a_head_can_be_reached() -> None:
    assert len(parse_head(GET + b"\r\n".join([b"A: b"] * MAX_FIELDS)).fields[b"A"]) == MAX_FIELDS
    lines = [b"A: " + b"b" * 8000, b"A: " + b"b" * (MAX_LINE - len(GET) + 2 - 8006)]
    assert parse_head(GET + b"\r\n".join(lines))
    target = b"/" * (MAX_LINE - len(b"GET  HTTP/1.1"))
    assert parse_head(b"GET %b HTTP/1.1" % target).target == target


FAULTS = [
    (b"HELLO\r\n", 400),
    (b"GET / HTTP/1.1\n", 400),
    (GET + b"A: b\rc", 400),
    (GET + b"A: b\0\r\n", 400),
    (b"GET /" + b"a" * MAX_LINE, 414),
    (GET + b"A: " + b"b" * MAX_LINE, 431),
    (GET + (b"A: " + b"b" * 5000 + b"\r\n") * 4, 431),
    (GET + b"A: b\r\n" * (MAX_FIELDS + 1), 431),
]


@pytest.mark.parametrize(("beginning", "status"), FAULTS)
def test_a_fault_is_found_before_the_head_is_complete(beginning: bytes, status: int) -> None:
    assert rejected(check_lines, beginning) == status
    assert rejected(parse_head, beginning + b"\r\nB: c") == status


@pytest.mark.parametrize(("first", "status"), FAULTS)
def test_the_first_of_several_faults_counts(first: bytes, status: int) -> None:
    for other, _ in FAULTS:
        assert rejected(parse_head, first + b"\r\n" + other) == status


def test_lines_are_checked_as_they_come() -> None:
    assert check_lines(b"GE") == 0
    assert check_lines(GET + b"Ho", 0) == len(GET)
    assert check_lines(GET + b"Host: g\r\n\r", len(GET)) == len(GET) + 9
    with pytest.raises(BadRequest) as caught:
        check_lines(GET + b"Host: g\r\nA\n", len(GET))
    assert caught.value.before == GET + b"Host: g\r\n"


def test_as_much_of_a_head_as_possible_is_parsed() -> None:
    beginning = GET + b"Host: g\r\nnonsense\r\nA: b\r\nC: d"
    assert parse_beginning(beginning)[:5] == (
        b"GET",
        b"/",
        HTTP_1_1,
        b"Host: g\r\nnonsense\r\nA: b",
        {b"Host": [b"g"]},
    )
    for nothing in (b"", b"GET", b"GET / HTTP/1.1", b"HELLO\r\n"):
        assert parse_beginning(nothing)[:5] == (b"", b"", b"", b"", {})


def length(version: bytes = HTTP_1_1, **fields: list[bytes]) -> int | None:
    names = {"cl": b"Content-Length", "te": b"Transfer-Encoding"}
    return body_length(version, {names[name]: values for name, values in fields.items()}, LIMIT)


def test_how_long_a_body_is() -> None:
    assert length() == 0
    assert length(cl=[b"0"]) == 0
    assert length(cl=[b"007"]) == 7
    assert length(cl=[b"1000"]) == 1000
    assert length(te=[b"chunked"]) is None
    assert length(te=[b"CHUNKED"]) is None


@pytest.mark.parametrize("value", [b"", b"+1", b"-1", b"1.0", b"0x1", b"1 2", b"3, 3", b"3,", b"\xb2"])
def test_a_content_length_that_is_no_number_is_400(value: bytes) -> None:
    assert rejected(lambda: length(cl=[value])) == 400


@pytest.mark.parametrize("value", [b"1001", b"9" * 30, b"9" * 5000])
def test_a_content_length_over_the_limit_is_413(value: bytes) -> None:
    assert rejected(lambda: length(cl=[value])) == 413


def test_two_lengths_are_400_unless_they_are_the_same() -> None:
    assert length(cl=[b"3", b"3"]) == 3
    assert length(te=[b"chunked"], cl=[b"3"]) is None
    assert rejected(lambda: length(cl=[b"3", b"4"])) == 400
    assert rejected(lambda: length(cl=[b"99999"], te=[b"identity"])) == 400


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([b"gzip"], 400),
        ([b"identity"], 400),
        ([b""], 400),
        ([b"chunked, chunked"], 400),
        ([b"chunked", b"chunked"], 400),
        ([b"chunked, gzip"], 400),
        ([b"chunked;q=1"], 400),
        ([b"xchunked"], 400),
        ([b"chunked,"], 400),
    ],
)
def test_a_transfer_encoding_other_than_chunked_is_refused(values: list[bytes], status: int) -> None:
    assert rejected(lambda: length(te=values)) == status


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
        (b"Transfer-Encoding: gzip, chunked", 501),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3", None),
    ],
)
def test_contradictory_framing_is_left_to_the_pipeline(lines: bytes, status: int | None) -> None:
    proxied = parse_head(b"POST /oagw/v1/proxy/a HTTP/1.1\r\nHost: g\r\n" + lines).section
    assert (proxied.length, proxied.contradictory) == (None, status is not None)
    head = b"POST /health HTTP/1.1\r\nHost: g\r\n" + lines
    if status is None:
        assert not parse_head(head).section.contradictory
    else:
        assert rejected(lambda: parse_head(head)) == status


def test_an_http_1_0_client_has_no_transfer_encoding() -> None:
    assert rejected(lambda: length(HTTP_1_0, te=[b"chunked"])) == 400


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"g",
        b"my_host.example:8765",
        b"127.0.0.1:80",
        b"g:",
        b"g:65535",
        b"[::1]",
        b"[::1]:80",
        b"[::ffff:127.0.0.1]",
        b"[v1.x:y]",
        b"%C3%A9.example",
        b"a" * 253,
    ],
)
def test_what_is_a_host(value: bytes) -> None:
    assert is_host(value)


@pytest.mark.parametrize(
    "value",
    [
        b"a b",
        b"a/b",
        b"a/",
        b"user@a",
        b"user:word@a",
        b":80",
        b"a:b",
        b"a:80:80",
        b"a:65536",
        b"a:000080",
        b"a:-1",
        b"http://a",
        b"a?b",
        b"a#b",
        b"a\\b",
        b'"a"',
        b"<a>",
        b"a^b",
        b"a\x01",
        b"a\t",
        b"\xc3\xa9",
        b"%zz",
        b"%",
        b"::1",
        b"[::1",
        b"::1]",
        b"[]",
        b"[::1%25eth0]",
        b"[1::2::3]",
        b"[127.0.0.1]",
        b"[g]",
        b"[::1]x",
        b"a" * 301,
    ],
)
def test_what_is_no_host(value: bytes) -> None:
    assert not is_host(value)


def problem(version: bytes = HTTP_1_1, **fields: list[bytes]) -> tuple[int, str | None] | None:
    """Status and reason of what is wrong with ``fields``."""
    names = {"host": b"Host", "te": b"TE", "expect": b"Expect", "authorization": b"Authorization"}
    found = check_fields(version, {names[name]: values for name, values in fields.items()})
    if found is None:
        return None
    violations = found.context.get("field_violations")
    return found.status, violations[0]["reason"] if violations else None


def test_one_host_is_required_and_by_an_http_1_0_client_may_be_left_out() -> None:
    assert problem() == (400, "REQUIRED")
    assert problem(HTTP_1_0) is None
    assert problem(host=[b"a", b"a"]) == (400, "DUPLICATE_HEADER")
    assert problem(HTTP_1_0, host=[b"a b"]) == (400, "INVALID_HOST")


def test_there_is_one_authorization() -> None:
    assert problem(host=[b"a"], authorization=[b"x"]) is None
    assert problem(host=[b"a"], authorization=[b"x", b"y"]) == (400, "DUPLICATE_HEADER")


@pytest.mark.parametrize(
    "values",
    [
        [b""],
        [b"trailers"],
        [b"trailers, deflate;q=0.5"],
        [b"gzip;q=1.000 , deflate ; q=0", b"trailers"],
        [b'x;a=b;c="d, \\" e";Q=0.123'],
        [b", ,trailers,,"],
        [b"chunked"],
    ],
)
def test_a_te_of_codings_with_weights_is_accepted(values: list[bytes]) -> None:
    assert problem(host=[b"a"], te=values) is None


@pytest.mark.parametrize(
    "value",
    [
        b"trailers gzip",
        b"gzip;q=2",
        b"gzip;q=1.5",
        b"gzip;q=1.001",
        b"gzip;q=0.1234",
        b"gzip;q=",
        b"gzip;q=-1",
        b"gzip;q=0.5;x=y",
        b"gzip;x",
        b";q=1",
        b"gzip;",
        b'gzip;x="y',
        b"(gzip)",
        b"gz\xe9p",
        b"a" * 8000 + b"(",
        b"a" + b" " * 8000 + b"(",
        b"a," * 4000 + b"(",
        b"a;b=c" * 2000 + b"(",
    ],
)
def test_any_other_te_is_400(value: bytes) -> None:
    assert problem(host=[b"a"], te=[value]) == (400, "INVALID_TE")


def test_what_a_client_expects() -> None:
    assert expectations(HTTP_1_1, {}) == set()
    assert expectations(HTTP_1_1, {b"Expect": [b"100-Continue, ", b"x=y"]}) == {b"100-continue", b"x=y"}
    assert expectations(HTTP_1_0, {b"Expect": [b"100-continue"]}) == set()
    assert problem(host=[b"a"], expect=[b"100-continue"]) is None
    assert problem(host=[b"a"], expect=[b"200-ok"]) == (417, None)
    assert problem(host=[b"a"], expect=[b"100-continue, x"]) == (417, None)
    assert problem(HTTP_1_0, host=[b"a"], expect=[b"x"]) is None
