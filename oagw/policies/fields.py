"""Header fields on their way to an upstream and back: what passes, what is stripped, and the header rules.

Fields are lists of pairs of a lower-case name and a value, in order. ``policies.path`` has the URL.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from oagw.model.upstream import HeaderRules, RequestHeaderRules
from oagw.policies.body_fields import is_token

Field = tuple[bytes, bytes]
Fields = list[Field]

# RFC 9110 section 7.6.1. Proxy-Connection is not among them, as in the real gateway.
HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)

# Fields of a caller that never pass.
_SENSITIVE = frozenset((b"authorization", b"cookie", b"proxy-authorization", b"set-cookie"))

# Fields of a request to an upstream that the gateway writes itself.
OWN = frozenset((b"host", b"content-length", b"connection", b"transfer-encoding"))

_PREFIX = b"x-oagw-"

# Visible ASCII, space and tab.
_VISIBLE = bytes((0x09, *range(0x20, 0x7F)))


def passed(fields: Sequence[Field], rules: RequestHeaderRules | None) -> Fields:
    """Return the fields of a caller that pass to the upstream: Content-Type, and what the rules let through.

    Of a field on the allowlist, only the first value passes.
    """
    mode = "none" if rules is None else rules.passthrough
    if mode == "all":
        return [field for field in fields if field[0] not in _SENSITIVE]
    allowed = {b"content-type"}
    if mode == "allowlist" and rules is not None:
        allowed |= {name.lower().encode() for name in rules.passthrough_allowlist or ()}
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if name in allowed and name not in _SENSITIVE:
            found.setdefault(name, value)
    return list(found.items())


def stripped(fields: Sequence[Field]) -> Fields:
    """Return ``fields`` without hop-by-hop fields, those that Connection names, and ``x-oagw-*``."""
    named = set(HOP_BY_HOP)
    for name, value in fields:
        if name == b"connection":
            named.update(token.strip().lower() for token in value.split(b","))
            break  # only the first counts, as in the real gateway
    return [field for field in fields if field[0] not in named and not field[0].startswith(_PREFIX)]


def collapsed(fields: Sequence[Field]) -> Fields:
    """Return the last value of each field, as the real gateway does with any auth plugin.

    Values with other characters than visible ASCII, space and tab are dropped.
    """
    return list(dict(visible(fields)).items())


def changed(
    fields: Sequence[Field], rules: HeaderRules | None, own: frozenset[bytes] = frozenset()
) -> Fields:
    """Apply ``rules``: remove, then set, which replaces, then add, which appends. Fields in ``own`` stay."""
    if rules is None:
        return list(fields)
    removed = {name.lower().encode() for name in _given(rules.remove, ())}
    found = [field for field in fields if field[0] not in removed or field[0] in own]
    found = _with_values(found, dict(_pairs(_given(rules.set, {}), own)))
    found.extend(_pairs(_given(rules.add, {}), own))
    return found


def replaced(fields: Sequence[Field], name: bytes, value: bytes) -> Fields:
    """Return ``fields`` with one field ``name``, in the place of the first, or at the end."""
    return _with_values(fields, {name: value})


def _with_values(fields: Sequence[Field], values: dict[bytes, bytes]) -> Fields:
    """Return ``fields`` with one field for each of ``values``, in the place of the first, or at the end."""
    left = dict(values)
    found = []
    for field in fields:
        if field[0] not in values:
            found.append(field)
        elif field[0] in left:
            found.append((field[0], left.pop(field[0])))
    return [*found, *left.items()]


def visible(fields: Sequence[Field]) -> Fields:
    """Return the ``fields`` whose values consist of visible ASCII, space and tab."""
    return [field for field in fields if _is_visible(field[1])]


def _pairs(rules: dict[str, str], own: frozenset[bytes]) -> Fields:
    """Return the fields of ``rules`` that can be sent: others are skipped, as in the real gateway."""
    pairs = [(name.lower().encode(), value.encode()) for name, value in rules.items()]
    return [
        (name, value) for name, value in pairs if name not in own and is_token(name) and _is_visible(value)
    ]


def _given(value: Any, default: Any) -> Any:
    return default if value is UNSET or value is None else value


def _is_visible(value: bytes) -> bool:
    return not value.translate(None, _VISIBLE)
