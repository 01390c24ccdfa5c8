"""ErrorLocation: where a document is invalid, and which types and members are allowed there."""

import types
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields

# msgspec's notation for any key of an object.
_ANY_KEY = "..."


class ErrorLocation:
    """The location after ``steps`` (members, indices, "..." for any key) in ``document``, a ``type``.

    "..." in ``steps`` is replaced by the key of the first invalid value, if that can be determined.
    """

    def __init__(self, document: Any, type: Any, steps: list[str]) -> None:
        self.steps: list[str] = []
        self._value = document
        self._types = list(_alternatives(type))
        for step in steps:
            self._go(step)

    @property
    def members(self) -> list[str]:
        """The members that are allowed here."""
        return [field.encode_name for struct in self._structs() for field in fields(struct)]

    @property
    def values(self) -> list[Any]:
        """The values that are allowed here, if they are enumerated."""
        return [value for type in self._types if get_origin(type) is Literal for value in get_args(type)]

    @property
    def description(self) -> str | None:
        """The description of the type."""
        metas = (meta for type in self._types for meta in getattr(type, "__metadata__", ()))
        return next((meta.description for meta in metas if getattr(meta, "description", None)), None)

    @property
    def unit(self) -> str | None:
        """The unit of a number here, from the type's ``Meta(extra={"unit": ...})``."""
        metas = (meta for type in self._types for meta in getattr(type, "__metadata__", ()))
        return next((meta.extra["unit"] for meta in metas if getattr(meta, "extra", None)), None)

    def _go(self, step: str) -> None:
        value, inner = self._value, list[Any]()
        if step == _ANY_KEY:
            inner = [get_args(type)[1] for type in self._types if get_origin(type) is dict]
            if isinstance(value, dict):
                step = next((key for key in value if not _fits(value[key], inner)), step)
        elif step.isdecimal() and isinstance(value, list):
            inner = [get_args(type)[0] for type in self._types if get_origin(type) is list]
        else:
            structs = list(self._structs())
            inner = [f.type for struct in structs for f in fields(struct) if f.encode_name == step]
            configs = [struct.__struct_config__ for struct in structs]
            inner += [Literal[config.tag] for config in configs if config.tag_field == step]
        self._value = None
        if isinstance(value, dict):
            self._value = value.get(step)
        elif isinstance(value, list) and step.isdecimal():
            self._value = next(islice(value, int(step), None), None)
        self._types = [one for type in inner for one in _alternatives(type)]
        self.steps.append(step)

    def _structs(self) -> Iterator[type[Struct]]:
        """Return the Structs that are allowed; only the one with the value's tag, if there is one."""
        found = [type for type in self._types if isinstance(type, _STRUCT)]
        value = self._value if isinstance(self._value, dict) else {}
        named = [one for one in found if _tagged(one, value)]
        return iter(named or found)


_STRUCT = type(Struct)


def _tagged(struct: type[Struct], value: dict[str, Any]) -> bool:
    config = struct.__struct_config__
    return config.tag_field is not None and value.get(config.tag_field) == config.tag


def _alternatives(kind: Any) -> Iterator[Any]:
    """Yield the members of a union; an annotated type with and without its annotations."""
    if get_origin(kind) in (Union, types.UnionType):
        for one in get_args(kind):
            yield from _alternatives(one)
    else:
        yield kind
        if get_origin(kind) is Annotated:
            yield from _alternatives(get_args(kind)[0])


def _fits(value: Any, kinds: list[Any]) -> bool:
    """Return whether ``value`` is one of ``kinds``."""
    for kind in kinds:
        try:
            msgspec.convert(value, kind)
        except (msgspec.ValidationError, RecursionError):
            continue
        return True
    return not kinds
