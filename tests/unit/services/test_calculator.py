"""The calculator. What is wrong with its body as JSON is in ``tests/unit/web/test_body.py``."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Answer, Wire

MOST = 2**63 - 1


class CalculatorTests(SynchronousTestCase):
    def calculate(self, operation: str, a: Any, b: Any) -> Answer:
        task = {"operation": operation, "a": a, "b": b}
        return Wire().post_json("/api/oagw/v1/proxy/calculator/calculate", task)

    def test_the_four_operations(self) -> None:
        for operation, a, b, result in (
            ("add", 10, 5, 15),
            ("subtract", 10, 15, -5),
            ("multiply", 6, 7, 42),
            ("divide", 100, 4, 25.0),
            ("divide", 1, 3, 1 / 3),
            ("add", 1.5, 2, 3.5),
            ("multiply", 2.0, 3, 6.0),
            ("add", MOST, 0, MOST),
            ("subtract", -1, MOST, -MOST - 1),
        ):
            answer = self.calculate(operation, a, b)
            self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
            self.assertEqual(answer.json(), {"operation": operation, "a": a, "b": b, "result": result})
            self.assertEqual(type(answer.json()["result"]), type(result))

    def test_a_true_division_is_written_as_a_float(self) -> None:
        self.assertTrue(self.calculate("divide", 100, 4).body.endswith(b'"result":25.0}'))

    def test_what_cannot_be_calculated_is_400(self) -> None:
        for operation, a, b, said in (
            ("divide", 1, 0, "Division by zero"),
            ("divide", 1.5, 0.0, "Division by zero"),
            ("divide", 0, -0.0, "Division by zero"),
            ("modulo", 1, 2, "Unknown operation: modulo; there are multiply, add, subtract, divide"),
            ("", 1, 2, "Unknown operation: ; there are add, subtract, multiply, divide"),
            (
                "ADD",
                1,
                2,
                'Unknown operation: ADD, did you mean "add"? There are add, divide, subtract, multiply',
            ),
            ("add", MOST, 1, "Result out of range"),
            ("multiply", 2**40, 2**40, "Result out of range"),
            ("multiply", 1e200, 1e200, "Result out of range"),
            ("divide", 1e300, 1e-300, "Result out of range"),
            ("add", 2**63, 1, "Number out of range - at $.a"),
            ("add", 1, -(2**63) - 1, "Number out of range - at $.b"),
            ("add", 10**4000, 1, "Number out of range - at $.a"),
        ):
            answer = self.calculate(operation, a, b)
            self.assertEqual((answer.status, answer.source), (400, ["upstream"]), said)
            self.assertEqual(answer.json(), {"error": said})

    def test_a_number_of_a_million_digits_is_refused(self) -> None:
        body = b'{"operation": "multiply", "a": ' + b"9" * 1_000_000 + b', "b": 2}'
        answer = Wire().post_json("/api/oagw/v1/proxy/calculator/calculate", body)
        self.assertEqual(answer.json(), {"error": "Integer value out of range - at $.a"})
