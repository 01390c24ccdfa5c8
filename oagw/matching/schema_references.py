"""Resolve references in a JSON Schema according to its draft: pointers, anchors, ids, dynamic references.

``matching.schema_work`` follows them to bound the cost of a schema.
"""

from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

# The base URI of a schema without an absolute $id.
_HERE = "https://schema.invalid/"

# The keywords whose values are data, not schemas.
_DATA = ("enum", "const", "default", "examples")


class Unresolved(ValueError):
    """A reference has no target in the document."""


class Subschema(NamedTuple):
    """A schema and the base URI of the references in it."""

    schema: Any
    base: str


class References:
    """Resolves the references of the schema ``root``; ``version`` is its draft, such as ``V202012``.

    Sources: JSON Schema 2020-12 core, sections 8.2 and 9.2; drafts 4 to 7, section "Schema references"; draft
    2019-09 core, section 8.2.4.2 ($recursiveRef).
    """

    def __init__(self, root: Any, version: str) -> None:
        self._id = "id" if version == "V4" else "$id"
        self.replaces = version in ("V4", "V6", "V7")  # whether $ref replaces its sibling members
        self._resources: dict[str, Subschema] = {}
        self._anchors: dict[tuple[str, str], Subschema] = {}
        self._dynamic: dict[str, list[Subschema]] = {}  # by the name of $dynamicAnchor
        self._recursive: list[Subschema] = []  # the schemas with $recursiveAnchor
        self.root = Subschema(root, self._base(root, _HERE))
        self._resources[_HERE] = self.root
        self._collect(root, _HERE)

    def child(self, schema: Any, subschema: Subschema) -> Subschema:
        """Return the Subschema for ``schema``, which is inside ``subschema``."""
        return Subschema(schema, self._base(schema, subschema.base))

    def targets(self, schema: dict[str, Any], base: str) -> list[list[Subschema]]:
        """Return the targets of each reference in ``schema``, one of which applies. Raises Unresolved."""
        found = []
        for name in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = schema.get(name)
            if not isinstance(reference, str):
                continue
            targets = [self._resolve(reference, base)]
            if name == "$dynamicRef":
                targets += self._dynamic.get(unquote(urldefrag(reference).fragment), ())
            elif name == "$recursiveRef":
                targets += self._recursive
            found.append(targets)
        return found

    def _base(self, schema: Any, base: str) -> str:
        given = schema.get(self._id) if isinstance(schema, dict) else None
        if not isinstance(given, str) or given.startswith("#"):
            return base
        return urldefrag(urljoin(base, given)).url

    def _collect(self, value: Any, base: str) -> None:
        if isinstance(value, list):
            for item in value:
                self._collect(item, base)
        if not isinstance(value, dict):
            return
        own = self._base(value, base)
        subschema = Subschema(value, own)
        given = value.get(self._id)
        if own != base:
            self._resources.setdefault(own, subschema)
        if isinstance(given, str) and "#" in given:
            self._anchors.setdefault((own, given.partition("#")[2]), subschema)
        for name in ("$anchor", "$dynamicAnchor"):
            anchor = value.get(name)
            if isinstance(anchor, str):
                self._anchors.setdefault((own, anchor), subschema)
                if name == "$dynamicAnchor":
                    self._dynamic.setdefault(anchor, []).append(subschema)
        if value.get("$recursiveAnchor") is True:
            self._recursive.append(subschema)
        for name, item in value.items():
            if name not in _DATA:
                self._collect(item, own)

    def _resolve(self, reference: str, base: str) -> Subschema:
        if reference.startswith("#"):  # an $id may have a scheme that urljoin does not know
            url, fragment = base, unquote(reference[1:])
        else:
            url, fragment = urldefrag(urljoin(base, reference))
            fragment = unquote(fragment)
        subschema = self._resources.get(url)
        if subschema is None:
            raise Unresolved(f"{reference[:200]} is outside this document")
        if fragment and not fragment.startswith("/"):
            found = self._anchors.get((url, fragment))
            if found is None:
                raise Unresolved(f"no schema has the anchor in {reference[:200]}")
            return found
        for step in fragment.split("/")[1:]:
            subschema = self.child(_member(subschema.schema, step, reference), subschema)
        return subschema


def _member(value: Any, step: str, reference: str) -> Any:
    """Follow one step of a JSON Pointer (RFC 6901 section 4)."""
    key = step.replace("~1", "/").replace("~0", "~")
    if isinstance(value, dict) and key in value:
        return value[key]
    if (
        isinstance(value, list)
        and key.isascii()
        and key.isdecimal()
        and len(key) < 9
        and int(key) < len(value)
    ):
        return value[int(key)]
    raise Unresolved(f"{reference[:200]} has no target")
