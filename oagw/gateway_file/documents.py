"""Documents: compare tables with the Structs of the management API, and report all differences.

The API itself reports only the first, and ignores unknown members.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import UnsetType
from msgspec.structs import fields

from oagw.gateway_file.table import FileErrors, joined, type_of, unknown
from oagw.model.document import misfit


class Member(NamedTuple):
    """A member of a table: its type, and whether it must be there."""

    type: Any
    required: bool = False


@cache
def members_of(struct: type[msgspec.Struct]) -> Mapping[str, Member]:
    """Return the members of a Struct by name."""
    return {field.encode_name: Member(field.type, field.required) for field in fields(struct)}


def check_table(
    values: Mapping[str, Any], members: Mapping[str, Member], key: str, errors: FileErrors
) -> None:
    """Report each difference between the table ``values`` at ``key`` and its ``members``."""
    for name, value in values.items():
        if name in members:
            _check(value, members[name].type, joined(key, name), errors)
        else:
            errors.add(joined(key, name), unknown(name, members))
    for name, member in members.items():
        if member.required and name not in values:
            errors.add(joined(key, name), "is missing")


def _check(value: Any, type: Any, key: str, errors: FileErrors) -> None:
    """Report each difference between ``value`` and ``type``."""
    (annotated,) = _alternatives(type)
    kind = get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated
    origin, before = get_origin(kind), len(errors)
    if isinstance(kind, _STRUCT) or origin is dict:
        if not isinstance(value, dict):
            errors.add(key, f"expected a table, got {type_of(value)}")
        elif origin is dict:
            for name, one in value.items():
                _check(one, get_args(kind)[1], joined(key, name), errors)
        else:
            check_table(value, members_of(kind), key, errors)
    elif origin is tuple:
        if not isinstance(value, list):
            errors.add(key, f"expected an array, got {type_of(value)}")
        else:
            for number, one in enumerate(value):
                _check(one, get_args(kind)[0], f"{key}[{number}]", errors)
    elif kind is annotated:
        _convert(value, kind, key, errors)
    if kind is not annotated and len(errors) == before:
        _convert(value, annotated, key, errors)


def _convert(value: Any, type: Any, key: str, errors: FileErrors) -> None:
    try:
        msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        reason = misfit(error, "", value, type).detail
        errors.add(key, reason[0].lower() + reason[1:])


_STRUCT = type(msgspec.Struct)


def _alternatives(type: Any) -> Iterator[Any]:
    """Yield the types that a value in TOML can have: the members of a union without null and absent."""
    if get_origin(type) in (Union, UnionType):
        for one in get_args(type):
            if one not in (NoneType, UnsetType):
                yield one
    else:
        yield type
