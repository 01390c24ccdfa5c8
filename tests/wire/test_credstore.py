"""The credential store at /credstore/v1, and how secrets stay secret."""

import gzip
import json
from typing import Any

from tests.support.upstreams import PROXY, UpstreamsTestCase
from tests.support.wire import TOKEN, Answer, request

SECRETS = "/credstore/v1/secrets"
VALUE = "s3cret-of-the-vendor"
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
OAUTH2 = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.oauth2_client_cred.v1"


class CredstoreTestCase(UpstreamsTestCase):
    def post(self, reference: str = "key", value: Any = VALUE, **members: Any) -> Answer:
        return self.wire.post_json(SECRETS, {"reference": reference, "value": value, **members})

    def change(
        self, method: str, match: str | None, value: Any = None, reference: str = "key", **more: Any
    ) -> Answer:
        headers = ["Content-Type: application/json"] + ([] if match is None else [f"If-Match: {match}"])
        body = b"" if value is None else json.dumps({"value": value, **more}).encode()
        return self.wire.ask(method, f"{SECRETS}/{reference}", *headers, body=body)

    def read(self, reference: str = "key", token: str | None = TOKEN) -> Answer:
        return self.wire.ask("GET", f"{SECRETS}/{reference}", token=token)

    def violated(self, answer: Answer) -> tuple[int, str, str]:
        self.assertEqual(answer.json()["context"]["resource_type"], "gts.cf.core.credstore.secret.v1~")
        return self.reason(answer)


class SecretsTests(CredstoreTestCase):
    def test_without_a_token_it_is_a_401(self) -> None:
        for path in (SECRETS, f"{SECRETS}/key", "/credstore/v1/other"):
            answer = self.wire.ask("GET", path, token=None)
            self.assertEqual((answer.status, answer.json()["context"]["reason"]), (401, "MISSING_BEARER"))

    def test_a_life(self) -> None:
        answer = self.post()
        self.assertEqual(
            (answer.status, answer.body, answer.headers["location"]), (201, b"", [f"{SECRETS}/key"])
        )
        self.assertEqual((self.post().status, self.post("other").status), (409, 201))
        answer = self.read()
        (tag,) = answer.headers["etag"]
        self.assertEqual(answer.headers["cache-control"], ["no-store"])
        metadata = answer.json()["metadata"]
        self.assertEqual(answer.json()["value"], VALUE)
        self.assertEqual(
            metadata,
            {
                "owner_tenant_id": str(self.sandbox.tenants.root),
                "sharing": "tenant",
                "is_inherited": False,
                "version": 1,
                "type": None,
            },
        )
        self.assertEqual(self.change("PUT", tag, "another", sharing="shared").status, 204)
        answer = self.read()
        self.assertEqual(
            (answer.json()["value"], answer.json()["metadata"]["sharing"]), ("another", "shared")
        )
        for method, value in (("PUT", "third"), ("DELETE", None)):
            answer = self.change(method, tag, value)
            self.assertEqual(
                (answer.status, answer.json()["context"]["reason"]), (409, "OPTIMISTIC_LOCK_FAILURE")
            )
        self.assertEqual(self.change("PUT", "*", "third").status, 204)
        self.assertEqual(self.read().json()["metadata"]["sharing"], "shared")
        self.assertEqual(self.change("DELETE", self.read().headers["etag"][0]).status, 204)
        self.assertEqual((self.read().status, self.change("DELETE", "*").status), (404, 404))
        self.assertEqual(self.change("PUT", "*", "never creates").status, 409)

    def test_a_change_of_sharing_does_not_replace_another_secret(self) -> None:
        self.post(value="of the tenant")
        self.assertEqual(self.post(value="own", sharing="private").status, 201)
        for sharing in ("tenant", "shared"):
            answer = self.change("PUT", "*", "another", sharing=sharing)
            self.assertEqual((answer.status, answer.source), (409, ["gateway"]))
            problem = answer.json()
            self.assertEqual(
                (problem["title"], problem["context"]["resource_name"]), ("Already Exists", "key")
            )
        self.assertEqual(self.read().json()["value"], "own")
        self.assertEqual(self.change("DELETE", "*").status, 204)
        self.assertEqual(self.read().json()["value"], "of the tenant")

    def test_what_is_refused(self) -> None:
        self.assertEqual(self.violated(self.post("a/b")), (400, "reference", "INVALID_SECRET_REF"))
        self.assertEqual(self.post(unknown=1).status, 422)
        self.assertEqual(self.post(sharing="all").status, 422)
        answer = self.post(value=12345678)
        self.assertEqual((answer.status, b"12345678" in answer.body), (422, False))
        self.assertEqual(self.wire.ask("POST", SECRETS, body=b"{}").status, 415)
        self.post()
        self.assertEqual(self.violated(self.change("PUT", None, "x")), (400, "If-Match", "IF_MATCH_REQUIRED"))
        self.assertEqual(
            self.violated(self.change("PUT", "key.1", "x")), (400, "If-Match", "INVALID_IF_MATCH")
        )
        self.assertEqual(self.violated(self.change("DELETE", None)), (400, "If-Match", "IF_MATCH_REQUIRED"))

    def test_one_that_has_expired_is_gone_and_can_be_made_again(self) -> None:
        self.assertEqual(
            self.post(expires_at="2023-11-14T22:13:30Z", type="key").status, 201
        )  # in ten seconds
        self.assertEqual((self.read().json()["metadata"]["type"], self.post().status), ("key", 409))
        self.wire.clock.advance(11)
        self.assertEqual((self.read().status, self.post().status), (404, 201))

    def test_a_sandbox_has_its_own_and_a_reset_deletes_all(self) -> None:
        self.post()
        sandbox = self.wire.admin("POST", "/sandboxes").json()
        self.assertEqual(self.read(token=sandbox["token"]).status, 404)
        self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}")
        self.wire.admin("POST", "/reset")
        self.assertEqual(self.read().status, 404)


class ConcealedTests(CredstoreTestCase):
    def journal(self) -> str:
        return self.wire.admin("GET", "/requests").body.decode()

    def test_no_journal_has_a_value(self) -> None:
        self.post(value="short")
        self.change("PUT", "*", "tiny")
        body = json.dumps({"reference": "b", "value": VALUE}).encode()
        for target in (
            SECRETS,
            "/%63redstore/v1/secrets",
            "http://gateway/credstore/v1/secrets",
            f"/{SECRETS}",
        ):
            self.wire.ask("POST", target, "Content-Type: application/json", body=body)
            self.wire.ask("POST", target, "Content-Type: application/json", body=body[:-3])
            packed = gzip.compress(body)
            self.wire.ask(
                "POST", target, "Content-Type: application/json", "Content-Encoding: gzip", body=packed
            )
        journal = self.journal()
        for value in ("short", "tiny", VALUE, VALUE[:-2]):
            self.assertNotIn(value, journal)
        self.assertIn('\\"reference\\": \\"key\\"', journal)

    def test_a_credential_reaches_the_upstream_and_nothing_else(self) -> None:
        auth = {"type": APIKEY, "config": {"header": "X-Key", "prefix": "Key ", "secret_ref": "cred://key"}}
        self.post()
        self.registered(auth=auth)
        echo = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Echo: Key %b\r\n\r\n" % VALUE.encode()
        self.reactor.answer = lambda *_: echo
        self.assertEqual(self.ask("/v1", "X-Key: mine").status, 200)
        self.assertEqual(self.reactor.requests[0].values("x-key"), [f"Key {VALUE}"])
        self.assertNotIn(VALUE, self.journal())
        self.assertNotIn(VALUE, " ".join(self.wire.log))
        self.reactor.answer = lambda *_: None
        self.assertNotIn(VALUE, self.ask().body.decode())

    def test_a_credential_is_known_whatever_its_prefix(self) -> None:
        words = "correct horse battery"
        self.post()
        self.post("words", words)
        for prefix, name, value in (("key=", "key", VALUE), ("Key ", "words", words)):
            auth = {"type": APIKEY, "config": {"header": "X-Key", "prefix": prefix, "secret_ref": name}}
            upstream = self.registered(auth=auth)
            echo = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Echo: %b\r\n\r\n" % value.encode()
            self.reactor.answer = lambda *_, echo=echo: echo
            self.assertEqual(self.ask().headers["x-echo"], [value])
            self.assertNotIn(value, self.journal())
            self.sandbox.registry_store().delete_upstream(upstream)

    def test_a_token_is_fetched_once_for_those_who_wait(self) -> None:
        config = {
            "token_endpoint": "http://127.0.0.2:80/token",
            "client_id_ref": "cred://id",
            "client_secret_ref": "cred://key",
        }
        self.post()
        self.post("id", "client")
        self.registered(auth={"type": OAUTH2, "config": config})
        token = json.dumps({"access_token": "the-access-token", "expires_in": 100}).encode()
        answers = {
            80: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(token), token),
            9900: b"HTTP/1.1 204 No Content\r\n\r\n",
        }
        self.reactor.answer = lambda _, address: answers[address[1]]
        connections = [self.wire.connect() for _ in range(3)]
        for connection in connections:
            connection.send(
                request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", f"Authorization: Bearer {TOKEN}")
            )
        connections[0].leave()
        for _ in range(3):
            self.wire.clock.advance(0)
        for connection in connections[1:]:
            self.assertTrue(connection.take().startswith(b"HTTP/1.1 204 "))
            connection.leave()
        asked, *called = self.reactor.requests
        self.assertEqual(
            asked.body, b"grant_type=client_credentials&client_id=client&client_secret=" + VALUE.encode()
        )
        self.assertEqual([one.values("authorization") for one in called], [["Bearer the-access-token"]] * 2)
        self.assertNotIn("the-access-token", self.journal())
        self.wire.clock.advance(70)  # thirty seconds before it expires
        self.assertEqual(self.ask().status, 204)
        self.assertEqual(len(self.reactor.requests), 5)
