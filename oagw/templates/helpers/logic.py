"""Helpers that compare, match and count."""

import operator
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any

from oagw.java.regex import Expression, together
from oagw.model.invalid import Invalid
from oagw.model.time_budget import BudgetExceeded
from oagw.templates.run import Failed, Run
from oagw.templates.value import MultiValue, Segments, Writer, truth

# The work of compiling a regular expression, per character. It is slow, and the client may have sent it.
_PATTERN = 150

_DECIMAL = Context(prec=60, Emax=9999, Emin=-9999, traps=[InvalidOperation, DivisionByZero])


def _yes_or_no(value: bool, options: dict[str, Any]) -> Any:
    return options.get("yes" if value else "no", value)


def _equal(run: Run, arguments: list[Any]) -> bool:
    """Compare as Java's equals does: a string is never equal to a number or a MultiValue."""
    one, other = arguments[0], arguments[1] if len(arguments) > 1 else None
    if isinstance(one, list | dict) and isinstance(other, list | dict):
        return one is other or Writer(run.spend).compact(one) == Writer(run.spend).compact(other)
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def eq(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return whether the two arguments are equal."""
    return _yes_or_no(_equal(run, arguments), options)


def neq(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return whether the two arguments differ."""
    return _yes_or_no(not _equal(run, arguments), options)


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    def helper(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
        one, other = arguments[0], arguments[1] if len(arguments) > 1 else None
        both_numbers = all(type(each) in (int, float) for each in (one, other))
        if not both_numbers and not all(isinstance(each, str) for each in (one, other)):
            raise Failed("Only two numbers or two strings can be compared")
        return _yes_or_no(compare(one, other), options)

    return helper


gt, gte, lt, lte = (_comparison(compare) for compare in (operator.gt, operator.ge, operator.lt, operator.le))


def both(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return whether all arguments are true."""
    return _yes_or_no(all(map(truth, arguments)), options)


def either(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return whether any argument is true."""
    return _yes_or_no(any(map(truth, arguments)), options)


def negated(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return whether the argument is false."""
    return _yes_or_no(not truth(arguments[0]), options)


def contains(run: Run, arguments: list[Any], options: dict[str, Any]) -> bool:
    """Return whether a string contains a substring, a list a string, or a map a key."""
    if len(arguments) < 2:
        raise Failed("You must specify the string or array to be matched and the regular expression")
    value, part = arguments[0], arguments[1]
    if value is None or part is None:
        return False
    if isinstance(value, list | dict):
        return run.text(part) in value
    return run.text(part) in run.text(value)


def matches(run: Run, arguments: list[Any], options: dict[str, Any]) -> bool:
    """Return whether the whole text matches a regular expression."""
    if len(arguments) < 2:
        raise Failed("You must specify the string to be matched and the regular expression")
    return _groups(run, arguments[0], run.text(arguments[1])) is not None


def regex_extract(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return the first match of a regular expression, or set the third argument to its groups."""
    if len(arguments) < 2:
        raise Failed("You must specify the string to be matched and the regular expression")
    pattern = run.text(arguments[1])
    found = _groups(run, arguments[0], pattern, r"(?s:.*?)(%s)(?s:.*)")
    if found and len(arguments) < 3:
        return found[0]
    if found and len(found) > 1:
        run.variables[run.text(arguments[2])] = MultiValue(found[1:])
        return None
    if "default" in options:
        return options["default"]
    raise Failed(f"Nothing matched {pattern}")


def _groups(run: Run, value: Any, pattern: str, within: str = "%s") -> tuple[str, ...] | None:
    run.spend(_PATTERN * len(pattern))
    try:
        with together():
            _expression(pattern)
            whole = _expression(within.replace("%s", pattern))
        return whole.groups(run.text(value), run.received)
    except Invalid:
        raise Failed(f"Invalid regex string {pattern}") from None
    except BudgetExceeded as error:
        run.stop(str(error))


@lru_cache(maxsize=512)
def _expression(pattern: str) -> Expression:
    return Expression(pattern, flags="")


def math(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Compute ``a + b`` and so on like Java's BigDecimal: a quotient has the scale of the dividend."""
    if len(arguments) != 3:
        raise Failed("All maths functions require two operands and an operator as parameters e.g. 3 '+' 2")
    one, sign, other = _number(run, arguments[0]), run.text(arguments[1]), _number(run, arguments[2])
    with localcontext(_DECIMAL):
        if sign == "+":
            result = one + other
        elif sign == "-":
            result = one - other
        elif sign in ("*", "x"):
            result = one * other
        elif sign == "/":
            if not other:
                raise Failed("/ by zero")
            result = (one / other).quantize(Decimal((0, (1,), int(one.as_tuple().exponent))), ROUND_HALF_UP)
        elif sign == "%":
            if not other:
                raise Failed("/ by zero")
            result = one % other
        else:
            raise Failed(f"{sign} is not a valid mathematical operator")
        return int(result) if result.as_tuple().exponent == 0 else float(result)


def _number(run: Run, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | MultiValue | Segments):
        return Decimal(0)
    try:
        number = Decimal(run.text(value))
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() and abs(number.adjusted()) < 400 else Decimal(0)
