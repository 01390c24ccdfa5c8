"""Compile a template: turn its tree into functions that write to a Run."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from oagw.model import call as model
from oagw.model.invalid import Invalid
from oagw.model.suggestion import suggestion
from oagw.templates.catalogue import BODY, CONDITION, HELPERS, ITEMS, LAST, REFUSED
from oagw.templates.render_context import Context, RenderError
from oagw.templates.request import UNSUPPORTED
from oagw.templates.run import STEP, Helper, RenderLimitExceeded, Run
from oagw.templates.syntax import (
    Block,
    Expression,
    HelperCall,
    Literal,
    Node,
    Parser,
    PathExpression,
    Tag,
    line_and_column,
)
from oagw.templates.value import listed, step, truth


class Scope:
    """A scope for names: a ``value``, the outer scope, ``data`` such as ``@index``, and block parameters."""

    __slots__ = ("data", "names", "parent", "run", "value")

    def __init__(
        self, run: Run, value: Any, parent: "Scope | None", data: dict[str, Any], names: dict[str, Any]
    ) -> None:
        self.run = run
        self.value = value
        self.parent = parent
        self.data = data
        self.names = names


Reader = Callable[[Scope], Any]
Write = Callable[[Scope], None]


class Template:
    """A compiled template. If it has no tags, ``is_literal`` is true and it renders to itself."""

    def __init__(self, text: str, pointer: str, write: Write | None) -> None:
        self._text = text
        self._pointer = pointer
        self._write = write
        self.is_literal = write is None

    def render(self, call: model.Call, context: Context) -> str:
        """Render the template for ``call``; raises RenderError if a limit is exceeded."""
        if self._write is None:
            return self._text
        run = Run(call, context)
        try:
            self._write(Scope(run, run.root, None, {}, {}))
        except (RenderLimitExceeded, RecursionError) as error:
            why = error if isinstance(error, RenderLimitExceeded) else "a value is nested too deeply"
            location = line_and_column(self._text, run.offset)
            raise RenderError(f"{self._pointer}: the template was stopped at {location}: {why}.") from None
        out = "".join(run.pieces)
        # JSON escapes can produce lone surrogates, which cannot be encoded.
        return out if out.isascii() else out.encode("utf-8", "replace").decode()


def compile(text: str, pointer: str) -> Template:
    """Compile the template ``text``, which is at ``pointer`` in its document; raises Invalid."""
    if "{{" not in text:
        return Template(text, pointer, None)
    return Template(text, pointer, _Compiler(text, pointer).write())


class _Compiler:
    """Turn the tree of one template into functions."""

    def __init__(self, text: str, pointer: str) -> None:
        self._parser = Parser(text, pointer)

    def write(self) -> Write:
        """Return the function that writes the whole template; raises Invalid."""
        return self._sequence(self._parser.nodes())

    def _invalid(self, detail: str, offset: int) -> Invalid:
        return self._parser.invalid(detail, offset)

    def _sequence(self, nodes: list[Node]) -> Write:
        writes = [self._node(node) for node in nodes]
        if len(writes) == 1:
            return writes[0]

        def write_all(scope: Scope) -> None:
            for write in writes:
                write(scope)

        return write_all

    def _node(self, node: Node) -> Write:
        if isinstance(node, str):
            return lambda scope: scope.run.write(node)
        return self._tag(node) if isinstance(node, Tag) else self._block(node)

    def _tag(self, tag: Tag) -> Write:
        read, offset = self._expression(tag.expression, tag.offset), tag.offset

        def write_value(scope: Scope) -> None:
            run = scope.run
            run.offset = offset
            run.spend(STEP)
            run.write(run.text(read(scope)))

        return write_value

    def _block(self, block: Block) -> Write:
        body, inverse = self._sequence(block.body), self._sequence(block.inverse)
        name, expression = block.name, block.expression
        arguments = expression.arguments if isinstance(expression, HelperCall) else []
        if make := _BLOCKS.get(name):
            extra = isinstance(expression, HelperCall) and expression.options.keys() - _HASHES
            if len(arguments) != 1 or extra:
                raise self._invalid(f"the block {name!r} requires one argument", block.offset)
            write = make(self._expression(arguments[0], block.offset), body, inverse, block.names)
        elif isinstance(expression, PathExpression) and name not in HELPERS:
            write = _section(self._expression(expression, block.offset), body, inverse)
        else:
            write = self._helper_block(block, body, inverse)

        def write_block(scope: Scope) -> None:
            scope.run.offset = block.offset
            scope.run.spend(STEP)
            write(scope)

        return write_block

    def _helper_block(self, block: Block, body: Write, inverse: Write) -> Write:
        entry = HELPERS.get(block.name)
        if entry and entry.block == BODY and not block.inverse:
            return self._with_body(_called(block), body)
        if entry and entry.block == LAST and not block.inverse:
            if len(_called(block).arguments) != 1:
                raise self._invalid(f"the block {block.name!r} requires one argument", block.offset)
            return self._with_body(_called(block), body, after=1)
        if entry and entry.block == ITEMS and not block.inverse:
            return self._with_items(_called(block), body, block.names)
        read = self._expression(block.expression, block.offset)
        if entry and entry.block == CONDITION:
            return _if(read, body, inverse, ())
        raise self._invalid(f"the helper {block.name!r} cannot be used as a block", block.offset)

    def _with_body(self, given: HelperCall, body: Write, after: int = 0) -> Write:
        """Return a function that writes the value of a helper; argument ``after`` is the body."""
        name, helper = given.name, self._helper(given, 1)
        arguments, options = self._arguments(given)

        def write_made(scope: Scope) -> None:
            run = scope.run
            text = _written(scope, body)
            values = [read(scope) for read in arguments]
            values.insert(after, text)
            run.write(run.text(run.call(name, helper, values, {k: read(scope) for k, read in options})))

        return write_made

    def _with_items(self, given: HelperCall, body: Write, names: tuple[str, ...]) -> Write:
        """Return a function that writes the value of a helper that takes the list of bodies of all items."""
        name, helper = given.name, self._helper(given)
        if len(names) > 1:
            raise self._invalid(f"the block {name!r} takes only one block parameter", given.offset)
        (read_first, *rest), options = self._arguments(given)

        def write_made(scope: Scope) -> None:
            run = scope.run
            first, items = read_first(scope), listed([read(scope) for read in rest])
            texts = []
            for item in items or ():
                run.spend(STEP)
                texts.append(_written(Scope(run, item, scope, {}, dict.fromkeys(names, item)), body))
            values = [first, None if items is None else texts]
            run.write(run.text(run.call(name, helper, values, {k: read(scope) for k, read in options})))

        return write_made

    def _arguments(self, given: HelperCall) -> tuple[list[Reader], list[tuple[str, Reader]]]:
        return (
            [self._expression(each, given.offset) for each in given.arguments],
            [(key, self._expression(each, given.offset)) for key, each in given.options.items()],
        )

    def _expression(self, expression: Expression, offset: int) -> Reader:
        if isinstance(expression, Literal):
            value = expression.value
            return lambda scope: value
        if isinstance(expression, PathExpression):
            if expression.source not in HELPERS and expression.source not in REFUSED:
                return self._path(expression, offset)
            expression = HelperCall(expression.source, [], {}, offset)
        return self._call(expression)

    def _call(self, given: HelperCall) -> Reader:
        name, helper = given.name, self._helper(given)
        arguments, options = self._arguments(given)

        def call(scope: Scope) -> Any:
            values = [read(scope) for read in arguments]
            return scope.run.call(name, helper, values, {key: read(scope) for key, read in options})

        return call

    def _helper(self, given: HelperCall, more: int = 0) -> Helper:
        """Return the helper for a call with these arguments and ``more`` others; raises Invalid."""
        name = given.name
        entry = HELPERS.get(name)
        if entry is None or (name == "assign" and not more):
            why = REFUSED.get(name) or (
                f"{name!r} must be used as a block" if entry or name in _BLOCKS else ""
            )
            raise self._invalid(why or f"unknown helper {name!r}{suggestion(name, HELPERS)}", given.offset)
        if len(given.arguments) + more < entry.least:
            raise self._invalid(f"the helper {name!r} requires {entry.least} argument(s)", given.offset)
        if unknown := given.options.keys() - entry.options:
            option = min(unknown)
            others = suggestion(option, sorted(entry.options))
            raise self._invalid(f"the helper {name!r} has no option {option!r}{others}", given.offset)
        if entry.library:
            import_module(entry.library)
        return entry.helper

    def _path(self, path: PathExpression, offset: int) -> Reader:
        if path.names[:1] == ("request",) and path.names[1:2] and path.names[1] in UNSUPPORTED:
            raise self._invalid(f"{path.source!r} is not supported", offset)
        if path.data:
            return _data(path)
        return _own(path) if path.this or path.up else _found(path.names)


def _called(block: Block) -> HelperCall:
    """Return the expression that opens ``block`` as a call."""
    expression = block.expression
    return expression if isinstance(expression, HelperCall) else HelperCall(block.name, [], {}, block.offset)


def _written(scope: Scope, body: Write) -> str:
    """Return the text that ``body`` writes."""
    run = scope.run
    outside, run.pieces = run.pieces, []
    body(scope)
    text, run.pieces = "".join(run.pieces), outside
    return text


def _up(scope: Scope, levels: int) -> Scope | None:
    around: Scope | None = scope
    for _ in range(levels):
        around = around and around.parent
    return around


def _walk(value: Any, names: Iterable[str]) -> Any:
    for name in names:
        if value is None:
            return None
        value = step(value, name)
    return value


def _found(names: tuple[str, ...], start: int = 0) -> Reader:
    """Return a reader of ``names``, in the nearest scope that has them or else among the variables."""
    first, *rest = names

    def read(scope: Scope) -> Any:
        around: Scope | None = scope
        while around is not None:
            inner = around.names[first] if first in around.names else step(around.value, first)
            if (value := _walk(inner, rest)) is not None:
                return value
            around = around.parent
        return _walk(scope.run.variables.get(first), rest)

    return read


def _own(path: PathExpression) -> Reader:
    """Return a reader of a path that begins with ``this`` or ``../``."""
    find = None if path.this or not path.names else _found(path.names)

    def read(scope: Scope) -> Any:
        around = _up(scope, path.up)
        if around is None:
            return None
        return find(around) if find else _walk(around.value, path.names)

    return read


def _data(path: PathExpression) -> Reader:
    """Return a reader of ``@root`` or a variable of a loop, such as ``@index``."""
    name, *rest = path.names or ("",)

    def read(scope: Scope) -> Any:
        around = _up(scope, path.up)
        if name == "root":
            return _walk(scope.run.root, rest)
        while around is not None:
            if name in around.data:
                return around.data[name]
            around = around.parent
        return None

    return read


def _if(read: Reader, body: Write, inverse: Write, names: tuple[str, ...]) -> Write:
    return lambda scope: body(scope) if truth(read(scope)) else inverse(scope)


def _unless(read: Reader, body: Write, inverse: Write, names: tuple[str, ...]) -> Write:
    return _if(read, inverse, body, names)


def _with(read: Reader, body: Write, inverse: Write, names: tuple[str, ...]) -> Write:
    def write(scope: Scope) -> None:
        value = read(scope)
        if truth(value):
            body(Scope(scope.run, value, scope, {}, dict.fromkeys(names[:1], value)))
        else:
            inverse(scope)

    return write


def _each(read: Reader, body: Write, inverse: Write, names: tuple[str, ...]) -> Write:
    def write(scope: Scope) -> None:
        value, run = read(scope), scope.run
        items = list(
            value.items() if isinstance(value, dict) else enumerate(value) if _is_list(value) else ()
        )
        for index, (key, each) in enumerate(items):
            run.spend(STEP)
            data = {
                "index": index,
                "index_1": index + 1,
                "key": key,
                "first": "" if index else "first",
                "last": "last" if index == len(items) - 1 else "",
                "odd": "odd" if index % 2 else "",
                "even": "" if index % 2 else "even",
            }
            body(Scope(run, each, scope, data, dict(zip(names, (each, key), strict=False))))
        if not items:
            inverse(scope)

    return write


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _section(read: Reader, body: Write, inverse: Write) -> Write:
    """Render a Mustache section: for each item of a list, with a map as scope, or if it is true."""
    loop, inside, condition = (make(read, body, inverse, ()) for make in (_each, _with, _if))

    def write(scope: Scope) -> None:
        value = read(scope)
        (loop if _is_list(value) else inside if isinstance(value, dict) else condition)(scope)

    return write


_BLOCKS: dict[str, Callable[[Reader, Write, Write, tuple[str, ...]], Write]] = {
    "if": _if,
    "unless": _unless,
    "each": _each,
    "with": _with,
}

# Options that Handlebars.java ignores.
_HASHES = {"includeZero"}
