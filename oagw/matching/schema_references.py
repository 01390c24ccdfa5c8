"""References in a JSON Schema, resolved as its draft does: pointers, anchors, ids, dynamic references.

``matching.schema_work`` follows them to bound the work that a schema can cause.
"""

from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

# Instead of the address that a schema without an absolute $id has.
_HERE = "https://schema.invalid/"

# Their members are data, and no schemas.
_DATA = ("enum", "const", "default", "examples")


class Unresolved(ValueError):
    """A reference that leads to nothing in the document."""


class Place(NamedTuple):
    """A schema and the URI against which the references in it are resolved."""

    schema: Any
    base: str


class References:
    """The references of the schema ``root``, read by a draft such as ``V202012``.

    Sources: JSON Schema 2020-12 core, sections 8.2 and 9.2; drafts 4 to 7, section "Schema references"; draft
    2019-09 core, section 8.2.4.2 ($recursiveRef).
    """

    def __init__(self, root: Any, version: str) -> None:
        self._id = "id" if version == "V4" else "$id"
        self.replaces = version in ("V4", "V6", "V7")  # whether $ref replaces the members beside it
        self._resources: dict[str, Place] = {}
        self._anchors: dict[tuple[str, str], Place] = {}
        self._dynamic: dict[str, list[Place]] = {}  # by the name of $dynamicAnchor
        self._recursive: list[Place] = []  # those with $recursiveAnchor
        self.root = Place(root, self._base(root, _HERE))
        self._resources[_HERE] = self.root
        self._collect(root, _HERE)

    def child(self, schema: Any, place: Place) -> Place:
        """The place of ``schema``, which stands in ``place``."""
        return Place(schema, self._base(schema, place.base))

    def targets(self, schema: dict[str, Any], base: str) -> list[list[Place]]:
        """What the references in ``schema`` lead to; of each list, one schema applies. Raises Unresolved."""
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
        place = Place(value, own)
        given = value.get(self._id)
        if own != base:
            self._resources.setdefault(own, place)
        if isinstance(given, str) and "#" in given:
            self._anchors.setdefault((own, given.partition("#")[2]), place)
        for name in ("$anchor", "$dynamicAnchor"):
            anchor = value.get(name)
            if isinstance(anchor, str):
                self._anchors.setdefault((own, anchor), place)
                if name == "$dynamicAnchor":
                    self._dynamic.setdefault(anchor, []).append(place)
        if value.get("$recursiveAnchor") is True:
            self._recursive.append(place)
        for name, item in value.items():
            if name not in _DATA:
                self._collect(item, own)

    def _resolve(self, reference: str, base: str) -> Place:
        if reference.startswith("#"):  # urljoin does not know every scheme that an $id may have
            url, fragment = base, unquote(reference[1:])
        else:
            url, fragment = urldefrag(urljoin(base, reference))
            fragment = unquote(fragment)
        place = self._resources.get(url)
        if place is None:
            raise Unresolved(f"{reference[:200]} is not in this document")
        if fragment and not fragment.startswith("/"):
            found = self._anchors.get((url, fragment))
            if found is None:
                raise Unresolved(f"no schema has the anchor of {reference[:200]}")
            return found
        for step in fragment.split("/")[1:]:
            place = self.child(_member(place.schema, step, reference), place)
        return place


def _member(value: Any, step: str, reference: str) -> Any:
    """One step of a JSON Pointer (RFC 6901 section 4)."""
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
    raise Unresolved(f"{reference[:200]} points at nothing")
