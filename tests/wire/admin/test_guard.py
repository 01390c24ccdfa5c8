"""AdminGuard: who may drive the control plane, and from where."""

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from tests.support.wire import Answer, Wire, parse, request

ADMIN = "the-admin-token"

# Names and addresses that are not of the loopback interface.
ELSEWHERE = (
    *("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example"),
    *("evillocalhost", "0.0.0.0", "10.0.0.1", "[2001:db8::1]", "[::]"),
)

# What is no Host, though some would read localhost out of it.
NONSENSE = (
    *("[", "]", "[]", "[::1", "::1", "[::1%lo]", ":80", "\xff"),
    *("localhost:x", "x@localhost", "localhost/x", "localhost#", "localhost evil.example"),
    *("localhost:80:80", "localhost:65536", "localhost\x01", "[1::2::3]"),
)

# What may be a Host by its syntax, but is no name of the loopback interface.
ODD_NAMES = ("", "2130706433", "localhost,evil.example", "%6cocalhost")

# Origins of pages that are not from localhost:8765.
OTHER_ORIGINS = (
    *("http://evil.example", "null", "http://localhost", "http://localhost:8766", "http://127.0.0.1:8765"),
    *("localhost:8765", "file://", "http://localhost:8765.evil.example", "chrome-extension://abc"),
    *("https://localhost:8765", "chrome-extension://localhost:8765", "moz-extension://localhost:8765"),
    *("http://localhost:8765/", "http://localhost:8765 http://localhost:8765", "http://x@localhost:8765"),
    *("http://[localhost]:8765", "http://[::1]:8765", "://localhost:8765", "http:localhost:8765"),
)


class GuardTestCase(SynchronousTestCase):
    config = Config(seed=1)

    def setUp(self) -> None:
        self.wire = Wire(self.config)

    def call(
        self, *fields: str, peer: str = "127.0.0.1", host: str | None = "localhost", version: str = "HTTP/1.1"
    ) -> Answer:
        connection = self.wire.connect(peer)
        fields = fields if host is None else (f"Host: {host}", *fields)
        answer, rest = parse(connection.send(request(f"GET /__admin/clock {version}", *fields)))
        connection.leave()
        self.assertEqual(rest, b"")
        return answer

    def assert_refused(self, answer: Answer, status: int = 403) -> str:
        self.assertEqual(
            (answer.status, answer.source, answer.type), (status, ["gateway"], "application/json")
        )
        (error,) = answer.json()["errors"]
        return error["detail"]


class WithoutTokenTests(GuardTestCase):
    def test_callers_from_this_machine_are_answered(self) -> None:
        for peer in ("127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"):
            self.assertEqual(self.call(peer=peer).status, 200, peer)

    def test_callers_from_elsewhere_are_not_and_hear_of_the_admin_token(self) -> None:
        for peer in (
            "10.0.0.1",
            "192.168.1.5",
            "0.0.0.0",
            "::",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "fe80::1%eth0",
        ):
            self.assertIn("--admin-token", self.assert_refused(self.call(peer=peer)), peer)

    def test_every_path_and_method_is_guarded(self) -> None:
        for path in ("", "/", "/clock", "/sandboxes/x", "/nothing"):
            for method in ("GET", "POST", "DELETE", "OPTIONS", "BREW"):
                connection = self.wire.connect("10.0.0.1")
                head = request(f"{method} /__admin{path} HTTP/1.1", "Host: localhost")
                self.assert_refused(parse(connection.send(head))[0])
                connection.leave()

    def test_loopback_names_are_answered_with_and_without_a_port(self) -> None:
        names = (
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "[::1]",
            "[::ffff:127.0.0.1]",
        )
        for name in names:
            for host in (name, f"{name}:8765", f"{name}:"):
                self.assertEqual(self.call(host=host).status, 200, host)

    def test_names_that_lead_here_by_rebinding_are_not_answered(self) -> None:
        for host in ELSEWHERE:
            self.assertIn(host, self.assert_refused(self.call(host=host)))

    def test_what_is_no_host_is_400(self) -> None:
        for host in NONSENSE:
            answer = self.call(host=host)
            self.assertEqual((answer.status, answer.type), (400, "application/problem+json"), host)

    def test_odd_names_are_not_answered(self) -> None:
        for host in ODD_NAMES:
            self.assert_refused(self.call(host=host))

    def test_a_request_without_host_is_not_answered(self) -> None:
        self.assert_refused(self.call(host=None, version="HTTP/1.0"))

    def test_a_page_of_the_server_itself_may_call(self) -> None:
        for host in ("localhost:8765", "127.0.0.1:8765", "[::1]:8765", "LocalHost:8765"):
            self.assertEqual(self.call(f"Origin: http://{host.lower()}", host=host).status, 200)

    def test_the_port_that_browsers_leave_out_may_be_in_either(self) -> None:
        for host, origin in (
            ("localhost", "http://localhost:80"),
            ("localhost:80", "http://localhost"),
            ("[::1]", "http://[::1]:80"),
            ("localhost:", "HTTP://LOCALHOST"),
        ):
            self.assertEqual(self.call(f"Origin: {origin}", host=host).status, 200, host)

    def test_an_extension_of_a_browser_is_another_origin_than_the_page_of_the_same_host(self) -> None:
        for scheme in ("chrome-extension", "moz-extension", "https", "ws", "file"):
            for host in ("127.0.0.1", "127.0.0.1:8765", "[::1]"):
                detail = self.assert_refused(self.call(f"Origin: {scheme}://{host}", host=host))
                self.assertIn("another origin", detail)

    def test_a_page_of_another_origin_may_not(self) -> None:
        for origin in ("", *OTHER_ORIGINS):
            detail = self.assert_refused(self.call(f"Origin: {origin}", host="localhost:8765"))
            self.assertIn("another origin", detail)

    def test_one_origin_of_its_own_does_not_excuse_another(self) -> None:
        own, other = "Origin: http://localhost", "Origin: http://evil.example"
        for fields in ((own, other), (other, own)):
            self.assert_refused(self.call(*fields))

    def test_an_ordinary_token_changes_nothing(self) -> None:
        self.assertEqual(self.call("Authorization: Bearer whatever").status, 200)
        self.assert_refused(self.call("Authorization: Bearer test-integration-token", peer="10.0.0.1"))

    def test_the_token_of_a_sandbox_does_not_open_it_to_other_machines(self) -> None:
        token = self.wire.admin("POST", "/sandboxes").json()["token"]
        self.assertEqual(self.call(f"Authorization: Bearer {token}").status, 200)
        self.assert_refused(self.call(f"Authorization: Bearer {token}", peer="10.0.0.1"))

    def test_the_token_of_a_sandbox_that_is_gone_does_not_fall_back_to_the_default_sandbox(self) -> None:
        token = self.wire.admin("POST", "/sandboxes", {"expiresAfterSeconds": 5}).json()["token"]
        self.wire.clock.advance(5)
        for gone in (token, "sandbox-", "sandbox-1-2", token + "0"):
            self.assertIn("No such sandbox", self.assert_refused(self.call(f"Authorization: Bearer {gone}")))


class WithTokenTests(GuardTestCase):
    config = Config(seed=1, admin_token=ADMIN)

    def test_who_shows_it_is_answered_from_anywhere_and_under_any_name(self) -> None:
        for peer in ("127.0.0.1", "10.0.0.1", "2001:db8::1"):
            answer = self.call(f"Authorization: bearer {ADMIN}", peer=peer, host="mock.test:80")
            self.assertEqual(answer.status, 200, peer)

    def test_who_does_not_is_401_even_on_this_machine_and_the_token_is_not_told(self) -> None:
        wrong = ("Bearer x", f"Basic {ADMIN}", f"Bearer {ADMIN}x", "Bearer t\xf6ken", "Bearer")
        for fields in ((), *((f"Authorization: {value}",) for value in wrong)):
            answer = self.call(*fields)
            self.assertIn("admin token", self.assert_refused(answer, 401))
            self.assertEqual(answer.headers["www-authenticate"], ["Bearer"])
            self.assertNotIn(ADMIN.encode(), answer.body)

    def test_a_page_of_another_origin_may_not_even_with_the_token(self) -> None:
        for origin in ("http://evil.example", "null"):
            for host in ("mock.test", ""):
                answer = self.call(f"Authorization: Bearer {ADMIN}", f"Origin: {origin}", host=host)
                self.assert_refused(answer)

    def test_the_token_of_a_sandbox_opens_it_from_anywhere(self) -> None:
        token = self.wire.admin("POST", "/sandboxes", token=ADMIN).json()["token"]
        self.assertEqual(self.call(f"Authorization: Bearer {token}", peer="10.0.0.1").status, 200)
        self.wire.clock.advance(600)
        self.assert_refused(self.call(f"Authorization: Bearer {token}", peer="10.0.0.1"))


class OddTokenTests(GuardTestCase):
    config = Config(seed=1, admin_token="sandbox-of-mine")

    def test_an_admin_token_may_look_like_that_of_a_sandbox(self) -> None:
        self.assertEqual(self.call("Authorization: Bearer sandbox-of-mine").status, 200)


class SpellingTests(GuardTestCase):
    def test_the_control_plane_has_one_name_and_others_lead_nowhere(self) -> None:
        for path in ("//__admin/version", "/%5f_admin/version", "/__ADMIN/version"):
            self.assertEqual(self.wire.ask("GET", path).status, 404, path)
        self.assertEqual(self.wire.admin("GET", "/version").status, 200)

    def test_a_fault_that_a_call_to_it_asks_for_does_not_act(self) -> None:
        self.assertEqual(self.call("X-OAGW-Mock-Fault: reset_peer").status, 200)
