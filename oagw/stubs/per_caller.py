"""PerCaller: values by name and by caller, such as the hit counts of stubs in each sandbox."""

from collections.abc import Collection, Hashable, Mapping
from typing import Any, Generic, TypeVar

from oagw.model.memory import Memory

V = TypeVar("V")

# What a value takes with its place in the dictionaries, in bytes, and how its memory is called.
_WEIGHT = 250
_KIND = "states of stubs"

_NONE: Mapping[Any, Any] = {}


class PerCaller(Generic[V]):
    """A value for each name and each caller.

    To forget a name, or a caller, takes time in proportion to the values that it has. ``memory`` counts them.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._values: dict[str, dict[Hashable, V]] = {}
        self._names: dict[Hashable, set[str]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether any caller has a value of this name."""
        return name in self._values

    def get(self, name: str, caller: Hashable) -> V | None:
        """The value that ``caller`` has of this name."""
        return self._values.get(name, _NONE).get(caller)

    def names(self, caller: Hashable) -> Collection[str]:
        """The names of which ``caller`` has values."""
        return self._names.get(caller, ())

    def has_room(self, name: str, caller: Hashable) -> bool:
        """Whether there is such a value already, or memory for one."""
        return caller in self._values.get(name, _NONE) or self._memory.shortage(_WEIGHT) is None

    def put(self, name: str, caller: Hashable, value: V) -> None:
        """Set the value that ``caller`` has of this name."""
        values = self._values.setdefault(name, {})
        if caller not in values:
            self._names.setdefault(caller, set()).add(name)
            self._memory.keep(_KIND, _WEIGHT)
        values[caller] = value

    def forget(self, name: str) -> None:
        """Forget all values of this name."""
        callers = self._values.pop(name, _NONE)
        for caller in callers:
            names = self._names[caller]
            names.remove(name)
            if not names:
                del self._names[caller]
        self._memory.keep(_KIND, -_WEIGHT * len(callers))

    def forget_caller(self, caller: Hashable) -> Collection[str]:
        """Forget all values of ``caller``, and return their names."""
        names = self._names.pop(caller, set())
        for name in names:
            values = self._values[name]
            del values[caller]
            if not values:
                del self._values[name]
        self._memory.keep(_KIND, -_WEIGHT * len(names))
        return names

    def clear(self) -> None:
        """Forget all values."""
        self._memory.keep(_KIND, -_WEIGHT * sum(map(len, self._values.values())))
        self._values.clear()
        self._names.clear()
