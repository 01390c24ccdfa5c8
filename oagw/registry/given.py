"""Given: optional members of the documents of the management API, as they are stored."""

from functools import cache
from types import NoneType
from typing import TypeVar, get_args

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


def given(value: T | UnsetType | None) -> T | None:
    """Return the value of an optional member, None if it is absent or null. A Struct is pruned."""
    if value is None or isinstance(value, UnsetType):
        return None
    return pruned(value) if isinstance(value, msgspec.Struct) else value


def pruned(document: S) -> S:
    """Return ``document`` without the optional members that mean the same as absent ones.

    These are null, and an empty list or object where absent means empty.
    """
    changes: dict[str, object] = {}
    for name, takes_null in _optional(type(document)):
        value = getattr(document, name)
        if value is None or (not takes_null and not value):
            changes[name] = UNSET
    for name in document.__struct_fields__:
        value = getattr(document, name)
        if isinstance(value, msgspec.Struct):
            changes[name] = pruned(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
            changes[name] = tuple(map(pruned, value))
    return msgspec.structs.replace(document, **changes) if changes else document


@cache
def _optional(type: type[msgspec.Struct]) -> tuple[tuple[str, bool], ...]:
    """Return the names of the members that may be absent, and whether null is another word for it."""
    fields = msgspec.structs.fields(type)
    return tuple((field.name, NoneType in get_args(field.type)) for field in fields if field.default is UNSET)
