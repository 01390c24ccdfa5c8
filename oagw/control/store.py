"""The stubs of a space, found by what a request is about."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterator
from heapq import merge
from random import Random
from typing import Any

import msgspec
from msgspec import UNSET

from oagw.control.answer import Answer, Canned, Files, Settings
from oagw.control.invalid import Invalid
from oagw.control.mapping import DEFAULT_PRIORITY, StubMapping
from oagw.control.pattern import Pattern, compiled, methods_of
from oagw.control.space import Space
from oagw.model.call import Call, alias_of

# The state that every scenario begins in.
STARTED = "Started"

# Stubs in one space.
MAX_STUBS = 20_000


class Stub:
    """A stub mapping that was found good, with its ``id``; raises Invalid.

    It knows nothing of what has happened: how often it has answered, and the states of scenarios, belong to
    the space that a request comes from.
    """

    def __init__(self, mapping: StubMapping, id: str, files: Files, pointer: str = "") -> None:
        self.id = id
        self.mapping = msgspec.structs.replace(mapping, id=id, uuid=id, insertion_index=UNSET)
        self.pattern: Pattern = compiled(mapping.request, f"{pointer}/request")
        self.priority: int = mapping.priority or DEFAULT_PRIORITY
        self.scenario: str | None = mapping.scenario_name or None
        self._required: str | None = mapping.required_scenario_state or None
        self._new: str | None = mapping.new_scenario_state or None
        if self.scenario is None and self.states:
            member = "newScenarioState" if self._required is None else "requiredScenarioState"
            raise Invalid(f"{pointer}/{member}", f"{member} needs a scenarioName")
        self._times = mapping.times
        self._canned = Canned(mapping.response, files, f"{pointer}/response")

    @property
    def states(self) -> list[str]:
        """The states of its scenario that it mentions."""
        return [state for state in (self._required, self._new) if state is not None]

    def obstacle(self, space: Space) -> str | None:
        """Why its ``times`` or its scenario do not let it answer callers of ``space``; None if they do."""
        if self._times is not UNSET and (hits := space.hits.get(self.id, 0)) >= self._times:
            return f"it has answered {hits} of {self._times} times"
        if self.scenario is None or self._required is None:
            return None
        state = space.scenarios.get(self.scenario, STARTED)
        if state == self._required:
            return None
        return f"scenario {self.scenario} is in state {state}, it needs {self._required}"

    def answer(self, call: Call, space: Space, settings: Settings, now: float, random: Random) -> Answer:
        """Answer ``call`` from ``space``: its scenario moves on. Raises RenderError."""
        space.hits[self.id] = space.hits.get(self.id, 0) + 1
        if self._new is not None and self.scenario is not None:
            space.scenarios[self.scenario] = self._new
        return self._canned.answer(call, settings, now, random, self.pattern.path_parameters(call))

    def json(self) -> Any:
        """The mapping as WireMock shows it."""
        return msgspec.to_builtins(self.mapping)


# By priority, then the newest first.
_Rank = tuple[int, int]


class Store:
    """The stubs of a space, and its settings."""

    def __init__(self) -> None:
        self.settings = Settings()
        self._stubs: dict[str, Stub] = {}
        self._ages: dict[str, int] = {}
        # By the method of the pattern and the literal path, or else the alias, or else nothing.
        self._index: dict[tuple[str, str], list[tuple[_Rank, Stub]]] = {}
        self._added = 0

    def __iter__(self) -> Iterator[Stub]:
        """All stubs, the one that is tried first first."""
        return iter(sorted(self._stubs.values(), key=self._rank))

    def __len__(self) -> int:
        return len(self._stubs)

    @property
    def aliases(self) -> set[str]:
        """The upstreams that exist because a stub answers for them."""
        return {stub.pattern.alias for stub in self._stubs.values() if stub.pattern.alias is not None}

    def get(self, id: str) -> Stub | None:
        """The stub with this id, in any case."""
        return self._stubs.get(id.lower())

    def add(self, stub: Stub) -> None:
        """Put ``stub`` before those of its priority, or in the place of the one with its id."""
        if stub.id in self._stubs:
            self._unindex(self._stubs[stub.id])
        else:
            self._added += 1
            self._ages[stub.id] = self._added
        self._stubs[stub.id] = stub
        insort(self._index.setdefault(_key(stub), []), (self._rank(stub), stub), key=_by_rank)

    def check_room(self, stubs: Collection[Stub]) -> None:
        """Raises Invalid if with ``stubs`` there would be more than MAX_STUBS."""
        new = sum(stub.id not in self._stubs for stub in stubs)
        if len(self._stubs) + new > MAX_STUBS:
            raise Invalid("", f"More than {MAX_STUBS} stubs in one place")

    def remove(self, stub: Stub) -> None:
        """Forget ``stub``, which is one of these."""
        self._unindex(stub)
        del self._stubs[stub.id], self._ages[stub.id]

    def clear(self) -> None:
        """Forget all stubs."""
        self._stubs.clear()
        self._ages.clear()
        self._index.clear()

    def find(self, call: Call, space: Space, now: float) -> Stub | None:
        """The first stub that answers ``call`` from ``space`` at ``now`` (seconds since 1970)."""
        path = call.paths[0]
        places = (path, alias_of(path), "")
        lists = [
            found
            for method in methods_of(call)
            for place in places
            if place is not None and (found := self._index.get((method, place)))
        ]
        for _, stub in lists[0] if len(lists) == 1 else merge(*lists, key=_by_rank):
            if stub.pattern.matches(call, now) and stub.obstacle(space) is None:
                return stub
        return None

    def _rank(self, stub: Stub) -> _Rank:
        return stub.priority, -self._ages[stub.id]

    def _unindex(self, stub: Stub) -> None:
        key = _key(stub)
        entries = self._index[key]
        del entries[bisect_left(entries, self._rank(stub), key=_by_rank)]
        if not entries:
            del self._index[key]


def _key(stub: Stub) -> tuple[str, str]:
    pattern = stub.pattern
    return pattern.method, pattern.literal_path or pattern.alias or ""


def _by_rank(entry: tuple[_Rank, Stub]) -> _Rank:
    return entry[0]


def forget_stubs(space: Space) -> None:
    """Have no stubs in ``space``, nor what became of any."""
    store_of(space).clear()
    space.hits.clear()
    space.scenarios.clear()


def store_of(space: Space) -> Store:
    """The stubs of ``space``, which may have had none so far."""
    if space.stubs is None:
        space.stubs = Store()
    return space.stubs
