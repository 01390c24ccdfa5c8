"""What the report says of credentials; and that it says nothing where they stand where they belong."""

from typing import Any

import pytest

from oagw.verify.report.credentials import credentials_misplaced
from oagw.verify.report.finding import Finding
from tests.support.entries import CHAT, TOKEN, Entries
from tests.support.work import findings

OWN = f"sandbox-{'1' * 16}-{'a' * 32}"
OTHER = f"sandbox-{'2' * 16}-{'b' * 32}"


def found(entries: Entries, *, sandbox: bool = False) -> list[Finding]:
    all_found = findings(credentials_misplaced, entries, OWN.encode() if sandbox else None)
    for finding in all_found:
        assert finding.rule == "credentials-misplaced"
        for secret in (TOKEN, OWN, OTHER):
            assert secret not in finding.text
    return all_found


@pytest.mark.parametrize(
    ("args", "more", "word"),
    [
        ((f"{CHAT}?a={TOKEN}",), {}, "URL"),
        ((f"{CHAT}?a=test%2Dintegration%2Dtoken",), {}, "URL"),
        ((f"/api/oagw/v1/proxy/openai/{TOKEN}",), {}, "URL"),
        ((CHAT,), {"body": f'{{"key": "{TOKEN}"}}'.encode()}, "body"),
        ((CHAT, f"Cookie: a={TOKEN}"), {}, "cookie"),
        ((CHAT, f"X-Api-Key: {TOKEN}"), {}, "header field"),
        ((CHAT, f"X-Forwarded-Authorization: Bearer {TOKEN}"), {}, "header field"),
    ],
)
def test_the_gateways_token_in_another_place_is_found(
    args: tuple[str, ...], more: dict[str, Any], word: str
) -> None:
    entries = Entries()
    entries.add()
    proof = entries.add(1, "POST", *args, **more)
    (finding,) = found(entries)
    assert word in finding.text
    assert (finding.severity, finding.entries) == ("error", [proof.id])


def test_a_token_that_is_known_from_one_request_is_found_in_another() -> None:
    entries = Entries()
    entries.add()
    entries.add(1, "POST", f"{CHAT}?access_token={TOKEN}", authorization=None, status=401)
    (finding,) = found(entries)
    assert finding.entries == [entries[1].id]


def test_the_token_of_another_sandbox_is_found() -> None:
    entries = Entries()
    entries.add(authorization=f"Bearer {OWN}", body=OTHER.encode())
    (finding,) = found(entries, sandbox=True)
    assert "another sandbox" in finding.text
    entries = Entries()
    entries.add(authorization=f"Bearer {OTHER}", status=403)
    (finding,) = found(entries)
    assert "another sandbox" in finding.text


def test_the_sandboxs_own_token_is_fine_where_it_belongs() -> None:
    entries = Entries()
    entries.add(authorization=f"Bearer {OWN}")
    assert found(entries, sandbox=True) == []


def test_the_tokens_of_all_tenants_of_the_sandbox_are_its_own() -> None:
    entries = Entries()
    entries.add(authorization=f"Bearer sandbox-{'1' * 16}-{'c' * 32}")
    assert found(entries, sandbox=True) == []
    (finding,) = found(entries)  # in the default sandbox
    assert "another sandbox" in finding.text


@pytest.mark.parametrize(
    "path", ["/credstore/v1/secrets", "/types-registry/v1/entities", "/api/oagw/v1/routes"]
)
def test_all_apis_of_the_gateway_ask_for_authorization(path: str) -> None:
    entries = Entries()
    entries.add(0, "GET", path)
    assert found(entries) == []


def test_the_sandboxs_own_token_is_found_in_a_url() -> None:
    entries = Entries()
    entries.add(url=f"{CHAT}?token={OWN}", authorization=None)
    (finding,) = found(entries, sandbox=True)
    assert "URL" in finding.text


def test_basic_credentials_for_the_gateway_are_found() -> None:
    entries = Entries()
    entries.add(authorization="Basic dXNlcjpwYXNz", status=401)
    (finding,) = found(entries)
    assert "Basic" in finding.text


def test_a_password_in_the_authority_is_found() -> None:
    entries = Entries()
    entries.add(url=f"http://user:pass@gateway{CHAT}")
    (finding,) = found(entries)
    assert "authority" in finding.text


def test_authorization_where_nobody_asks_for_it_is_noted() -> None:
    entries = Entries()
    entries.add(0, "GET", "/health")
    (finding,) = found(entries)
    assert (finding.severity, finding.entries) == ("note", [entries[0].id])


def test_a_client_that_sends_its_token_where_it_belongs_is_fine() -> None:
    entries = Entries()
    entries.add(0, "GET", "/health", authorization=None)
    entries.add(
        1, "POST", "/oagw/v1/proxy/openai/v1/x?page_token=abc", "Cookie: a=b", body=b'{"max_tokens": 1}'
    )
    entries.add(2, "POST", CHAT, "X-Api-Key: an-upstreams-own-key")
    entries.add(3, authorization=None, status=401)
    assert found(entries) == []


def test_short_tokens_are_not_looked_for() -> None:
    entries = Entries()
    entries.add(authorization="Bearer v1")
    assert found(entries) == []
