"""Secrets: whatever form they are sent in, what is shown does not have them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.secret import Known, is_secret, masked, masked_url

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
    assert secret not in Known([secret]).masked(before + secret + after)


def test_of_two_known_secrets_the_longer_goes_whole() -> None:
    assert Known(["secret-1", "secret-1-more"]).masked("<secret-1-more> <secret-1>") == "<****> <****>"


def test_short_words_are_no_known_secrets() -> None:
    assert Known(["abc", ""]).masked("abc") == "abc"


def test_the_token_of_any_sandbox_is_known() -> None:
    token = f"sandbox-{'0' * 16}-{'a' * 32}"
    assert Known([]).masked(f'{{"token": "{token}"}}') == '{"token": "****"}'
