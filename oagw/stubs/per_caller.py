"""PerCaller: values by name and by caller, such as the hit counts of stubs in each sandbox."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any, Generic, TypeVar

from oagw.model.memory import Memory

V = TypeVar("V")

# The size of a value with its dictionary entries, in bytes, and the name under which Memory counts it.
_WEIGHT = 250
_KIND = "states of stubs"

_NONE: Mapping[Any, Any] = {}


class PerCaller(Generic[V]):
    """A mapping from name and caller to a value. ``memory`` counts the values.

    Removing a name or a caller takes time proportional to the number of its values.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._values: dict[str, dict[Hashable, V]] = {}
        self._names: dict[Hashable, set[str]] = {}

    def __contains__(self, name: str) -> bool:
        """Return whether any caller has a value for ``name``."""
        return name in self._values

    def get(self, name: str, caller: Hashable) -> V | None:
        """Return the value of ``caller`` for ``name``, or None."""
        return self._values.get(name, _NONE).get(caller)

    def names(self, caller: Hashable) -> Collection[str]:
        """Return the names for which ``caller`` has values."""
        return self._names.get(caller, ())

    def has_room(self, name: str, caller: Hashable) -> bool:
        """Return whether this value exists, or there is memory for it."""
        return caller in self._values.get(name, _NONE) or self._memory.shortage(_WEIGHT) is None

    def put(self, name: str, caller: Hashable, value: V) -> None:
        """Set the value of ``caller`` for ``name``."""
        values = self._values.setdefault(name, {})
        if caller not in values:
            self._names.setdefault(caller, set()).add(name)
            self._memory.keep(_KIND, _WEIGHT)
        values[caller] = value

    def forget(self, name: str) -> None:
        """Remove all values for ``name``."""
        callers = self._values.pop(name, _NONE)
        for caller in callers:
            names = self._names[caller]
            names.remove(name)
            if not names:
                del self._names[caller]
        self._memory.keep(_KIND, -_WEIGHT * len(callers))

    def forget_caller(self, caller: Hashable) -> Collection[str]:
        """Remove all values of ``caller`` and return their names."""
        names = self._names.pop(caller, set())
        for name in names:
            values = self._values[name]
            del values[caller]
            if not values:
                del self._values[name]
        self._memory.keep(_KIND, -_WEIGHT * len(names))
        return names

    def clear(self) -> None:
        """Remove all values."""
        self._memory.keep(_KIND, -_WEIGHT * sum(map(len, self._values.values())))
        self._values.clear()
        self._names.clear()
