"""Secrets: whatever form they are sent in, what is shown does not have them."""

import json
import re
from collections.abc import Callable
from time import process_time
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.reading import MAX_FIELDS
from oagw.model.secret import KnownSecrets, is_secret, masked, masked_pairs, masked_url

quick = settings(deadline=None, max_examples=60)
SECRETS = st.from_regex(r"s3cr3t[A-Za-z0-9+/_.-]{4,30}", fullmatch=True)
NAMES = st.sampled_from(
    [
        "Authorization",
        "Proxy-Authorization",
        "X-Api-Key",
        "apikey",
        "X-Auth",
        "x-amz-security-token",
        "Cookie",
    ]
)
PARAMETERS = st.sampled_from(["access_token", "api_key", "apiKey", "key", "sig", "client_secret", "password"])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer abc", "Bearer ****"),
        ("authorization", "basic abc=", "basic ****"),
        ("Authorization", "abc", "****"),
        ("Authorization", "my secret", "****"),
        ("X-Api-Key", "one two", "****"),
        ("Cookie", "sid=abc; theme=dark", "sid=****; theme=****"),
        ("Cookie", "abc", "****"),
        ("Set-Cookie", "sid=abc; Path=/; HttpOnly", "sid=****; Path=/; HttpOnly"),
        ("Location", "https://u:p@h/x?token=abc&a=1", "https://****@h/x?token=****&a=1"),
        ("Content-Type", "application/json", "application/json"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZQ=="),
        ("Idempotency-Key", "42", "42"),
    ],
)
def test_a_header_field_is_shown_without_its_secret(name: str, value: str, shown: str) -> None:
    assert masked(name, value) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/x?a=1&access_token=abc&b", "/x?a=1&access_token=****&b"),
        ("/x?access%5Ftoken=abc", "/x?access%5Ftoken=****"),
        ("/x?max_output_tokens=5", "/x?max_output_tokens=5"),
        ("http://user:pass@h/x", "http://****@h/x"),
        ("/users/@me", "/users/@me"),
        ("/x", "/x"),
        ("/x?", "/x?"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@pytest.mark.parametrize("name", ["author", "monkey", "keyword", "accept", "x-request-id"])
def test_words_that_only_look_like_it_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


@quick
@given(NAMES, SECRETS, st.sampled_from(["", "Bearer ", "Basic ", "Bearer  ", "a=", "x ", "theme=1; b="]))
def test_no_header_shows_a_secret(name: str, secret: str, before: str) -> None:
    assert secret not in masked(name, before + secret)


@quick
@given(PARAMETERS, SECRETS, st.sampled_from(["/x?", "/x?a=b&", "http://h/?", "/x?a&&"]))
def test_no_url_shows_a_secret(name: str, secret: str, before: str) -> None:
    assert secret not in masked_url(f"{before}{name}={secret}&z=1")


@quick
@given(st.text())
def test_masking_a_url_twice_changes_nothing_more(url: str) -> None:
    assert masked_url(masked_url(url)) == masked_url(url)


@quick
@given(SECRETS, st.text(), st.text())
def test_a_known_secret_is_masked_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret not in KnownSecrets([secret]).masked(before + secret + after)


def test_of_two_known_secrets_the_longer_goes_whole() -> None:
    assert KnownSecrets(["secret-1", "secret-1-more"]).masked("<secret-1-more> <secret-1>") == "<****> <****>"


def test_short_words_are_no_known_secrets() -> None:
    assert KnownSecrets(["abc", ""]).masked("abc") == "abc"


def test_the_token_of_any_sandbox_is_known() -> None:
    token = f"sandbox-{'0' * 16}-{'a' * 32}"
    assert KnownSecrets([]).masked(f'{{"token": "{token}"}}') == '{"token": "****"}'


TOKEN = "tOken/with-42+slash_es.="
ESCAPED = {
    "percent": quote(TOKEN, safe=""),
    "percent in lower case": quote(TOKEN, safe="").lower().replace("token", "tOken"),
    "each percent": "".join(f"%{ord(c):02X}" for c in TOKEN),
    "percent twice": quote(quote(TOKEN, safe=""), safe=""),
    "a form": quote_plus(TOKEN),
    "slash": TOKEN.replace("/", "\\/"),
    "unicode": "".join(f"\\u{ord(c):04x}" for c in TOKEN),
    "unicode in capitals": "".join(f"\\u{ord(c):04X}" for c in TOKEN),
    "one unicode": TOKEN.replace("t", "\\u0074"),
    "JSON in JSON": json.dumps(json.dumps("".join(f"\\u{ord(c):04x}" for c in TOKEN))),
    "JSON in a form": quote_plus(json.dumps(TOKEN).replace("/", "\\/")),
    "mixed": TOKEN.replace("/", "%2f").replace("-", "\\u002D"),
}


@pytest.mark.parametrize("escaped", ESCAPED.values(), ids=ESCAPED)
def test_a_known_secret_is_masked_however_it_is_escaped(escaped: str) -> None:
    shown = KnownSecrets([TOKEN]).masked(f"/a/{escaped}?b={escaped}")
    assert "****" in shown
    for plain in (shown, unquote(shown), unquote(unquote(shown)), unquote_plus(unquote(shown))):
        for _ in range(3):
            assert TOKEN not in plain
            assert "42+slash" not in plain
            plain = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), plain)


@pytest.mark.parametrize("escape", [quote, lambda text: "".join(f"%{ord(c):02x}" for c in text)])
def test_the_token_of_a_sandbox_is_masked_however_it_is_escaped(escape: Callable[[str], str]) -> None:
    token = f"sandbox-{'0' * 8}{'c' * 8}-{'a9' * 16}"
    assert KnownSecrets([]).masked(f"/x/{escape(token)}/y") == "/x/****/y"


@quick
@given(SECRETS, st.text(), st.text(), st.data())
def test_any_escaped_secret_is_masked(secret: str, before: str, after: str, data: st.DataObject) -> None:
    ways = (str, lambda c: f"%{ord(c):02X}", lambda c: f"%{ord(c):02x}", lambda c: f"\\u{ord(c):04x}")
    escaped = "".join(data.draw(st.sampled_from(ways))(c) for c in secret)
    before, after = before.replace("%", "").replace("\\", ""), after.replace("%", "").replace("\\", "")
    assert escaped not in KnownSecrets([secret]).masked(f"{before} {escaped} {after}")


@quick
@given(st.text())
def test_what_has_no_secret_stays_as_it_is(text: str) -> None:
    assert KnownSecrets([TOKEN]).masked(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_completion_tokens",
        "maxOutputTokens",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "token_type",
        "X-RateLimit-Limit-Tokens",
        "X-RateLimit-Remaining-Tokens",
        "x-ratelimit-reset-tokens",
        "token_count",
        "budget_tokens",
        "anthropic-ratelimit-input-tokens-remaining",
        "tokens_per_minute",
        "tokenType",
        "next_page_token",
        "pageToken",
        "tokenizer",
        "token_endpoint",
        "signature_method",
        "sort_key",
        "prompt_cache_key",
        "Access-Control-Allow-Credentials",
        "Signature-Input",
        "expires_in",
        "partitionKey",
    ],
)
def test_names_that_only_count_or_describe_are_no_secrets(name: str) -> None:
    assert not is_secret(name)
    assert masked_url(f"/?{name}=12345678") == f"/?{name}=12345678"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "tokens",
        "access_token",
        "refresh_tokens",
        "api_tokens",
        "id_token",
        "X-Auth-Token",
        "csrf-token",
        "session_tokens",
        "client_secret",
        "X-Amz-Signature",
        "sessionid",
        "api_key",
        "signing-key",
        "oauth_token",
    ],
)
def test_names_of_credentials_are_secrets(name: str) -> None:
    assert is_secret(name)


def test_all_values_of_a_form_with_too_many_fields_are_masked() -> None:
    form = "a=1&" * MAX_FIELDS + "token=secret"
    assert masked_pairs(form) == "a=****&" * MAX_FIELDS + "token=****"
    assert masked_pairs("a=1&" * MAX_FIELDS) == "a=1&" * MAX_FIELDS


MIB = 1 << 20


@pytest.mark.parametrize(
    "unit",
    [
        "a=1&",
        "token=1&",
        "%41",
        "%74%4F",
        "%25",
        "\\",
        "\\u0041",
        "\\/",
        "sandbox-",
        "s%61ndbox-",
        "tOken",
        "=",
        "%%",
    ],
)
@pytest.mark.timed
def test_masking_is_linear(unit: str) -> None:
    known, seconds = KnownSecrets([TOKEN, "another-secret"]), []
    for size in (MIB // 4, MIB):
        text = unit * (size // len(unit))
        started = process_time()
        known.masked(masked_pairs(text))
        seconds.append(process_time() - started)
    assert seconds[1] < 0.2
    assert seconds[1] < max(0.02, 12 * seconds[0])


@pytest.mark.timed
def test_names_of_any_length_are_not_kept() -> None:
    started = process_time()
    for number in range(20):
        masked_pairs(f"token{number}" + "x" * MIB + "=1")
    assert process_time() - started < 2


def test_credentials_of_a_request_do_not_displace_the_secrets_of_the_server() -> None:
    received = [f"a-long-credential-of-a-request-{number}" for number in range(100)]
    own = [f"own-{number:04}" for number in range(200)]
    known = KnownSecrets(own, received)
    for secret in own:
        assert known.masked(f"<{secret}>") == "<****>"
    assert sum(known.masked(secret) == "****" for secret in received) == 32
