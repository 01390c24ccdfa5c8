"""The OpenAPI document of a tree of resources, generated from the resources.

The paths and methods are those of the tree, the types of bodies and queries are those that the resources
declare (``DescribedNode``), and the descriptions are their docstrings.
"""

import re
from collections.abc import Collection, Iterator
from inspect import cleandoc
from typing import Any, NamedTuple

from msgspec import json

from oagw import __version__
from oagw.model.problem import PHRASES
from oagw.web.described import DescribedNode
from oagw.web.resource import METHODS

# The error responses of the guard, which every operation may have.
_GUARD = (401, 403)

# Methods with a body, and those with a query.
_SENDING = ("POST", "PUT", "PATCH")
_ASKING = ("GET",)


# The header field for warnings in successful responses.
_WARNING = {
    "X-OAGW-Warning": {
        "description": "Why a new stub or toxic cannot act at present. Each value is one warning.",
        "schema": {"type": "array", "items": {"type": "string"}},
    }
}


class _Operation(NamedTuple):
    """The operation ``method`` of the resource at ``path``."""

    path: str
    method: str
    node: DescribedNode

    @property
    def takes(self) -> Any:
        """The type of the body, or None."""
        decoder = getattr(self.node, "takes", None)
        return decoder.type if decoder and self.method in _SENDING else None

    @property
    def query(self) -> Any:
        """The type of the query, or None."""
        return getattr(self.node, "query", None) if self.method in _ASKING else None

    @property
    def warns(self) -> bool:
        """Whether successful responses may have warnings."""
        return self.method in self.node.warns

    @property
    def answers(self) -> dict[int, tuple[Any, ...]]:
        """The types of successful responses by status."""
        refusals = {*_GUARD, *self.node.refuses}
        if self.takes:
            refusals |= {400, 413, 415, 422}
        if self.query:
            refusals.add(400)
        success = self.node.answers.get(self.method, {200: dict[str, Any]})
        answers = {**dict.fromkeys(sorted(refusals), self.node.errors), **success}
        return {status: _types(given) for status, given in answers.items()}

    def _media(self, status: int) -> str:
        return self.node.error_media if status >= 400 else "application/json"

    def json(self, schemas: dict[Any, Any]) -> dict[str, Any]:
        """Return the Operation Object; ``schemas`` has the schemas of all types."""
        words = re.findall(r"\w+", self.path)
        shown: dict[str, Any] = {
            "operationId": self.method.lower() + "".join(word.capitalize() for word in words),
            "tags": words[:1],
            "responses": {
                str(status): {
                    "description": PHRASES[status],
                    **({"content": _content(types, schemas, self._media(status))} if types else {}),
                    **({"headers": _WARNING} if self.warns and status < 300 else {}),
                }
                for status, types in self.answers.items()
            },
        }
        if self.query:
            shown["parameters"] = list(_parameters(self.query))
        if self.takes:
            required = not _takes_null(self.takes)
            shown["requestBody"] = {"required": required, "content": _content([self.takes], schemas)}
        return shown


def openapi_document(
    root: DescribedNode, path: str, title: str, description: str, *, is_open: bool
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the resources below ``root``, which is at ``path``.

    ``is_open`` is whether they can be called without a token.
    """
    operations = list(_operations(root, ""))
    types = {type for one in operations for types in one.answers.values() for type in types}
    types |= {one.takes for one in operations if one.takes is not None}
    ordered = sorted(types, key=repr)
    found, components = json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(ordered, found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        item = paths.setdefault(one.path, _path_item(one))
        item[one.method.lower()] = one.json(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": description,
        },
        "servers": [{"url": path}],
        "security": [*([{}] if is_open else []), {"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operations(node: DescribedNode, path: str) -> Iterator[_Operation]:
    """Yield the operations of ``node``, which is at ``path``, and of its descendants."""
    for method in METHODS:
        if hasattr(node, f"render_{method}"):
            yield _Operation(path or "/", method, node)
    for name, child in sorted(node.children.items()):
        yield from _operations(child, f"{path}/{name.decode()}")
    if node.parameter:
        segment = f"{{{node.parameter}}}"
        yield from _operations(node.child(segment), f"{path}/{segment}")


def _path_item(one: _Operation) -> dict[str, Any]:
    described = {"description": cleandoc(type(one.node).__doc__ or "").replace("``", "`")}
    names = re.findall(r"{(\w+)}", one.path)
    parameters = [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]
    return {**described, "parameters": parameters} if parameters else described


def _parameters(query: Any) -> Iterator[dict[str, Any]]:
    """Return the Parameter Objects for the Struct ``query``, whose docstring describes all of them."""
    schema = json.schema(query)
    (struct,) = schema["$defs"].values()
    for name, shape in struct["properties"].items():
        yield {"name": name, "in": "query", "required": name in struct["required"], "schema": shape}


def _takes_null(type: Any) -> bool:
    return {"type": "null"} in json.schema(type).get("anyOf", ())


def _types(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else () if given is None else (given,)


def _content(
    types: Collection[Any], schemas: dict[Any, Any], media: str = "application/json"
) -> dict[str, Any]:
    """Return the media types of a body that is one of ``types``: plain text for str, ``media`` for others."""
    json = [schemas[one] for one in types if one is not str]
    content = {media: {"schema": json[0] if len(json) == 1 else {"anyOf": json}}} if json else {}
    return {**content, "text/plain": {"schema": schemas[str]}} if str in types else content
