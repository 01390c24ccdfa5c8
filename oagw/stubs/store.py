"""The stubs of a sandbox, found by what a request is about."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from random import Random
from typing import Any

import msgspec
from msgspec import UNSET

from oagw.matching.pattern import Pattern, compiled, methods_covering, methods_of
from oagw.model.call import Call, alias_of
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.model.time_budget import time_left
from oagw.sandboxes import Sandbox
from oagw.stubs.answer import Answer, Canned, Files, Settings
from oagw.stubs.mapping import DEFAULT_PRIORITY, StubMapping
from oagw.stubs.weight import stub_weight

# The state that every scenario begins in.
STARTED = "Started"

# After so many stubs that do not match, the time budget is looked at.
_CHECKED = 16

# Stubs in one sandbox.
MAX_STUBS = 20_000

# How the memory of stubs is called.
_KIND = "stubs"


class Stub:
    """A stub mapping that was found good, with its ``id``; raises Invalid.

    It knows nothing of what has happened: how often it has answered, and the states of scenarios, belong to
    the sandbox that a request comes from. ``weight`` is the memory in bytes that a Store counts for it.
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
        self.weight = stub_weight(self.mapping, self._canned.size)

    @property
    def states(self) -> list[str]:
        """The states of its scenario that it mentions."""
        return [state for state in (self._required, self._new) if state is not None]

    def obstacle(self, sandbox: Sandbox) -> str | None:
        """Why its ``times`` or its scenario do not let it answer callers of ``sandbox``; None if they do."""
        if self._times is not UNSET and (hits := sandbox.hits.get(self.id, 0)) >= self._times:
            return f"it has answered {hits} of {self._times} times"
        if self.scenario is None or self._required is None:
            return None
        state = sandbox.scenarios.get(self.scenario, STARTED)
        if state == self._required:
            return None
        return f"scenario {self.scenario} is in state {state}, it needs {self._required}"

    def is_always_ready(self, other: "Stub") -> bool:
        """Whether its ``times`` and its scenario let it answer whenever they let ``other``."""
        same = self.scenario == other.scenario and self._required == other._required
        return self._times is UNSET and (self._required is None or same)

    def answer(self, call: Call, sandbox: Sandbox, settings: Settings, now: float, random: Random) -> Answer:
        """Answer ``call`` from ``sandbox``: its scenario moves on. Raises RenderError."""
        sandbox.hits[self.id] = sandbox.hits.get(self.id, 0) + 1
        if self._new is not None and self.scenario is not None:
            sandbox.scenarios[self.scenario] = self._new
        return self._canned.answer(call, settings, now, random, self.pattern.path_parameters(call))

    def json(self) -> Any:
        """The mapping as WireMock shows it."""
        return msgspec.to_builtins(self.mapping)


# By priority, then the newest first.
_Rank = tuple[int, int]


class Store:
    """The stubs of a sandbox, and its settings. ``memory`` counts what they take."""

    def __init__(self, memory: Memory) -> None:
        self.settings = Settings()
        self._memory = memory
        self._stubs: dict[str, Stub] = {}
        self._ages: dict[str, int] = {}
        # By the method of the pattern and the literal path, or else the alias, or else nothing.
        self._index: dict[tuple[str, str], list[tuple[_Rank, Stub]]] = {}
        self._added = 0
        self._aliases: dict[str, int] = {}  # and how many stubs each has

    def __iter__(self) -> Iterator[Stub]:
        """All stubs, the one that is tried first first."""
        return iter(sorted(self._stubs.values(), key=self._rank))

    def __len__(self) -> int:
        return len(self._stubs)

    @property
    def aliases(self) -> Collection[str]:
        """The upstreams that exist because a stub answers for them."""
        return self._aliases.keys()

    def get(self, id: str) -> Stub | None:
        """The stub with this id, in any case."""
        return self._stubs.get(id.lower())

    def add(self, stub: Stub) -> None:
        """Put ``stub`` before those of its priority, or in the place of the one with its id."""
        if (known := self._stubs.get(stub.id)) is not None:
            self._unindex(known)
            self._memory.keep(_KIND, -known.weight)
        else:
            self._added += 1
            self._ages[stub.id] = self._added
        self._stubs[stub.id] = stub
        self._memory.keep(_KIND, stub.weight)
        insort(self._index.setdefault(_key(stub), []), (self._rank(stub), stub), key=_by_rank)
        if (alias := stub.pattern.alias) is not None:
            self._aliases[alias] = self._aliases.get(alias, 0) + 1

    def check_room(self, stubs: Iterable[Stub], without: Iterable[Stub] = ()) -> None:
        """Raises Invalid if with ``stubs`` there would be too many, or too large ones.

        Those in ``without``, which are of this store and not among ``stubs``, do not count.
        """
        count, more = len(self._stubs), 0
        for stub in {stub.id: stub for stub in stubs}.values():
            known = self._stubs.get(stub.id)
            count += known is None
            more += stub.weight - (0 if known is None else known.weight)
        for stub in without:
            count -= 1
            more -= stub.weight
        if count > MAX_STUBS:
            raise Invalid("", f"More than {MAX_STUBS} stubs in one place")
        self._memory.check(more)

    def remove(self, stub: Stub) -> None:
        """Forget ``stub``, which is one of these."""
        self._unindex(stub)
        self._memory.keep(_KIND, -stub.weight)
        del self._stubs[stub.id], self._ages[stub.id]

    def clear(self) -> None:
        """Forget all stubs."""
        self._memory.keep(_KIND, -sum(stub.weight for stub in self._stubs.values()))
        self._stubs.clear()
        self._ages.clear()
        self._index.clear()
        self._aliases.clear()

    def find(self, call: Call, sandbox: Sandbox, now: float) -> Stub | None:
        """The first stub that answers ``call`` from ``sandbox`` at ``now`` (seconds since 1970).

        Those that there is no time left for are not tried (``model.time_budget``).
        """
        path = call.paths[0]
        places = (path, alias_of(path), "")
        lists = [
            found
            for method in methods_of(call)
            for place in places
            if place is not None and (found := self._index.get((method, place)))
        ]
        ranked = lists[0] if len(lists) == 1 else merge(*lists, key=_by_rank)
        for tried, (_, stub) in enumerate(ranked):
            if tried % _CHECKED == _CHECKED - 1 and time_left(call) <= 0:
                return None
            if stub.pattern.matches(call, now) and stub.obstacle(sandbox) is None:
                return stub
        return None

    def before(self, stub: Stub) -> Iterator[Stub]:
        """The stubs that are tried before ``stub``, one of these, and may match what it does."""
        pattern, rank = stub.pattern, self._rank(stub)
        places = {pattern.literal_path, pattern.alias, ""} - {None}
        for method in set(methods_covering(pattern.method)):
            for place in places:
                for other, found in self._index.get((method, place or ""), ()):
                    if other >= rank:
                        break
                    yield found

    def _rank(self, stub: Stub) -> _Rank:
        return stub.priority, -self._ages[stub.id]

    def _unindex(self, stub: Stub) -> None:
        key = _key(stub)
        entries = self._index[key]
        del entries[bisect_left(entries, self._rank(stub), key=_by_rank)]
        if not entries:
            del self._index[key]
        if (alias := stub.pattern.alias) is not None:
            self._aliases[alias] -= 1
            if not self._aliases[alias]:
                del self._aliases[alias]


def _key(stub: Stub) -> tuple[str, str]:
    pattern = stub.pattern
    return pattern.method, pattern.literal_path or pattern.alias or ""


def _by_rank(entry: tuple[_Rank, Stub]) -> _Rank:
    return entry[0]


def forget_stubs(sandbox: Sandbox) -> None:
    """Have no stubs in ``sandbox``, nor what became of any."""
    store_of(sandbox).clear()
    sandbox.hits.clear()
    sandbox.answered.clear()
    sandbox.scenarios.clear()


def store_of(sandbox: Sandbox) -> Store:
    """The stubs of ``sandbox``, which may have had none so far."""
    if sandbox.stubs is None:
        sandbox.stubs = Store(sandbox.memory)
    return sandbox.stubs
