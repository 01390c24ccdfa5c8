"""X-OAGW-Mock-Fault: a header field with toxics for one request, for clients that cannot reach /__admin.

``reset_peer; after_bytes=100`` is a toxic of this type with this attribute. ``toxicity`` is allowed as a
parameter too. Several toxics are separated by commas. ``toxics.toxic`` has the toxics themselves.
"""

import re
from collections.abc import Mapping

from oagw.model.document import converted
from oagw.model.invalid import Invalid
from oagw.model.suggestion import suggestion
from oagw.toxics.toxic import Toxic, ToxicDocument
from oagw.toxics.types import TYPES

# The largest number of faults in one request.
MAX_FAULTS = 16

# WireMock's names for two of the faults, which stubs use: type, attributes.
_WIREMOCK: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "CONNECTION_RESET_BY_PEER": ("reset_peer", {}),
    "EMPTY_RESPONSE": ("limit_data", {"bytes": 0}),
}

_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)


def faults(value: str) -> tuple[Toxic, ...]:
    """Return the toxics in the header field ``value``, in order; raises Invalid."""
    parts = value.split(",")
    if len(parts) > MAX_FAULTS:
        raise Invalid("", f"More than {MAX_FAULTS} faults")
    return tuple(map(_fault, parts))


def _fault(text: str) -> Toxic:
    name, *parameters = (part.strip(" \t") for part in text.split(";"))
    name = name[:100]
    if not name:
        raise Invalid("", "Expected the type of a fault, such as reset_peer")
    type, attributes = _WIREMOCK.get(name, (name, {}))
    if type not in TYPES:
        first, space, _ = name.partition(" ")
        if space and first in TYPES:
            raise Invalid("", f'{first}: Expected ";" before its parameters, got "{name}"')
        raise Invalid("", f'There is no fault "{name}"{suggestion(name, [*TYPES, *_WIREMOCK])}')
    known = [*TYPES[type].__struct_encode_fields__, "toxicity"]
    given: dict[str, int | float] = dict(attributes)
    for parameter in parameters:
        key, equals, number = (part.strip(" \t") for part in parameter.partition("="))
        if not equals:
            raise Invalid(
                "", f'{name}: Expected a parameter such as after_bytes=100, got "{parameter[:100]}"'
            )
        if key not in known:
            raise Invalid("", f'{name}: There is no parameter "{key[:100]}"{suggestion(key, known)}')
        if not _NUMBER.fullmatch(number):
            raise Invalid("", f'{name}: {key} must be a number, got "{number[:100]}"')
        if key in given and key not in attributes:
            raise Invalid("", f"{name}: {key[:100]} is given twice")
        given[key] = float(number) if "." in number else int(number)
    toxicity = given.pop("toxicity", 1.0)
    document = {"name": name, "type": type, "toxicity": toxicity, "attributes": given}
    try:
        return Toxic(converted(document, ToxicDocument))
    except Invalid as invalid:
        member = invalid.pointer.rpartition("/")[2]
        where = f" ({member})" if member and member not in invalid.detail else ""
        raise Invalid("", f"{name}: {invalid.detail[:300]}{where[:100]}") from None
