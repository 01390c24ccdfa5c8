"""Helpers that edit JSON text: jsonMerge, jsonRemove, jsonArrayAdd and jsonSort."""

from typing import TYPE_CHECKING, Any

from oagw.model.invalid import Invalid
from oagw.model.time_budget import BudgetExceeded
from oagw.templates.helpers.data import parsed
from oagw.templates.run import STEP, Failed, Run
from oagw.templates.value import Writer

if TYPE_CHECKING:
    from oagw.matching.jsonpath import Nodes, Path

# The work of parsing a JSONPath, per character.
_PATH = 50

# The name of a JSONPath parameter in error messages.
_PARAMETER = ("JSONPath parameter", "JSONPath parameter is not a")


def json_merge(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Merge the second object into the first. With ``removeNulls``, remove members that are null in it."""
    base = _object(run, arguments, 0, "Base JSON parameter", "Base JSON")
    other = _object(run, arguments, 1, "JSON to merge", "JSON to merge")
    remove = _flag(options, "removeNulls")
    waiting = [(base, other)]
    while waiting:
        under, over = waiting.pop()
        for name, value in over.items():
            run.spend(STEP)
            below = under.get(name)
            if isinstance(below, dict) and isinstance(value, dict):
                waiting.append((below, value))
            elif value is None and remove:
                under.pop(name, None)
            else:
                under[name] = value
    return Writer(run.spend).compact(base)


def json_remove(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Remove what a JSONPath selects from JSON."""
    document = _parsed(run, _text(arguments, 0, "Input JSON"), "Input JSON string")
    if len(arguments) != 2:
        raise Failed("A single JSONPath expression parameter must be supplied")
    expression = arguments[1]
    removals: dict[int, tuple[Any, set[Any]]] = {}
    for node in _found(run, _path(run, expression, *_PARAMETER), document):
        if node.parent is None:
            raise Failed(f"Delete operation cannot be applied to JSONPath expression ('{expression}')")
        run.spend(STEP)
        keys = removals.setdefault(id(node.parent), (node.parent, set()))[1]
        keys.update(node.key if isinstance(node.key, tuple) else (node.key,))
    for parent, keys in removals.values():
        if isinstance(parent, list):
            parent[:] = [each for index, each in enumerate(parent) if index not in keys]
        for key in keys if isinstance(parent, dict) else ():
            del parent[key]
    return Writer(run.spend, drop_nulls=True).compact(document)


def json_array_add(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Append an item to an array, or the items of a list (``flatten``), and keep the last ``maxItems`` items.

    The array is at ``jsonPath``, by default the whole JSON.
    """
    text = _text(arguments, 0, "Base JSON")
    document = _parsed(run, text, "Base JSON")
    if document is None:
        raise Failed(f"Base JSON is not valid JSON ('{text}')")
    item = _parsed(run, _text(arguments, 1, "Item-to-add JSON"), "Item-to-add JSON")
    count, flatten, expression = options.get("maxItems"), _flag(options, "flatten"), options.get("jsonPath")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise Failed("maxItems option must be an integer")
    if count is not None and count < 0:
        raise Failed("maxItems option integer must be positive")
    target, where = document, f"'{text}'"
    if "jsonPath" in options:
        path = _path(run, expression, "jsonPath option", "jsonPath option is not")
        if not path.definite:
            raise Failed(f"jsonPath option must select one array ('{expression}')")
        nodes = _found(run, path, document)
        target, where = nodes[-1].value if nodes else None, f"root: '{text}', jsonPath: '{expression}'"
    if not isinstance(target, list):
        raise Failed(f"Target JSON is not a JSON array ({where})")
    if isinstance(item, list) and flatten:
        target += item
    else:
        target.append(item)
    if count is not None:
        del target[: max(0, len(target) - count)]
    return Writer(run.spend, drop_nulls=True).compact(document)


def json_sort(run: Run, arguments: list[Any], options: dict[str, Any]) -> str:
    """Sort the array before ``[*]`` in a JSONPath by the value that the path selects in each element.

    ``order`` is asc or desc. ``nulls`` is first or last, and is reversed by desc.
    """
    document = _parsed(run, _text(arguments, 0, "Input JSON"), "Input JSON string")
    if len(arguments) != 2:
        raise Failed("A single JSONPath expression parameter must be supplied")
    order, nulls = _choice(options, "order", "asc", "desc"), _choice(options, "nulls", "first", "last")
    expression = arguments[1]
    path = _path(run, expression, *_PARAMETER)
    before, star, _ = expression.partition("[*]")
    if not star:
        raise Failed("JSONPath must have [*] after the array, as in $.users[*].name")
    container = _path(run, before or "$", *_PARAMETER)
    arrays = _found(run, container, document) if container.definite else ()
    array = arrays[-1].value if arrays else None
    if not isinstance(array, list):
        raise Failed(f"JSONPath does not select an array ('{before or '$'}')")
    keys = [node.value for node in _found(run, path, document)]
    if len(keys) != len(array):
        raise Failed(f"JSONPath selects {len(keys)} values for an array of {len(array)} ('{expression}')")
    run.spend(STEP * len(array))
    array[:] = _sorted(array, keys, descending=order == "desc", nulls_first=nulls == "first")
    return Writer(run.spend, drop_nulls=True).compact(document)


def _sorted(values: list[Any], keys: list[Any], *, descending: bool, nulls_first: bool) -> list[Any]:
    kinds = {_kind(key) for key in keys if key is not None}
    if len(kinds) > 1 or None in kinds:
        raise Failed("The values to sort by must all be numbers, all strings, or all booleans")

    def rank(index: int) -> tuple[bool, Any]:
        key = keys[index]
        return (not nulls_first, 0) if key is None else (nulls_first, key)

    return [values[index] for index in sorted(range(len(values)), key=rank, reverse=descending)]


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else None


def _choice(options: dict[str, Any], name: str, *choices: str) -> str:
    value: str = options.get(name, choices[0])
    if value not in choices:
        raise Failed(f"{name} must be {' or '.join(choices)}")
    return value


def _flag(options: dict[str, Any], name: str) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise Failed(f"{name} option must be a boolean")
    return value


def _text(arguments: list[Any], index: int, what: str) -> str:
    value = arguments[index] if len(arguments) > index else None
    if not isinstance(value, str):
        raise Failed(f"{what} must be a string")
    return value


def _object(run: Run, arguments: list[Any], index: int, argument: str, what: str) -> dict[str, Any]:
    text = _text(arguments, index, argument)
    value = _parsed(run, text, what)
    if not isinstance(value, dict):
        raise Failed(f"{what} is not a JSON object ('{text}')")
    return value


def _parsed(run: Run, text: str, what: str) -> Any:
    """Parse ``text`` as JSON, to a new value that may be changed."""
    try:
        return parsed(run, text)
    except ValueError:
        raise Failed(f"{what} is not valid JSON ('{text}')") from None


def _path(run: Run, expression: Any, argument: str, not_valid: str) -> "Path":
    from oagw.matching.json_path import path_of  # imported when a template first uses it

    if not isinstance(expression, str):
        raise Failed(f"{argument} must be a string")
    run.spend(_PATH * len(expression))
    rooted = expression if expression[:1] in ("$", "@", "") else f"$.{expression}"
    try:
        return path_of(rooted, "")
    except Invalid:
        raise Failed(f"{not_valid} valid JSONPath expression ('{expression}')") from None


def _found(run: Run, path: "Path", document: Any) -> "Nodes":
    """Return the nodes that ``path`` selects; abort the rendering if that takes too long."""
    try:
        return path.find(document, run.received)
    except BudgetExceeded as error:
        run.stop(str(error))
