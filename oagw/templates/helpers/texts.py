"""Helpers that transform text."""

import re
from base64 import b64decode, b64encode
from decimal import Context, Decimal
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from oagw.templates.helpers.random_values import integer
from oagw.templates.run import MAX_OUTPUT, STEP, Failed, Run
from oagw.templates.value import listed, truth

_PATTERN = re.compile(r"([^#0,.%]*)([#,]*)([0,]*)(?:\.(0*)(#*))?(%?)([^#0,.%]*)")
_NAMED = {"": "#,##0.###", "integer": "#,##0", "percent": "#,##0%", "currency": "¤#,##0.00"}
_ROUNDINGS = ["up", "down", "ceiling", "floor", "half_up", "half_down", "half_even"]


def _falsy(run: Run, arguments: list[Any]) -> str | None:
    """Return what the string helpers of Handlebars.java return for null, false and 0: the next argument."""
    if truth(arguments[0]):
        return None
    return run.text(arguments[1]) if len(arguments) > 1 else ""


def hostname(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Return a fixed name, to reveal nothing about this machine."""
    return "localhost"


def upper(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Convert to upper case."""
    return run.text(arguments[0]).upper() if truth(arguments[0]) else ""


def lower(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Convert to lower case."""
    return run.text(arguments[0]).lower() if truth(arguments[0]) else ""


def capitalize(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Capitalize each word. With ``fully``, convert the other letters to lower case."""
    text = run.text(arguments[0]) if truth(arguments[0]) else ""
    text = text.lower() if options.get("fully") is True else text

    def capital(found: re.Match[str]) -> str:
        run.spend(STEP >> 2)
        return found[0].upper()

    return re.sub(r"(?<!\S)\S", capital, text)


def capitalize_first(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Capitalize the first letter."""
    text = run.text(arguments[0]) if truth(arguments[0]) else ""
    return text[:1].upper() + text[1:]


def trim(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Remove white space at both ends."""
    return run.text(arguments[0]).strip()


def replace(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Replace the second argument by the third."""
    if (default := _falsy(run, arguments)) is not None:
        return default
    text, old, new = map(run.text, arguments[:3])
    if len(text) + text.count(old) * len(new) > MAX_OUTPUT:
        run.stop("a text is too long")
    return text.replace(old, new)


def substring(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Return the substring from the second argument (inclusive) to the third (exclusive)."""
    if (default := _falsy(run, arguments)) is not None:
        return default
    text = run.text(arguments[0])
    start = integer(arguments[1], "substring: the start")
    end = integer(arguments[2], "substring: the end") if len(arguments) > 2 else len(text)
    if not 0 <= start <= end <= len(text):
        raise Failed(f"begin {start}, end {end}, length {len(text)}")
    return text[start:end]


def cut(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Remove the second argument, by default a space."""
    if (default := _falsy(run, arguments)) is not None:
        return default
    return run.text(arguments[0]).replace(run.text(arguments[1]) if len(arguments) > 1 else " ", "")


def default_if_empty(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return the first argument, or the second if the first is empty."""
    return arguments[0] if truth(arguments[0]) else arguments[1]


def join(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Join the members of a list, or the arguments, with the last argument as separator."""
    *values, between = arguments
    return _joined(run, values[0] if isinstance(values[0], list) else values, between, options)


def array_join(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Join the members of a list, or the arguments, with the first argument as separator."""
    between, *values = arguments
    if not isinstance(between, str):
        raise Failed("Separator parameter must be a String")
    items = listed(values)
    if items is None:
        raise Failed("The parameter must be list")
    return _joined(run, items, between, options)


def _joined(run: Run, values: list[Any], between: Any, options: dict[str, Any]) -> str:
    glue, pieces = run.text(between), []
    for value in values:
        pieces.append(run.text(value))
        run.spend(len(pieces[-1]) + len(glue))
    return f"{run.text(options.get('prefix'))}{glue.join(pieces)}{run.text(options.get('suffix'))}"


def ljust(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Pad on the right to ``size``."""
    text = run.text(arguments[0])
    return text + _padding(run, text, options)


def rjust(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Pad on the left to ``size``."""
    text = run.text(arguments[0])
    return _padding(run, text, options) + text


def _padding(run: Run, text: str, options: dict[str, Any]) -> str:
    missing = integer(options.get("size"), "size") - len(text)
    if missing > MAX_OUTPUT:
        run.stop("a text is too long")
    return run.text(options.get("pad", " "))[:1] * missing


def base64(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Encode as Base64, or decode with ``decode``."""
    text = run.text(arguments[0])
    if options.get("decode") is not True:
        encoded = b64encode(text.encode("utf-8", "replace")).decode()
        return encoded.rstrip("=") if options.get("padding") is False else encoded
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8", "replace")
    except ValueError:
        raise Failed("base64: the text is not valid base64") from None


def url_encode(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Encode as application/x-www-form-urlencoded, or decode with ``decode``."""
    text = run.text(arguments[0])
    if options.get("decode") is True:
        return unquote_plus(text)
    return quote_plus(text, safe="*", errors="replace").replace("~", "%7E")


def number_format(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Format a number: ``percent``, or a pattern of Java's DecimalFormat such as ``0.00`` or ``#,##0.##``."""
    value = arguments[0]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Failed("numberFormat: the value is not a number")
    pattern = run.text(arguments[1]) if len(arguments) > 1 else ""
    rounding = run.text(options.get("roundingMode", "half_even"))
    found = _PATTERN.fullmatch(_NAMED.get(pattern, pattern)) if len(pattern) <= 64 else None
    if found is None or rounding not in _ROUNDINGS:
        raise Failed(f"numberFormat: {pattern} with {rounding} is not supported")
    before, _, zeros, decimals, optional, percent, after = (group or "" for group in found.groups())
    how = Context(400, f"ROUND_{rounding.upper()}")
    number = Decimal(str(value)) * (100 if percent else 1)
    exact = number.quantize(Decimal(1).scaleb(-len(decimals + optional)), context=how)
    whole, _, part = f"{abs(exact):f}".partition(".")
    part = part[: len(decimals)] + part[len(decimals) :].rstrip("0")
    whole = whole.lstrip("0").rjust(zeros.count("0"), "0") or ("" if part else "0")
    if "," in found[2] + found[3]:
        width = len((found[2] + found[3]).rpartition(",")[2])
        if not width:
            raise Failed(f"numberFormat: {pattern} is not supported")
        groups = [whole[max(0, end - width) : end] for end in range(len(whole), 0, -width)]
        whole = ",".join(reversed(groups))
    sign = "-" if exact < 0 else ""
    return f"{sign}{before}{whole}{'.' if part else ''}{part}{percent}{after}"
