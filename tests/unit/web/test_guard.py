"""BearerGuard: who gets in."""

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import IResource
from zope.interface.verify import verifyObject

from oagw.config import Config
from oagw.web.guard import BearerGuard
from oagw.web.resource import Node
from tests.support.wire import TOKEN, Answer, Wire

STATUS = "/api/oagw/v1/status"


class GuardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire(Config(tokens=(TOKEN, "second")))

    def call(self, authorization: str | None, path: str = STATUS, method: str = "GET") -> Answer:
        headers = [] if authorization is None else [f"Authorization: {authorization}"]
        return self.wire.ask(method, path, *headers, token=None)

    def test_it_is_a_resource(self) -> None:
        guard = BearerGuard(Node())
        verifyObject(IResource, guard)
        guard.putChild(b"x", Node())

    def test_each_of_the_tokens_opens(self) -> None:
        for token in (TOKEN, "second"):
            self.assertEqual(self.call(f"Bearer {token}").status, 200)

    def test_the_scheme_is_matched_in_any_case(self) -> None:
        for scheme in ("bearer", "BEARER", "bEaReR"):
            self.assertEqual(self.call(f"{scheme} {TOKEN}").status, 200)

    def test_several_spaces_before_the_token_are_one(self) -> None:
        self.assertEqual(self.call(f"Bearer   {TOKEN}").status, 200)

    def test_a_token_of_a_sandbox_that_is_gone_is_told_so(self) -> None:
        gone = "Invalid bearer token: this sandbox was deleted, or has expired"
        token = f"sandbox-{'0' * 16}-{'a' * 32}"
        for given, error in (
            (token, gone),
            (token + "0", "Invalid bearer token"),
            ("x", "Invalid bearer token"),
        ):
            answer = self.call(f"Bearer {given}")
            self.assertEqual((answer.status, answer.json()["error"]), (403, error))

    def test_without_a_bearer_token_it_is_401(self) -> None:
        for header in (
            None,
            "",
            "Bearer",
            "Bearer ",
            f"Basic {TOKEN}",
            TOKEN,
            f"Bearer{TOKEN}",
            "Bearer a b",
        ):
            answer = self.call(header)
            self.assertEqual((answer.status, answer.source), (401, ["gateway"]), header)
            self.assertEqual(answer.headers["www-authenticate"], ["Bearer"])
            self.assertEqual(answer.type, "application/problem+json")
            problem = answer.json()
            self.assertEqual(problem["detail"], "Authentication required")
            self.assertEqual(problem["context"], {"reason": "MISSING_BEARER"})
            self.assertTrue(problem["error"])

    def test_with_another_token_it_is_403_and_the_token_is_not_repeated(self) -> None:
        for token in ("wrong", TOKEN.upper(), TOKEN + "x", TOKEN[:-1], "t\xf6ken"):
            answer = self.call(f"Bearer {token}")
            self.assertEqual((answer.status, answer.source), (403, ["gateway"]), token)
            self.assertNotIn("www-authenticate", answer.headers)
            self.assertNotIn(token.encode("latin-1"), answer.body)

    def test_everything_below_the_prefix_is_guarded_whatever_the_method(self) -> None:
        for prefix in ("/api/oagw/v1", "/oagw/v1"):
            for path in ("", "/", "/status", "/proxy", "/proxy/openai/v1/models", "/nothing", "/proxy//x"):
                for method in ("GET", "POST", "OPTIONS"):
                    self.assertEqual(self.call(None, prefix + path, method).status, 401, prefix + path)

    def test_what_is_not_below_it_is_open(self) -> None:
        for path in ("/", "/health"):
            self.assertEqual(self.call(None, path).status, 200)

    def test_with_a_token_what_is_not_there_is_404(self) -> None:
        for path in ("/api/oagw/v1", "/api/oagw/v1/", "/api/oagw/v1/nothing", "/oagw/v1/proxy"):
            answer = self.call(f"Bearer {TOKEN}", path)
            self.assertEqual((answer.status, answer.source), (404, ["gateway"]), path)
