"""Calculator: four operations on two numbers."""

import math
import operator
from collections.abc import Callable, Mapping

import msgspec
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.body import read_json
from oagw.web.reply import UPSTREAM, Reply, json_reply
from oagw.web.resource import Refused

Number = int | float

OPERATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}

# What every client can hold: a signed 64-bit integer.
INTEGERS = range(-(2**63), 2**63)


class Calculation(msgspec.Struct):
    """The body of a request; other members are ignored."""

    operation: str
    a: Number
    b: Number


_calculation = msgspec.json.Decoder(Calculation)


class Calculate(UpstreamNode):
    """POST /calculate {"operation": str, "a": number, "b": number} → 200, the same and "result".

    Integers give an integer, but for ``divide``, which is a true division. 400: division by zero, an
    unknown operation, an integer (given or resulting) beyond 64 bits, a result beyond a double.
    """

    def render_POST(self, request: Request) -> Reply:
        task = read_json(request, _calculation)
        operation = OPERATIONS.get(task.operation)
        if operation is None:
            raise Refused(400, f"Unknown operation: {task.operation[:100]}", field="operation")
        for name, operand in (("a", task.a), ("b", task.b)):
            _require_in_range(operand, f"Number out of range - at $.{name}")
        try:
            result = operation(task.a, task.b)
        except ZeroDivisionError:
            raise Refused(400, "Division by zero", field="b") from None
        _require_in_range(result, "Result out of range")
        return json_reply(
            {"operation": task.operation, "a": task.a, "b": task.b, "result": result},
            source=UPSTREAM,
        )


def _require_in_range(number: Number, message: str) -> None:
    if number not in INTEGERS if isinstance(number, int) else not math.isfinite(number):
        raise Refused(400, message)


def tree(env: Env) -> UpstreamNode:
    """The calculator API."""
    return UpstreamNode({b"calculate": Calculate()})
