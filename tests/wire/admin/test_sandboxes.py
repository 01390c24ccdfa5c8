"""/__admin/sandboxes: what they keep apart, who may see them, and how they go away."""

import gc
import weakref
from typing import Any

import oagw.sandboxes
from tests.support.wire import Answer, Connection, request
from tests.support.wire_case import WireTestCase

WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"


class SandboxTestCase(WireTestCase):
    def tearDown(self) -> None:
        for sandbox in self.wire.gateway.sandboxes:
            self.wire.admin("DELETE", f"/sandboxes/{sandbox.id}")
        super().tearDown()

    def create(self, value: Any = None) -> dict[str, Any]:
        answer = self.wire.admin("POST", "/sandboxes", value)
        self.assertEqual(answer.status, 201)
        return answer.json()

    def weather(self, token: str) -> int:
        return self.wire.ask("GET", WEATHER, token=token).status

    def stream(self, token: str) -> Connection:
        connection = self.wire.connect()
        target = "/oagw/v1/proxy/stream-test/events?count=1000&interval=100"
        connection.send(request(f"GET {target} HTTP/1.1", "Host: g", f"Authorization: Bearer {token}"))
        return connection

    def detail(self, answer: Answer) -> str:
        return answer.json()["errors"][0]["detail"]


class LifeTests(SandboxTestCase):
    def test_a_new_one_has_an_id_and_a_token_that_opens_the_proxy(self) -> None:
        sandbox = self.create()
        self.assertEqual(set(sandbox), {"id", "token", "expiresAfterSeconds"})
        self.assertEqual(sandbox["expiresAfterSeconds"], 600)
        self.assertEqual(self.weather(sandbox["token"]), 200)

    def test_each_has_its_own_journal(self) -> None:
        first, second = self.create(), self.create()
        for token, times in ((first["token"], 2), (second["token"], 1), ("test-integration-token", 3)):
            for _ in range(times):
                self.weather(token)
        requests = {s["id"]: s["requests"] for s in self.wire.admin("GET", "/sandboxes").json()["sandboxes"]}
        self.assertEqual(requests, {first["id"]: 2, second["id"]: 1})
        self.assertEqual(len(self.wire.gateway.sandboxes.default.journal), 3)

    def test_a_verification_says_where_requests_came_if_there_are_none_here(self) -> None:
        def text(token: str | None = None) -> str:
            answer = self.wire.admin("POST", "/verify", {"request": {"method": "GET"}}, token=token)
            return answer.json()["text"].splitlines()[-1]

        self.weather("test-integration-token")  # before there was a sandbox
        self.wire.clock.advance(1)
        token = self.create()["token"]
        self.assertEqual(text(token), "No requests were received.")
        self.weather("test-integration-token")
        self.assertEqual(
            text(token),
            "No requests were received with this sandbox's token, but 1 in the default sandbox: "
            "does the client send the sandbox's token?",
        )
        self.wire.admin("DELETE", "/requests")
        self.assertEqual(text(), "No requests were received.")
        self.weather(token)
        self.assertEqual(
            text(),
            "No requests were received in the default sandbox, but 1 in others: "
            "does the test verify with the sandbox's token?",
        )

    def test_it_is_shown_without_its_token(self) -> None:
        sandbox = self.create({"expiresAfterSeconds": 20})
        self.wire.clock.advance(5)
        shown = self.wire.admin("GET", f"/sandboxes/{sandbox['id']}")
        self.assertEqual(
            shown.json(),
            {
                "id": sandbox["id"],
                "expiresAfterSeconds": 20,
                "expiresInSeconds": 15,
                "requests": 0,
                "open": 0,
            },
        )
        self.assertNotIn(sandbox["token"].encode(), self.wire.admin("GET", "/sandboxes").body)

    def test_after_its_delete_it_is_gone_and_its_token_is_403_everywhere(self) -> None:
        sandbox = self.create()
        answer = self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}")
        self.assertEqual((answer.status, answer.body), (204, b""))
        for method in ("GET", "DELETE"):
            self.assertEqual(self.wire.admin(method, f"/sandboxes/{sandbox['id']}").status, 404)
        self.assertEqual(self.weather(sandbox["token"]), 403)
        self.assertEqual(self.wire.admin("GET", "/sandboxes", token=sandbox["token"]).status, 403)

    def test_a_deleted_sandbox_is_not_kept_by_anything(self) -> None:
        sandbox = self.create()
        streams = self.stream(sandbox["token"]), self.stream(sandbox["token"])
        self.weather(sandbox["token"])
        kept = weakref.ref(self.wire.gateway.sandboxes.get(sandbox["id"]))
        self.wire.admin("DELETE", f"/sandboxes/{sandbox['id']}", token=sandbox["token"])
        for stream in streams:
            stream.leave()
        del streams, stream
        gc.collect()
        self.assertIsNone(kept())

    def test_what_is_being_answered_in_a_deleted_one_is_cut_and_nothing_else(self) -> None:
        first, second = self.create(), self.create()
        streams = [self.stream(sandbox["token"]) for sandbox in (first, first, second)]
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{first['id']}").json()["open"], 2)
        self.wire.admin("DELETE", f"/sandboxes/{first['id']}")
        self.assertEqual([stream.transport.disconnected for stream in streams], [True, True, False])
        for stream in streams:
            self.assertNotIn(b"\r\n0\r\n", stream.take())
            stream.leave()

    def test_there_may_be_only_so_many(self) -> None:
        self.patch(oagw.sandboxes, "MAX_SANDBOXES", 2)
        self.create()
        self.create()
        answer = self.wire.admin("POST", "/sandboxes")
        self.assertEqual(answer.status, 429)
        self.assertIn("delete some", self.detail(answer))

    def test_what_is_asked_of_a_new_one_is_checked(self) -> None:
        bodies: list[Any] = [
            {"expiresAfterSeconds": 0},
            {"expiresAfterSeconds": 604_801},
            {"expires": 1},
            [],
            b"{",
        ]
        for body in bodies:
            answer = self.wire.admin("POST", "/sandboxes", body)
            self.assertEqual(answer.status, 422, body)
        self.assertEqual(self.wire.admin("POST", "/sandboxes", {}).status, 201)

    def test_an_unknown_one_is_404(self) -> None:
        for path in ("/sandboxes/x", "/sandboxes/%FF", "/sandboxes/x/y"):
            self.assertEqual(self.wire.admin("GET", path).status, 404)


class ExpiryTests(SandboxTestCase):
    def test_one_that_is_not_used_is_freed_without_a_call(self) -> None:
        sandbox = self.create({"expiresAfterSeconds": 10})
        self.wire.clock.advance(10)
        self.assertEqual(len(self.wire.gateway.sandboxes), 0)
        self.assertEqual(self.weather(sandbox["token"]), 403)

    def test_a_request_or_a_call_of_the_control_plane_puts_the_end_off(self) -> None:
        sandbox = self.create({"expiresAfterSeconds": 10})
        self.wire.clock.advance(9)
        self.weather(sandbox["token"])
        self.wire.clock.advance(9)
        self.assertEqual(self.wire.admin("GET", "/clock", token=sandbox["token"]).status, 200)
        self.wire.clock.advance(9.9)
        self.assertEqual(len(self.wire.gateway.sandboxes), 1)
        self.wire.clock.advance(0.1)
        self.assertEqual(len(self.wire.gateway.sandboxes), 0)

    def test_an_open_stream_is_a_use_until_it_ends(self) -> None:
        sandbox = self.create({"expiresAfterSeconds": 10})
        stream = self.stream(sandbox["token"])
        self.wire.clock.advance(95)
        self.assertEqual(self.weather(sandbox["token"]), 200)
        stream.leave()
        self.wire.clock.advance(9.9)
        self.assertEqual(len(self.wire.gateway.sandboxes), 1)
        self.wire.clock.pump([0.1, 0])
        self.assertEqual(len(self.wire.gateway.sandboxes), 0)

    def test_each_expires_at_its_own_time(self) -> None:
        for seconds in (30, 10, 20):
            self.create({"expiresAfterSeconds": seconds})
        left = []
        for _ in range(3):
            self.wire.clock.advance(10)
            left.append(len(self.wire.gateway.sandboxes))
        self.assertEqual(left, [2, 1, 0])

    def test_a_gateway_that_stops_waits_for_none(self) -> None:
        self.create()
        self.connection.leave()
        self.assertEqual(len(self.wire.clock.getDelayedCalls()), 1)
        self.successResultOf(self.wire.gateway.stop())
        self.assertEqual(self.wire.clock.getDelayedCalls(), [])
        self.connection = self.wire.connect()


class InsideTests(SandboxTestCase):
    def test_from_inside_one_sees_and_deletes_itself_alone(self) -> None:
        own, other = self.create(), self.create()
        token = own["token"]
        (seen,) = self.wire.admin("GET", "/sandboxes", token=token).json()["sandboxes"]
        self.assertEqual(seen["id"], own["id"])
        for method in ("GET", "DELETE"):
            answer = self.wire.admin(method, f"/sandboxes/{other['id']}", token=token)
            self.assertEqual(answer.status, 404)
        self.assertEqual(self.wire.admin("GET", f"/sandboxes/{own['id']}", token=token).status, 200)
        self.assertEqual(self.wire.admin("DELETE", f"/sandboxes/{own['id']}", token=token).status, 204)
        self.assertEqual([s.id for s in self.wire.gateway.sandboxes], [other["id"]])

    def test_from_inside_none_can_be_made(self) -> None:
        answer = self.wire.admin("POST", "/sandboxes", token=self.create()["token"])
        self.assertEqual(answer.status, 403)
