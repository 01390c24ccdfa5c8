"""The method of a stub: WireMock's words, and no stub that can never match."""

from tests.support.wire_case import WireTestCase


class MethodTests(WireTestCase):
    def status(self, method: str, path: str = "/api/oagw/v1/proxy/stripe/x") -> int:
        return self.wire.ask(method, path).status

    def stub(self, method: object) -> int:
        url = "/api/oagw/v1/proxy/stripe/x"
        mapping = {"request": {"method": method, "url": url}, "response": {"status": 299}}
        return self.wire.admin("POST", "/mappings", mapping).status

    def test_get_or_head_is_both_and_nothing_else(self) -> None:
        self.assertEqual(self.stub("GET_OR_HEAD"), 201)
        self.assertEqual([self.status(m) for m in ("GET", "HEAD", "POST")], [299, 299, 404])

    def test_a_stub_for_get_does_not_answer_head(self) -> None:
        self.stub("GET")
        self.assertEqual(self.status("HEAD"), 404)

    def test_null_and_any_are_all_methods(self) -> None:
        for method in (None, "ANY"):
            self.assertEqual(self.stub(method), 201)
            self.assertEqual([self.status(m) for m in ("GET", "PURGE", "DELETE")], [299, 299, 299])

    def test_a_method_that_nobody_knows_is_matched_as_it_is(self) -> None:
        self.assertEqual(self.stub("PURGE"), 201)
        self.assertEqual(self.status("PURGE"), 299)
        self.assertEqual(self.status("GET"), 404)

    def test_a_request_is_matched_in_upper_case(self) -> None:
        self.stub("PURGE")
        self.assertEqual(self.status("purge"), 299)

    def test_a_method_that_no_request_can_have_is_refused(self) -> None:
        for method in ("get", "Post", "any", "get_or_head", "GET ", "", "G E T", "É", "X\r\n"):
            url = "/api/oagw/v1/proxy/stripe/x"
            answer = self.wire.admin("POST", "/mappings", {"request": {"method": method, "url": url}})
            self.assertEqual(answer.status, 422, method)
            (error,) = answer.json()["errors"]
            self.assertEqual(error["source"]["pointer"], "/request/method")
        self.assertIn('did you mean "GET"?', self.refusal("get"))

    def test_verification_and_searches_refuse_it_as_well(self) -> None:
        for path in ("/requests/find", "/requests/count"):
            self.assertEqual(self.wire.admin("POST", path, {"method": "get"}).status, 422)
        self.assertEqual(self.wire.admin("POST", "/verify", {"request": {"method": "get"}}).status, 422)
        self.stub("GET_OR_HEAD")
        self.status("HEAD")
        self.assertEqual(
            self.wire.admin("POST", "/requests/count", {"method": "GET_OR_HEAD"}).json()["count"], 1
        )

    def refusal(self, method: str) -> str:
        answer = self.wire.admin("POST", "/mappings", {"request": {"method": method}})
        detail: str = answer.json()["errors"][0]["detail"]
        return detail
