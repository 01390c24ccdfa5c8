"""Find members that occur twice in an object of a JSON document.

RFC 8259 section 4 does not say which of them counts; msgspec, like most parsers, silently takes the last. A
document of the control plane is rejected instead, because one of the two would have no effect.
"""

import gc
import json
import marshal
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, chain
from typing import Any

from oagw.model.invalid import Invalid, pointer_to

_Pairs = list[tuple[str, Any]]


class _Found:
    """A placeholder for an object that has, or contains, a member that occurs twice.

    ``steps`` is the path from the object to the member, last step first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[str] = [name]


def check_members(document: bytes) -> None:
    """Raise Invalid with the location of a member that occurs twice in its object, in any escaping.

    Also raise Invalid if ``document`` is nested too deeply to be parsed. Do nothing if it is not valid JSON,
    which its decoder reports. JSON inside strings, such as in ``equalToJson``, is not checked.
    """
    found: _Found | None = None

    def members(pairs: _Pairs) -> _Found | None:
        # Objects are decoded from the inside out. Those without duplicates become None, so that they take no
        # memory and each array is searched at most once.
        nonlocal found
        if found is None:
            if len(pairs) > 1 and len(dict(pairs)) < len(pairs):
                found = _Found(_repeated(pairs))
            return found
        for name, value in pairs:
            if (indices := _indices(value, found)) is not None:
                found.steps += [*reversed(indices), name]
                return found
        return None

    try:
        whole = _decode(document.decode(), members)
    except RecursionError:
        raise Invalid("", "Invalid JSON: nested too deeply") from None
    except ValueError:
        return
    if found is not None:
        steps = [*found.steps, *reversed(_indices(whole, found) or [])]
        pointer = _encodable(pointer_to(reversed(steps)))
        raise Invalid(pointer, f'Object contains the member "{_encodable(found.name)}" twice')


def _decode(text: str, members: Callable[[_Pairs], Any]) -> Any:
    """Decode ``text``, with ``members`` as the hook for objects, and without converting numbers.

    Python limits the digits of a number, and converting many digits takes time.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=members, parse_int=bool, parse_float=bool, parse_constant=bool
    )
    # The garbage collector would traverse millions of new arrays repeatedly without finding a cycle, which
    # takes most of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return decoder.decode(text)
    finally:
        if collecting:
            gc.enable()


def _repeated(pairs: _Pairs) -> str:
    """Return the first name that has occurred before."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _indices(value: Any, wanted: _Found) -> list[str] | None:
    """Return the indices of ``wanted`` in nested arrays: () if it is ``value``, None if it is not found."""
    if value is wanted:
        return []
    if type(value) is not list or not _may_have(value):
        return None
    # Search level by level, because a Python step for each of many small arrays is slow.
    levels: list[list[list[Any]]] = [[value]]
    items = value
    while _Found not in map(type, items):
        arrays = [one for one in items if one and type(one) is list]
        if not arrays:
            return None
        levels.append(arrays)
        items = list(chain.from_iterable(arrays))
    indices: list[str] = []
    target: Any = wanted
    for arrays in reversed(levels):
        position = next(n for n, one in enumerate(chain.from_iterable(arrays)) if one is target)
        ends = list(accumulate(map(len, arrays)))
        holder = bisect_right(ends, position)
        target = arrays[holder]
        indices.append(str(position - ends[holder] + len(target)))
    return indices[::-1]


def _may_have(value: list[Any]) -> bool:
    """Return whether ``value`` may contain a _Found; it otherwise has only lists, strings, booleans and None.

    marshal is the fastest way to visit all of them. It raises ValueError for other types and for very deep
    nesting.
    """
    try:
        marshal.dumps(value, 2)  # version 2 does not look for shared values
    except ValueError:
        return True
    return False


def _encodable(text: str) -> str:
    """Return ``text`` with question marks in place of lone surrogates."""
    return text.encode("utf-8", "replace").decode()
