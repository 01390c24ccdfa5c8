"""Credentials of upstreams: API keys, and OAuth 2.0 tokens from a server that the tests play."""

import json
from base64 import b64decode
from collections.abc import Awaitable
from random import Random
from typing import Any
from urllib.parse import parse_qs

import pytest
from twisted.internet.defer import Deferred

from oagw.forward.credentials import APIKEY, NOOP, OAUTH2, PLUGIN, Credentials
from oagw.forward.fetch import Fetched
from oagw.forward.oauth2 import CacheLimits, Tokens
from oagw.model.memory import MIB, Memory
from oagw.model.problem import Problem
from oagw.model.tenants import ROOT, ROOT_ALONE, Identity
from oagw.model.upstream import Auth
from oagw.secrets import Secrets

CALLER = Identity(ROOT, "somebody")
FORM, BASIC = OAUTH2
CLIENT = {"client_id_ref": "cred://id", "client_secret_ref": "secret"}
ENDPOINT = {"token_endpoint": "http://auth.example/token", **CLIENT}


class Server:
    """The token server, and a clock."""

    def __init__(self, **answer: Any) -> None:
        self.now = 0.0
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer = Fetched(200, json.dumps({"access_token": "token 1", **answer}).encode())
        self.waiting: Deferred[Fetched] | None = None
        self.memory = Memory(MIB)
        self.secrets = Secrets(self.memory, Random(1), ROOT_ALONE)
        self.secrets.create(CALLER, "id", "me")
        self.secrets.create(CALLER, "secret", "s3cret: &")
        self.credentials = Credentials(self.tokens(), self.fetch, True)

    def tokens(self, **limits: Any) -> Tokens:
        return Tokens(lambda: self.now, self.secrets.tokens, CacheLimits(**limits))

    async def fetch(self, method: str, url: str, fields: dict[str, str], body: bytes) -> Fetched:
        self.asked.append((method, url, fields, body))
        if self.waiting is not None:
            return await self.waiting
        return self.answer

    def ask(self, type: str, config: dict[str, str] | None = None, caller: Identity = CALLER) -> Any:
        auth = Auth(type, config=config)
        return self.result(self.credentials.fields(auth, self.secrets, caller, 0.0))

    def result(self, coroutine: Awaitable[Any]) -> Any:
        results: list[Any] = []
        Deferred.fromCoroutine(coroutine).addBoth(results.append)  # type: ignore[arg-type]
        return results[0] if results else None


def problem(answer: Any) -> tuple[int, Any]:
    """The status and the reason."""
    assert isinstance(answer, Problem), answer
    violations = answer.context.get("field_violations", [{}])
    return answer.status, answer.context.get("reason", violations[0].get("reason"))


class TestApiKey:
    def test_it_is_prefix_and_secret_in_a_header_in_lower_case(self) -> None:
        config = {"header": "X-Api-Key", "prefix": "Key ", "secret_ref": "cred://id"}
        assert Server().ask(APIKEY, config) == ((b"x-api-key", b"Key me"),)
        assert Server().ask(APIKEY, {"header": "a", "secret_ref": "id"}) == ((b"a", b"me"),)

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({"header": "a", "secret_ref": "cred://none"}, (500, None)),
            ({"header": "a", "secret_ref": "cred://a/b"}, (401, "AUTH_PLUGIN_INTERNAL")),
            ({"header": "a"}, (401, "AUTH_PLUGIN_INTERNAL")),
            ({"secret_ref": "id"}, (401, "AUTH_PLUGIN_INTERNAL")),
            ({"header": "a b", "secret_ref": "id"}, (401, "AUTH_PLUGIN_INTERNAL")),
            ({"header": "a", "prefix": "x\r\ny: ", "secret_ref": "id"}, (401, "AUTH_PLUGIN_INTERNAL")),
        ],
    )
    def test_what_is_missing_is_a_problem(self, config: dict[str, str], expected: tuple[int, Any]) -> None:
        assert problem(Server().ask(APIKEY, config)) == expected

    def test_without_a_store_there_is_no_secret(self) -> None:
        server = Server()
        auth = Auth(APIKEY, config={"header": "a", "secret_ref": "id"})
        answer = server.result(server.credentials.fields(auth, None, CALLER, 0.0))
        assert problem(answer) == (500, None)
        assert answer.detail == "An internal error occurred. Please retry later."


@pytest.mark.parametrize("name", ["basic", "bearer", "unknown"])
def test_other_plugins_are_not_found(name: str) -> None:
    assert problem(Server().ask(f"{PLUGIN}cf.core.oagw.{name}.v1")) == (401, "AUTH_PLUGIN_NOT_FOUND")


def test_noop_adds_nothing() -> None:
    assert Server().ask(NOOP) == ()


class TestOAuth2:
    def test_credentials_go_into_the_form(self) -> None:
        server = Server()
        assert server.ask(FORM, {**ENDPOINT, "scopes": "a b"}) == ((b"authorization", b"Bearer token 1"),)
        ((method, url, fields, body),) = server.asked
        assert (method, url) == ("POST", "http://auth.example/token")
        assert fields["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(body.decode()) == {
            "grant_type": ["client_credentials"],
            "scope": ["a b"],
            "client_id": ["me"],
            "client_secret": ["s3cret: &"],
        }

    def test_or_into_authorization(self) -> None:
        server = Server()
        server.ask(BASIC, ENDPOINT)
        ((_, _, fields, body),) = server.asked
        assert b64decode(fields["authorization"].removeprefix("Basic ")) == b"me:s3cret%3A+%26"
        assert parse_qs(body.decode()) == {"grant_type": ["client_credentials"]}

    def test_an_issuer_states_its_endpoint(self) -> None:
        server = Server(token_endpoint="https://auth.example/other")
        server.ask(FORM, {"issuer_url": "http://issuer.example/x/", **CLIENT})
        assert [(method, url) for method, url, _, _ in server.asked] == [
            ("GET", "http://issuer.example/x/.well-known/openid-configuration"),
            ("POST", "https://auth.example/other"),
        ]

    @pytest.mark.parametrize(("lifetime", "until"), [(None, 270), (100, 70), (9_999, 300), (20, 0)])
    def test_a_token_is_used_until_shortly_before_its_end(self, lifetime: int | None, until: float) -> None:
        server = Server() if lifetime is None else Server(expires_in=lifetime)
        for now, requests in ((0.0, 1), (until - 0.1, 1), (until + 0.1, 2)):
            if now >= 0:
                server.now = now
                server.ask(FORM, ENDPOINT)
                assert len(server.asked) == (requests if until else len(server.asked))

    def test_the_longest_use_and_the_number_of_tokens_are_settings(self) -> None:
        server = Server(expires_in=100)
        server.credentials = Credentials(server.tokens(ttl=5.0, capacity=2), server.fetch, True)
        for now, requests in ((0.0, 1), (4.9, 1), (5.0, 2)):
            server.now = now
            server.ask(FORM, ENDPOINT)
            assert len(server.asked) == requests
        for scopes, requests in (("b", 3), ("", 3), ("c", 4), ("", 4), ("b", 5)):  # c takes the place of b
            server.ask(FORM, {**ENDPOINT, "scopes": scopes})
            assert len(server.asked) == requests, scopes
        assert len(server.secrets.tokens) == 2

    def test_tokens_count_towards_memory(self) -> None:
        server = Server(access_token="t" * 10_000)
        for scopes in ("a", "b", "a"):
            server.ask(FORM, {**ENDPOINT, "scopes": scopes})
        assert 20_000 < server.memory.documents["access tokens"] < 30_000
        server.now = 1_000.0
        server.ask(FORM, {**ENDPOINT, "scopes": "a"})  # in the place of the one that has expired
        assert len(server.secrets.tokens) == 2
        server.memory.keep("stubs", MIB)
        server.ask(FORM, {**ENDPOINT, "scopes": "c"})  # there is no room
        assert (len(server.secrets.tokens), server.memory.documents["access tokens"]) == (0, 0)
        assert len(server.asked) == 4

    def test_a_token_that_comes_after_the_end_of_a_sandbox_is_not_kept(self) -> None:
        server = Server()
        server.waiting = Deferred()
        results: list[Any] = []
        fields = server.credentials.fields(Auth(FORM, config=ENDPOINT), server.secrets, CALLER, 0.0)
        Deferred.fromCoroutine(fields).addBoth(results.append)
        server.secrets.clear()
        server.waiting.callback(server.answer)
        assert results == [((b"authorization", b"Bearer token 1"),)]
        assert sum(server.memory.documents.values()) == 0

    def test_callers_methods_and_settings_have_tokens_of_their_own(self) -> None:
        server = Server()
        for caller in (CALLER, Identity(ROOT, "another")):
            for type in (FORM, BASIC):
                for scopes in ("", "a"):
                    for _ in range(2):
                        server.ask(type, {**ENDPOINT, "scopes": scopes}, caller)
        assert len(server.asked) == 8

    def test_those_who_wait_for_the_same_token_share_a_request(self) -> None:
        server = Server()
        server.waiting = Deferred()
        results: list[Any] = []
        for _ in range(3):
            auth = Auth(FORM, config=ENDPOINT)
            fields = server.credentials.fields(auth, server.secrets, CALLER, 0.0)
            Deferred.fromCoroutine(fields).addBoth(results.append)
        server.waiting.callback(server.answer)
        assert results == [((b"authorization", b"Bearer token 1"),)] * 3
        assert len(server.asked) == 1

    def test_a_failure_is_everybodys_and_not_remembered(self) -> None:
        server = Server()
        server.waiting = Deferred()
        results: list[Any] = []
        for _ in range(2):
            auth = Auth(FORM, config=ENDPOINT)
            fields = server.credentials.fields(auth, server.secrets, CALLER, 0.0)
            Deferred.fromCoroutine(fields).addBoth(results.append)
        server.waiting.errback(OSError("refused"))
        assert [problem(one) for one in results] == [(401, "AUTH_PLUGIN_INTERNAL")] * 2
        server.waiting = None
        assert server.ask(FORM, ENDPOINT) == ((b"authorization", b"Bearer token 1"),)

    @pytest.mark.parametrize(
        "answer",
        [
            Fetched(500, b""),
            Fetched(400, b'{"error": "invalid_client"}'),
            Fetched(302, b"{}"),
            Fetched(200, b"not json"),
            Fetched(200, b"[]"),
            Fetched(200, b"{}"),
            Fetched(200, b'{"access_token": 1}'),
            Fetched(200, b'{"access_token": "a\\r\\nb: c"}'),
            Fetched(200, b'{"access_token": "a", "token_type": "mac"}'),
            Fetched(200, b'{"access_token": "a", "expires_in": "x"}'),
        ],
    )
    def test_what_is_no_token_is_a_401(self, answer: Fetched) -> None:
        server = Server()
        server.answer = answer
        assert problem(server.ask(FORM, ENDPOINT)) == (401, "AUTH_PLUGIN_INTERNAL")

    @pytest.mark.parametrize(
        ("config", "detail"),
        [
            ({**ENDPOINT, "issuer_url": "http://x"}, "token_endpoint and issuer_url are mutually exclusive"),
            (CLIENT, "one of token_endpoint or issuer_url must be set"),
            ({**ENDPOINT, "client_id_ref": ""}, "missing client_id_ref"),
            ({**ENDPOINT, "client_secret_ref": ""}, "missing client_secret_ref"),
            ({**ENDPOINT, "token_endpoint": "ftp://x"}, "invalid token_endpoint URL"),
            ({**ENDPOINT, "token_endpoint": "http://x:y"}, "invalid token_endpoint URL"),
        ],
    )
    def test_settings_that_make_no_sense_are_a_400(self, config: dict[str, str], detail: str) -> None:
        server = Server()
        answer = server.ask(FORM, config)
        assert problem(answer) == (400, "INVALID_PLUGIN_CONFIG")
        assert answer.context["field_violations"][0]["field"] == "plugin"
        assert answer.context["field_violations"][0]["description"].startswith(detail)
        assert server.asked == []

    def test_http_has_to_be_allowed(self) -> None:
        server = Server()
        server.credentials = Credentials(server.tokens(), server.fetch, False)
        assert problem(server.ask(FORM, ENDPOINT)) == (401, "AUTH_PLUGIN_INTERNAL")
        assert server.asked == []

    def test_an_issuer_cannot_lead_to_http_unless_that_is_allowed(self) -> None:
        server = Server(token_endpoint="HTTP://auth.example/other")
        server.credentials = Credentials(server.tokens(), server.fetch, False)
        answer = server.ask(FORM, {"issuer_url": "https://issuer.example", **CLIENT})
        assert problem(answer) == (401, "AUTH_PLUGIN_INTERNAL")
        assert [method for method, _, _, _ in server.asked] == ["GET"]

    def test_a_missing_secret_is_an_internal_error(self) -> None:
        server = Server()
        assert problem(server.ask(FORM, {**ENDPOINT, "client_id_ref": "cred://none"})) == (500, None)

    def test_no_problem_says_a_secret(self) -> None:
        server = Server()
        for answer in (Fetched(500, b"s3cret: &"), Fetched(200, b"{}")):
            server.answer = answer
            assert "s3cret" not in str(server.ask(FORM, ENDPOINT))
