"""What becomes of an answer that a stub cannot give as it is defined, and of one that nobody waits for."""

from base64 import b64encode

from oagw.timing import ticker
from oagw.web import deliver
from tests.support.wire import BEARER, request
from tests.support.wire_case import WireTestCase

URL = "/api/oagw/v1/proxy/stripe/v1/charges"


class EdgeTests(WireTestCase):
    def stub(self, response: object, url: str = URL) -> str:
        answer = self.wire.admin("POST", "/mappings", {"request": {"url": url}, "response": response})
        self.assertEqual(answer.status, 201, answer)
        id: str = answer.json()["id"]
        return id

    def test_a_template_that_would_take_too_much_is_a_422_of_the_gateway_that_names_its_stub(self) -> None:
        body = "{{#each (range 1 99999)}}{{#each (range 1 99999)}}x{{/each}}{{/each}}"
        id = self.stub({"body": body, "transformers": ["response-template"]})
        answer = self.wire.ask("GET", URL)
        self.assertEqual((answer.status, answer.source), (422, ["gateway"]))
        self.assertIn(f"The template of stub {id}: /response/body: ", answer.json()["error"])
        self.assertIn("line 1", answer.json()["error"])

    def test_bytes_that_are_no_text_are_sent_as_they_are_even_by_a_template(self) -> None:
        body = b"\xff{{request.url}}"
        self.stub({"base64Body": b64encode(body).decode(), "transformers": ["response-template"]})
        self.assertEqual(self.wire.ask("GET", URL).body, body)

    def test_an_event_whose_data_is_no_text_is_json_and_one_without_any_is_its_fields(self) -> None:
        self.stub({"sse": [{"data": {"a": [1]}}, {"event": "ping"}, {"comment": "x", "raw": ":y\n\n"}, {}]})
        self.assertEqual(self.wire.ask("GET", URL).body, b'data: {"a": [1]}\n\nevent: ping\n\n:y\n\n: x\n\n')

    def test_an_answer_that_breaks_when_its_time_comes_is_a_500(self) -> None:
        self.stub({"body": "yes", "fixedDelayMilliseconds": 1000})
        self.connection.send(request(f"GET {URL} HTTP/1.1", "Host: g", BEARER))

        def broken(*_: object) -> None:
            raise ZeroDivisionError

        self.patch(deliver, "send", broken)
        self.wire.clock.advance(1.01)
        self.assertIn(b" 500 ", self.connection.take())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_of_many_answers_that_fall_due_at_once_some_wait_for_the_next_turn(self) -> None:
        self.stub({"body": "yes", "fixedDelayMilliseconds": 1000})
        self.patch(ticker, "MAX_WRITES", 3)
        connections = [self.wire.connect() for _ in range(10)]
        for connection in connections:
            connection.send(request(f"GET {URL} HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(1.01)
        self.assertEqual(sum(b"yes" in connection.take() for connection in connections), 3)
        self.wire.clock.pump([0.005] * 4)
        self.assertEqual(sum(b"yes" in connection.take() for connection in connections), 7)
        for connection in connections:
            connection.leave()
