"""The calculator service: four operations on two numbers."""

import math
import operator
from collections.abc import Callable, Mapping

import msgspec
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.services import Env, UpstreamNode
from oagw.web.body import read_json
from oagw.web.reply import UPSTREAM, Reply, json_reply

Number = int | float

OPERATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}

# Integers are limited to signed 64 bits, which clients in every language can represent.
INTEGERS = range(-(2**63), 2**63)


class Calculation(msgspec.Struct):
    """The body of a request. Other members are ignored."""

    operation: str
    a: Number
    b: Number


_calculation = msgspec.json.Decoder(Calculation)


class Calculate(UpstreamNode):
    """POST /calculate {"operation": str, "a": number, "b": number} → 200, the same members and "result".

    The result of integers is an integer, except for ``divide``, which is true division. Division by zero, an
    unknown operation, an operand or result outside signed 64 bits, and an infinite result are rejected with
    400.
    """

    def render_POST(self, request: Request) -> Reply:
        calculation = read_json(request, _calculation)
        a, b = calculation.a, calculation.b
        operation = OPERATIONS.get(calculation.operation)
        if operation is None:
            name = calculation.operation
            message = f"Unknown operation: {name[:100]}{suggestion(name, OPERATIONS)}"
            raise Refused(400, message, field="operation")
        for name, operand in (("a", a), ("b", b)):
            _require_in_range(operand, f"Number out of range - at $.{name}")
        try:
            result = operation(a, b)
        except ZeroDivisionError:
            raise Refused(400, "Division by zero", field="b") from None
        _require_in_range(result, "Result out of range")
        return json_reply(
            {"operation": calculation.operation, "a": a, "b": b, "result": result}, source=UPSTREAM
        )


def _require_in_range(number: Number, message: str) -> None:
    if number not in INTEGERS if isinstance(number, int) else not math.isfinite(number):
        raise Refused(400, message)


class Calculator(UpstreamNode):
    """The root of the API."""

    paths = ("POST /calculate",)


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the calculator API."""
    return Calculator({b"calculate": Calculate()})
