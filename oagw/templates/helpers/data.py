"""Helpers for JSON, forms, lists and maps."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from oagw.java.date import Moment
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.reading import check_values
from oagw.model.time_budget import BudgetExceeded
from oagw.templates.helpers.random_values import integer
from oagw.templates.run import STEP, Failed, Run
from oagw.templates.value import JsonList, JsonMap, MultiValue, Writer, step


def loaded(run: Run, text: str) -> Any:
    """Return the JSON ``text``, parsed once per rendering, as a shared value; raises ValueError."""
    if text not in run.documents:
        run.documents[text] = parsed(run, text)
    return run.documents[text]


def parsed(run: Run, text: str) -> Any:
    """Return the JSON ``text`` as a new value, which may be changed; raises ValueError."""
    run.spend(len(text))
    try:
        check_values(text)
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise ValueError from None


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not valid in JSON")


def json_path(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return the value that a JSONPath selects, or a list if the path is indefinite."""
    document = arguments[0]
    if document is None or document == "":
        return ""
    if len(arguments) < 2 or arguments[1] is None:
        raise Failed("The JSONPath cannot be empty")
    path = run.text(arguments[1])
    run.spend(STEP * len(path))
    if isinstance(document, str):
        run.spend(len(document))
        try:
            document = loaded(run, document)
        except ValueError:
            if document.lstrip()[:1] not in ("{", "["):
                return options.get("default", "")
            raise Failed(f"{document} is not valid JSON") from None
    value = _found(run, path, document)
    return options.get("default", "") if value is None else _marked(run, value, JsonMap)


def _found(run: Run, path: str, document: Any) -> Any:
    try:
        return _selector(path)(document, run.received)
    except Invalid:
        raise Failed(f"{path} is not a valid JSONPath expression") from None
    except BudgetExceeded as error:
        run.stop(str(error))


@lru_cache(maxsize=512)
def _selector(path: str) -> Callable[[Any, Call], Any]:
    from oagw.matching.json_path import selector  # the catalogue has preloaded it

    rooted = "$" + path[1:] if path[:1] in ("$", "@") else f"$.{path}"
    return selector(rooted, "")


def _marked(run: Run, value: Any, kind: type[dict[str, Any]] = dict) -> Any:
    """Return ``value`` as a type that is written as JSON."""
    if not isinstance(value, dict | list):
        return value
    run.spend(4 * len(value))
    if isinstance(value, dict):
        return kind({key: _marked(run, each) for key, each in value.items()})
    return JsonList([_marked(run, each) for each in value])


def parse_json(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Parse JSON. With a name, set that variable instead of returning the value."""
    try:
        value = loaded(run, run.text(arguments[0]))
    except ValueError:
        raise Failed("parseJson: the text is not valid JSON") from None
    return _named(run, arguments[1:], value)


def _named(run: Run, names: list[Any], value: Any) -> Any:
    if not names:
        return value
    run.variables[run.text(names[0])] = value
    return None


def to_json(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Return a value as JSON."""
    value = str(arguments[0]) if isinstance(arguments[0], Moment) else arguments[0]
    return "" if value is None else Writer(run.spend).pretty(value)


def format_json(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Reformat JSON with line breaks, or without white space (``compact``)."""
    style = options.get("format", "pretty")
    if style not in ("pretty", "compact"):
        raise Failed(f"formatJson: format [{run.text(style)}] should be one of [pretty, compact]")
    try:
        value = loaded(run, run.text(arguments[0]))
    except ValueError:
        raise Failed("formatJson: the text is not valid JSON") from None
    writer = Writer(run.spend, nulls=True)
    return writer.pretty(value) if style == "pretty" else writer.compact(value)


def form_data(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Parse a form to a map of its fields. With a name, set that variable instead of returning it."""
    decode = unquote_plus if options.get("urlDecode") is True else str
    form: dict[str, MultiValue] = {}
    text = run.text(arguments[0])
    run.spend(len(text) + STEP * (text.count("&") + text.count("%")))
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if value:
            form.setdefault(decode(name), MultiValue()).append(decode(value))
    return _named(run, arguments[1:], form)


def array(run: Run, arguments: list[Any], options: dict[str, Any]) -> list[Any]:
    """Return the arguments as a list."""
    return arguments


def array_add(run: Run, arguments: list[Any], options: dict[str, Any]) -> list[Any]:
    """Return the list with a value inserted at ``position`` (a number, start or end)."""
    values = _list(arguments)
    values.insert(_position(options, len(values), len(values)), arguments[1])
    return values


def array_remove(run: Run, arguments: list[Any], options: dict[str, Any]) -> list[Any]:
    """Return the list without its last item, or the one at ``position``."""
    values = _list(arguments)
    del values[_position(options, len(values) - 1, len(values) - 1)]
    return values


def _list(arguments: list[Any]) -> list[Any]:
    if not isinstance(arguments[0], list):
        raise Failed("The first argument must be a list")
    return list(arguments[0])


def _position(options: dict[str, Any], end: int, last: int) -> int:
    position = options.get("position", "end")
    position = {"start": 0, "end": end}.get(position, position) if isinstance(position, str) else position
    if not isinstance(position, int) or not 0 <= position <= last:
        raise Failed(
            "position must be greater than or equal to 0 and less than or equal to the size of the list"
        )
    return position


def range_between(run: Run, arguments: list[Any], options: dict[str, Any]) -> list[int]:
    """Return the integers from the first argument to the second, inclusive."""
    if len(arguments) < 2 or not all(isinstance(each, int | str) for each in arguments[:2]):
        raise Failed("The range helper requires both lower and upper bounds as integer parameters")
    lower, upper = (integer(each, "range: a bound") for each in arguments[:2])
    run.spend(STEP * max(0, upper - lower))
    return list(range(lower, upper + 1))


def size(run: Run, arguments: list[Any], options: dict[str, Any]) -> int | str:
    """Return the number of characters or members."""
    value = arguments[0]
    return len(value) if isinstance(value, str | list | dict) else ""


def lookup(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return the member of the first argument that the second argument names."""
    return step(arguments[0], run.text(arguments[1]))


def val(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Return the value, or that of ``or`` if it is missing. With ``assign``, set that variable instead."""
    value = options.get("or") if arguments[0] is None else arguments[0]
    return _named(run, [options["assign"]], value) if "assign" in options else value


def assign(run: Run, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Set a variable to the body of the block."""
    return _named(run, arguments[1:], arguments[0])
