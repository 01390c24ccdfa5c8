"""StubStore: the stubs of a sandbox, indexed by method and path, with their hit counts and scenarios."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from heapq import merge

from oagw.matching.pattern import methods_covering, methods_of
from oagw.model.call import Call, alias_of
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.model.time_budget import note_undecided, time_left
from oagw.stubs.answer import Answer, Settings
from oagw.stubs.per_caller import PerCaller
from oagw.stubs.stub import Stub

# The initial state of every scenario.
STARTED = "Started"

# The time budget is checked each time this number of stubs has been tried.
_CHECKED = 16

# The largest number of stubs in a sandbox.
MAX_STUBS = 20_000

# The name under which Memory counts stubs.
_KIND = "stubs"

_NO_SETTINGS = Settings()

# Priority, then age: newer stubs come first.
_Rank = tuple[int, int]


class StubStore:
    """The stubs of a sandbox and its settings. ``memory`` counts their size.

    For callers of the sandbox, its own stubs are tried first, then those of the store ``shared``. Each
    sandbox has its own hit counts and scenario states for both. They are kept in the store that has the stub,
    or a stub of the scenario, and removed together with it. The counts of a stub that replaces another start
    at 0.
    """

    def __init__(self, memory: Memory, shared: "StubStore | None" = None) -> None:
        self.settings = Settings()
        self.stores: tuple[StubStore, ...] = (self,) if shared is None else (self, shared)
        self._memory = memory
        self._stubs: dict[str, Stub] = {}
        self._ages: dict[str, int] = {}
        # By method and literal path of the pattern; without one, by alias; without that, by an empty string.
        self._index: dict[tuple[str, str], list[tuple[_Rank, Stub]]] = {}
        self._added = 0
        self._aliases: dict[str, int] = {}  # with the number of their stubs
        self._scenarios: dict[str, int] = {}  # likewise
        # Hits of own stubs, by id; states of their scenarios, by name. The callers are StubStores.
        self._hits: PerCaller[int] = PerCaller(memory)
        self._states: PerCaller[str] = PerCaller(memory)
        self._answered: set[str] = set()  # ids of stubs that answered callers without a count

    def __iter__(self) -> Iterator[Stub]:
        """Iterate over its own stubs, in the order in which they are tried."""
        return iter(sorted(self._stubs.values(), key=self._rank))

    def __len__(self) -> int:
        return len(self._stubs)

    @property
    def aliases(self) -> Collection[str]:
        """The upstreams that exist because of its own stubs."""
        return self._aliases.keys()

    @property
    def states(self) -> dict[str, str]:
        """The states of the scenarios, by name, as far as they have been set."""
        names = {name for store in self.stores for name in store._states.names(self)}
        return {name: self.state(name) for name in names}

    def get(self, id: str) -> Stub | None:
        """Return its own stub with this id, which is case-insensitive, or None."""
        return self._stubs.get(id.lower())

    def add(self, stub: Stub) -> None:
        """Add ``stub`` before those of the same priority, or replace the one with its id."""
        known = self._stubs.get(stub.id)
        if known is None:
            self._added += 1
            self._ages[stub.id] = self._added
        else:
            self._unindex(known)
        self._index_stub(stub)
        if known is not None and known is not stub:
            self._forget(known)

    def reload(self, old: Iterable[Stub], new: Iterable[Stub]) -> None:
        """Replace the ``old`` stubs by the ``new`` ones, which come before all others, in this order.

        A stub that is in both keeps its counts.
        """
        gone = [stub for stub in old if self._stubs.get(stub.id) is stub]
        for stub in gone:
            self._unindex(stub)
            del self._ages[stub.id]
        for stub in reversed(list(new)):
            self.add(stub)
        for stub in gone:
            if self._stubs.get(stub.id) is not stub:
                self._forget(stub)

    def check_room(self, stubs: Iterable[Stub], without: Iterable[Stub] = ()) -> None:
        """Raise Invalid if adding ``stubs`` would exceed MAX_STUBS or the memory limit.

        Stubs of this store that are in ``without``, and not in ``stubs``, do not count.
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
            raise Invalid("", f"More than {MAX_STUBS} stubs in one sandbox")
        self._memory.check(more)

    def remove(self, stub: Stub) -> None:
        """Remove ``stub``, one of its own, with its counts."""
        self._unindex(stub)
        del self._ages[stub.id]
        self._forget(stub)

    def clear(self) -> None:
        """Remove all of its own stubs, with their counts and states, and those of its callers."""
        self._memory.keep(_KIND, -sum(stub.weight for stub in self._stubs.values()))
        self._stubs.clear()
        self._ages.clear()
        self._index.clear()
        self._aliases.clear()
        self._scenarios.clear()
        self._hits.clear()
        self._states.clear()
        self._answered.clear()
        for shared in self.stores[1:]:
            shared._answered.update(shared._hits.forget_caller(self))
            shared._states.forget_caller(self)

    def find(self, call: Call, now: float) -> Stub | None:
        """Return the first stub that matches ``call`` at ``now`` (in seconds since 1970), or None.

        When the time budget is used up, no more stubs are tried; the next one is added to ``call.undecided``.
        """
        for store in self.stores:
            for tried, stub in enumerate(store._candidates(call)):
                if tried % _CHECKED == _CHECKED - 1 and time_left(call) <= 0:
                    call.budget_exceeded = True
                    note_undecided(call, "stub", stub.id)
                    return None
                if stub.pattern.matches(call, now):
                    if self._why_not(stub, store) is None:
                        return stub
                elif call.budget_exceeded:
                    note_undecided(call, "stub", stub.id)
        return None

    def why_not(self, stub: Stub) -> str | None:
        """Return why ``stub`` cannot answer now, even if it matches; None if it can."""
        return self._why_not(stub, self._store_of(stub))

    def answer(self, stub: Stub, call: Call, now: float, draws: Draws) -> Answer:
        """Return the answer of ``stub`` to ``call``, and record the hit. Raises RenderError.

        ``draws`` are the random numbers of the caller.
        """
        store = self._store_of(stub)
        if store._hits.has_room(stub.id, self):
            store._hits.put(stub.id, self, (store._hits.get(stub.id, self) or 0) + 1)
        else:
            store._answered.add(stub.id)
        if stub.scenario is not None and stub.new_state is not None:
            self.set_state(stub.scenario, stub.new_state)
        random = partial(draws.of, f"stub {stub.id}", store._hits.get(stub.id, self) or 0)
        return stub.answer(call, self._settings(), now, random)

    def state(self, scenario: str) -> str:
        """Return the state of ``scenario``."""
        states = (store._states.get(scenario, self) for store in self.stores)
        return next((state for state in states if state is not None), STARTED)

    def set_state(self, scenario: str, state: str) -> None:
        """Set the state of ``scenario``, which must belong to a stub."""
        for store in self.stores:
            if scenario in store._scenarios:
                store._states.put(scenario, self, state)

    def reset_scenarios(self) -> None:
        """Reset all scenarios to their initial state."""
        for store in self.stores:
            store._states.forget_caller(self)

    def has_answered(self, stub: Stub) -> bool:
        """Return whether ``stub``, one of its own, has answered any caller."""
        return stub.id in self._hits or stub.id in self._answered

    def answered(self, callers: Iterable["StubStore"] = ()) -> set[str]:
        """Return the ids of its own stubs that have answered ``callers``, or callers without a count."""
        return self._answered.union(*(self._hits.names(caller) for caller in callers))

    def before(self, stub: Stub) -> Iterator[Stub]:
        """Yield its own stubs that are tried before its stub ``stub`` and may match the same requests."""
        pattern, rank = stub.pattern, self._rank(stub)
        keys = {pattern.literal_path, pattern.alias, ""} - {None}
        for method in set(methods_covering(pattern.method)):
            for key in keys:
                for other, found in self._index.get((method, key or ""), ()):
                    if other >= rank:
                        break
                    yield found

    def _candidates(self, call: Call) -> Iterator[Stub]:
        """Iterate over its own stubs that may match ``call``, in the order in which they are tried."""
        path = call.paths[0]
        keys = (path, alias_of(path), "")
        lists = [
            found
            for method in methods_of(call)
            for key in keys
            if key is not None and (found := self._index.get((method, key)))
        ]
        ranked = lists[0] if len(lists) == 1 else merge(*lists, key=_by_rank)
        return (stub for _, stub in ranked)

    def _why_not(self, stub: Stub, store: "StubStore") -> str | None:
        if stub.times is not None:
            hits = store._hits.get(stub.id, self) or 0
            if hits >= stub.times:
                return f"it has answered {hits} of {stub.times} times"
            if not store._hits.has_room(stub.id, self):
                return "there is no memory left to count its answers"
        if stub.scenario is None:
            return None
        if stub.required_state is not None and (state := self.state(stub.scenario)) != stub.required_state:
            return f"scenario {stub.scenario} is in state {state}, it needs {stub.required_state}"
        if stub.new_state is not None and not store._states.has_room(stub.scenario, self):
            return "there is no memory left for the state of its scenario"
        return None

    def _store_of(self, stub: Stub) -> "StubStore":
        return self if self._stubs.get(stub.id) is stub else self.stores[-1]

    def _settings(self) -> Settings:
        """Return its own settings; if it has none, the shared ones."""
        return self.settings if self.settings != _NO_SETTINGS else self.stores[-1].settings

    def _rank(self, stub: Stub) -> _Rank:
        return stub.priority, -self._ages[stub.id]

    def _index_stub(self, stub: Stub) -> None:
        self._stubs[stub.id] = stub
        self._memory.keep(_KIND, stub.weight)
        insort(self._index.setdefault(_key(stub), []), (self._rank(stub), stub), key=_by_rank)
        for counts, name in ((self._aliases, stub.pattern.alias), (self._scenarios, stub.scenario)):
            if name is not None:
                counts[name] = counts.get(name, 0) + 1

    def _unindex(self, stub: Stub) -> None:
        del self._stubs[stub.id]
        self._memory.keep(_KIND, -stub.weight)
        key = _key(stub)
        entries = self._index[key]
        del entries[bisect_left(entries, self._rank(stub), key=_by_rank)]
        if not entries:
            del self._index[key]
        for counts, name in ((self._aliases, stub.pattern.alias), (self._scenarios, stub.scenario)):
            if name is not None:
                counts[name] -= 1
                if not counts[name]:
                    del counts[name]

    def _forget(self, stub: Stub) -> None:
        """Remove the counts of ``stub``, and the states of its scenario unless another stub has it."""
        self._hits.forget(stub.id)
        self._answered.discard(stub.id)
        if stub.scenario is not None and stub.scenario not in self._scenarios:
            self._states.forget(stub.scenario)


def _key(stub: Stub) -> tuple[str, str]:
    pattern = stub.pattern
    return pattern.method, pattern.literal_path or pattern.alias or ""


def _by_rank(entry: tuple[_Rank, Stub]) -> _Rank:
    return entry[0]
