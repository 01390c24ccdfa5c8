"""Behaviours 69 to 79, 137, 152 and 173: credentials of upstreams and the credential store."""

import json
from base64 import b64decode
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.conformance.client import (
    APIKEY,
    NOOP,
    Answer,
    Client,
    Clients,
    new_alias,
    problem,
    upstream,
    violation,
)
from tests.conformance.conftest import ours
from tests.conformance.lab import Lab, Peer, Received, free_port
from tests.conformance.rigged import rig as rig_of

PLUGIN = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw."
FORM, BASIC = f"{PLUGIN}oauth2_client_cred.v1", f"{PLUGIN}oauth2_client_cred_basic.v1"
ALL = {"request": {"passthrough": "all"}}
CREDENTIAL = "gts.cf.core.credstore.secret.v1~"


def apikey(reference: str, **config: str) -> dict[str, Any]:
    return {"type": APIKEY, "config": {"header": "X-Api-Key", "secret_ref": f"cred://{reference}", **config}}


def reason(answer: Answer, expected: str) -> None:
    assert problem(answer, 401, "unauthenticated")["context"]["reason"] == expected
    assert (answer.source, answer.header("www-authenticate")) == ("gateway", None)


def test_069_noop(root: Client, lab: Lab) -> None:
    assert root.call(root.at(lab.port, auth={"type": NOOP}, headers=ALL)).status == 200
    assert lab.only().names == {"host", "content-length", "connection", "x-request-id"}


def test_070_apikey(root: Client, lab: Lab) -> None:
    reference = root.secret("key-of-the-vendor")
    alias = root.at(lab.port, auth=apikey(reference, prefix="Key "), headers=ALL)
    assert root.call(alias, "X-API-Key: mine", "x-api-key: mine too").status == 200
    assert lab.only().values("x-api-key") == ["Key key-of-the-vendor"]
    assert ("x-api-key", "Key key-of-the-vendor") in lab.only().fields
    lab.clear()
    bare = apikey(reference)
    bare["config"]["secret_ref"] = reference
    assert root.call(root.at(lab.port, auth=bare)).status == 200
    assert lab.only().values("x-api-key") == ["key-of-the-vendor"]


class Issuer:
    """The part of the lab that issues tokens."""

    def __init__(self, lab: Lab, **document: Any) -> None:
        self.document: Any = {"access_token": "issued", "token_type": "Bearer", "expires_in": 600, **document}
        self.status = 200
        self.lab = lab
        lab.script = self.script

    def script(self, request: Received, peer: Peer) -> None:
        if request.target == "/token":
            peer.answer(
                self.status, "Content-Type: application/json", body=json.dumps(self.document).encode()
            )
        elif request.target == "/.well-known/openid-configuration":
            document = {"token_endpoint": f"http://127.0.0.1:{self.lab.port}/token"}
            peer.answer(200, "Content-Type: application/json", body=json.dumps(document).encode())
        else:
            peer.answer()

    @property
    def asked(self) -> list[Received]:
        """The requests for a token."""
        return [request for request in self.lab.requests if request.target == "/token"]

    @property
    def called(self) -> list[Received]:
        """The calls."""
        return [request for request in self.lab.requests if request.target == "/v1"]


def oauth2(root: Client, lab: Lab, type: str = FORM, **config: str) -> dict[str, Any]:
    given = {
        "token_endpoint": f"http://127.0.0.1:{lab.port}/token",
        "client_id_ref": f"cred://{root.secret('client+id')}",
        "client_secret_ref": f"cred://{root.secret('client secret')}",
        **config,
    }
    return {"type": type, "config": {name: value for name, value in given.items() if value}}


def test_071_oauth2_with_a_form(root: Client, lab: Lab) -> None:
    issuer = Issuer(lab)
    alias = root.at(lab.port, auth=oauth2(root, lab, scopes="read write"), headers=ALL)
    assert root.call(f"{alias}/v1").status == 200
    (asked,) = issuer.asked
    assert (asked.method, asked.values("content-type")) == ("POST", ["application/x-www-form-urlencoded"])
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["read write"],
        "client_id": ["client+id"],
        "client_secret": ["client secret"],
    }
    (called,) = issuer.called
    assert called.values("authorization") == ["Bearer issued"]


def test_071_issuer(root: Client, lab: Lab) -> None:
    issuer = Issuer(lab)
    auth = oauth2(root, lab, token_endpoint="", issuer_url=f"http://127.0.0.1:{lab.port}/")
    assert root.call(f"{root.at(lab.port, auth=auth)}/v1").status == 200
    assert issuer.called[0].values("authorization") == ["Bearer issued"]


def test_072_oauth2_with_basic(root: Client, lab: Lab) -> None:
    issuer = Issuer(lab)
    assert root.call(f"{root.at(lab.port, auth=oauth2(root, lab, BASIC))}/v1").status == 200
    (asked,) = issuer.asked
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"]}
    scheme, _, value = asked.values("authorization")[0].partition(" ")
    # RFC 6749 section 2.3.1: both are encoded as in a form.
    assert (scheme, b64decode(value)) == ("Basic", b"client%2Bid:client+secret")


def test_073_reused_token(root: Client, lab: Lab) -> None:
    for lifetime, fetched in ((600, 1), (30, 3), (31, 1)):
        lab.clear()
        issuer = Issuer(lab, expires_in=lifetime)
        alias = root.at(lab.port, auth=oauth2(root, lab))
        for _ in range(3):
            assert root.call(f"{alias}/v1").status == 200
        assert (len(issuer.asked), len(issuer.called)) == (fetched, 3), lifetime


@pytest.mark.double
def test_073_token_expires(patient: Any, lab: Lab) -> None:
    client, advance = patient
    for lifetime, seconds in ((100, 70), (10_000, 300)):
        lab.clear()
        issuer = Issuer(lab, expires_in=lifetime)
        alias = client.at(lab.port, auth=oauth2(client, lab))
        client.call(f"{alias}/v1")
        advance(seconds - 1)
        client.call(f"{alias}/v1")
        assert len(issuer.asked) == 1
        advance(1)
        client.call(f"{alias}/v1")
        assert len(issuer.asked) == 2


def test_074_failing_token_endpoint(root: Client, lab: Lab) -> None:
    issuer = Issuer(lab)
    alias = root.at(lab.port, auth=oauth2(root, lab))
    for status, document in (
        (500, {}),
        (401, {"error": "invalid_client"}),
        (200, {}),
        (200, ["issued"]),
        (200, {"access_token": "issued", "token_type": "mac"}),
    ):
        issuer.status, issuer.document = status, document
        reason(root.call(f"{alias}/v1"), "AUTH_PLUGIN_INTERNAL")
    closed = oauth2(root, lab, token_endpoint=f"http://127.0.0.1:{free_port()}/token")
    reason(root.call(f"{root.at(lab.port, auth=closed)}/v1"), "AUTH_PLUGIN_INTERNAL")
    assert issuer.called == []


def test_075_missing_secret(root: Client, lab: Lab) -> None:
    reference = root.secret("will be gone")
    alias = root.at(lab.port, auth=apikey(reference))
    path = f"//credstore/v1/secrets/{reference}"
    assert root.ask("DELETE", path, headers={"If-Match": "*"}).status == 204
    missing = root.at(lab.port, auth=oauth2(root, lab, client_id_ref=f"cred://{new_alias()}"))
    for target in (alias, missing):
        answer = root.call(target)
        document = problem(answer, 500, "internal")
        assert document["detail"] == "An internal error occurred. Please retry later."
        assert (answer.source, reference in answer.body.decode()) == ("gateway", False)
    assert lab.requests == []


def test_076_contradictory_configuration(root: Client, lab: Lab) -> None:
    for config, phrase in (
        ({"issuer_url": "http://127.0.0.1/"}, "token_endpoint and issuer_url are mutually exclusive"),
        ({"token_endpoint": ""}, "one of token_endpoint or issuer_url must be set"),
        ({"client_id_ref": ""}, "missing client_id_ref"),
        ({"client_secret_ref": ""}, "missing client_secret_ref"),
        ({"token_endpoint": "nonsense"}, "invalid token_endpoint URL"),
    ):
        answer = root.call(root.at(lab.port, auth=oauth2(root, lab, **config)))
        document = violation(answer, "plugin", "INVALID_PLUGIN_CONFIG")
        assert phrase in document["context"]["field_violations"][0]["description"]


def test_077_unknown_plugin(root: Client, lab: Lab) -> None:
    for type in (f"{PLUGIN}basic.v1", f"{PLUGIN}bearer.v1", f"{PLUGIN}none.v1", "any"):
        reason(root.call(root.at(lab.port, auth={"type": type})), "AUTH_PLUGIN_NOT_FOUND")


def test_077_holes_in_the_configuration(root: Client, lab: Lab) -> None:
    reference = root.secret("key")
    for config in (
        {},
        {"header": "x-key"},
        {"secret_ref": reference},
        {"header": "a b", "secret_ref": reference},
    ):
        reason(root.call(root.at(lab.port, auth={"type": APIKEY, "config": config})), "AUTH_PLUGIN_INTERNAL")


def test_078_secret_at_create(root: Client) -> None:
    answer = root.post("/upstreams", upstream(auth=apikey("conformance-missing")))
    document = problem(answer, 400, "failed_precondition")
    (found,) = document["context"]["violations"]
    assert (found["type"], found["subject"]) == ("STATE", "auth.config.secret_ref")
    answer = root.post("/upstreams", upstream(auth=apikey("a/b")))
    assert "invalid secret_ref" in problem(answer, 400, "invalid_argument")["detail"]


def test_079_secrets_stay_secret(root: Client, lab: Lab) -> None:
    value = "secret-value-of-079"
    reference = root.secret(value)
    alias = root.at(lab.port, auth=apikey(reference))
    texts = [root.call(alias).body, root.get("/upstreams?limit=100").body]
    lab.script = lambda request, peer: peer.reset()
    texts.append(root.call(alias).body)
    root.change(alias, plugins={"items": [{"plugin_ref": "gts.cf.core.oagw.guard_plugin.v1~x.y.z.a.v1"}]})
    texts.append(root.call(alias).body)
    assert not [text for text in texts if value.encode() in text]


@pytest.mark.double
def test_079_nor_does_the_journal_show_them(root: Client, lab: Lab) -> None:
    value = "secret-value-of-the-journal"
    reference = root.secret(value)
    alias = root.at(lab.port, auth=apikey(reference))
    lab.script = lambda request, peer: peer.answer(200, f"X-Echo: {request.values('x-api-key')[0]}")
    assert root.call(alias).header("x-echo") == value
    assert value.encode() not in root.ask("GET", "//__admin/requests").body


SECRETS = "//credstore/v1/secrets"


def test_137_life_of_a_secret(root: Client) -> None:
    reference = root.secret("first")
    path = f"{SECRETS}/{reference}"
    again = root.ask("POST", SECRETS, {"reference": reference, "value": "x"})
    assert problem(again, 409, "already_exists")["context"]["resource_type"] == CREDENTIAL
    answer = root.ask("GET", path)
    assert answer.json() == {
        "value": "first",
        "metadata": {
            "owner_tenant_id": root.tenant,
            "sharing": "tenant",
            "is_inherited": False,
            "version": 1,
            "type": answer.json()["metadata"]["type"],
        },
    }
    assert answer.header("cache-control") == "no-store"
    tag = answer.header("etag") or ""
    assert tag[0] == tag[-1] == '"'
    assert root.ask("PUT", path, {"value": "second", "sharing": "shared"}, {"If-Match": tag}).status == 204
    stale = root.ask("PUT", path, {"value": "third"}, {"If-Match": tag})
    assert problem(stale, 409, "aborted")["context"]["reason"] == "OPTIMISTIC_LOCK_FAILURE"
    assert root.ask("PUT", path, {"value": "third"}, {"If-Match": "*"}).status == 204
    document = root.ask("GET", path).json()
    assert (document["value"], document["metadata"]["sharing"]) == ("third", "shared")
    assert root.ask("DELETE", path, headers={"If-Match": "*"}).status == 204
    assert root.ask("GET", path).status == 404
    assert root.ask("DELETE", path, headers={"If-Match": "*"}).status == 404
    never = root.ask("PUT", path, {"value": "x"}, {"If-Match": "*"})
    assert problem(never, 409, "aborted")["context"]["reason"] == "OPTIMISTIC_LOCK_FAILURE"


def test_137_what_is_refused(root: Client) -> None:
    path = f"{SECRETS}/{root.secret('x')}"
    violation(root.ask("PUT", path, {"value": "y"}), "If-Match", "IF_MATCH_REQUIRED")
    for tag in ("x", '"x"', 'W/"x"', '""'):
        violation(root.ask("PUT", path, {"value": "y"}, {"If-Match": tag}), "If-Match", "INVALID_IF_MATCH")
    for reference in ("", "a/b", "a b", "ü", "x" * 256):
        answer = root.ask("POST", SECRETS, {"reference": reference, "value": "x"})
        violation(answer, "reference", "INVALID_SECRET_REF")
    assert root.ask("POST", SECRETS, {"reference": "x", "value": "x", "more": 1}).status == 422
    assert root.ask("POST", SECRETS, {"reference": "x", "value": "x", "sharing": "all"}).status == 422


def test_152_secrets_are_those_of_the_caller(clients: Clients, lab: Lab) -> None:
    root, above, child = clients("root"), clients("hierarchy_root"), clients("left_child")
    values = {}
    for sharing in ("tenant", "shared", "private"):
        reference = above.secret(f"value-of-{sharing}", sharing)
        values[sharing] = above.at(lab.port, auth={**apikey(reference), "sharing": "inherit"})
    assert [above.call(alias).status for alias in values.values()] == [200, 200, 200]
    assert [child.call(alias).status for alias in values.values()] == [500, 200, 500]
    own = child.secret("value-of-the-child")
    above.secret("unused")
    alias = above.at(lab.port)
    assert root.ask("GET", f"{SECRETS}/{own}").status == 404
    lab.clear()
    assert above.call(alias).status == 200


def test_152_inherited_secrets_are_shown_as_such(hierarchy_root: Client, left_child: Client) -> None:
    shared, private = (hierarchy_root.secret("x", sharing) for sharing in ("shared", "private"))
    metadata = left_child.ask("GET", f"{SECRETS}/{shared}").json()["metadata"]
    assert (metadata["is_inherited"], metadata["owner_tenant_id"]) == (True, hierarchy_root.tenant)
    assert left_child.ask("GET", f"{SECRETS}/{private}").status == 404
    assert left_child.ask("PUT", f"{SECRETS}/{shared}", {"value": "y"}, {"If-Match": "*"}).status == 409


@pytest.fixture(scope="module")
def strict() -> Any:
    """A client of our server that allows only public https upstreams."""
    with ours(ssrf_protection=True, allow_http_upstream=False) as url:
        client = Client(rig_of(url), "root")
        yield client
        client.clean_up()


@pytest.mark.double
def test_173_token_endpoint_without_tls(strict: Client, lab: Lab) -> None:
    alias = strict.at(443, "echo.test", scheme="https", auth=oauth2(strict, lab))
    reason(strict.call(alias), "AUTH_PLUGIN_INTERNAL")
    assert lab.requests == []


@pytest.mark.double
def test_139_strict_gateway(strict: Client) -> None:
    for host in ("127.0.0.1", "10.1.2.3", "localhost"):
        document = upstream(host=host)
        if host == "localhost":
            del document["alias"]
        assert (
            "is blocked by SSRF protection"
            in problem(strict.post("/upstreams", document), 400, "invalid_argument")["detail"]
        )
    answer = strict.call(strict.at(80, "weather.test"))
    violation(answer, "endpoint.scheme", "HTTP_UPSTREAM_FORBIDDEN")


@pytest.mark.double
def test_139_names_that_resolve_into_a_blocked_network(strict: Client, lab: Lab) -> None:
    """The name is that of a stub's target: an upstream with a name of this machine would be refused."""
    alias = new_alias()
    mapping = {
        "request": {"urlPathPattern": f".*/{alias}/.*"},
        "response": {"proxyBaseUrl": f"http://localhost:{lab.port}"},
    }
    made = strict.ask("POST", "//__admin/mappings", mapping).json()
    document = problem(strict.call(f"{alias}/v1"), 503, "service_unavailable")
    assert document["context"]["retry_after_seconds"] == 10
    assert (lab.requests, lab.connections) == ([], 0)
    strict.ask("DELETE", f"//__admin/mappings/{made['id']}")
