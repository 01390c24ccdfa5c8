"""Stub: a stub mapping that was checked and is ready to match and to answer."""

from random import Random
from typing import Any

import msgspec
from msgspec import UNSET

from oagw.matching.pattern import Pattern, compiled
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.weight import encoded
from oagw.stubs.answer import Answer, Canned, Files, Settings
from oagw.stubs.mapping import DEFAULT_PRIORITY, StubMapping
from oagw.stubs.weight import stub_weight


class Stub:
    """A checked stub mapping with its ``id``; raises Invalid.

    It is a definition and does not change. A StubStore counts its answers and keeps the states of scenarios.
    ``times`` is how often it answers, None for always. ``required_state`` and ``new_state`` are those of its
    ``scenario``. ``weight`` is the memory in bytes that a StubStore counts for it.
    """

    def __init__(self, mapping: StubMapping, id: str, files: Files, pointer: str = "") -> None:
        self.id = id
        self.mapping = msgspec.structs.replace(mapping, id=id, uuid=id, insertion_index=UNSET)
        self.pattern: Pattern = compiled(mapping.request, f"{pointer}/request")
        self.priority: int = mapping.priority or DEFAULT_PRIORITY
        self.scenario: str | None = mapping.scenario_name or None
        self.required_state: str | None = mapping.required_scenario_state or None
        self.new_state: str | None = mapping.new_scenario_state or None
        if self.scenario is None and self.states:
            member = "newScenarioState" if self.required_state is None else "requiredScenarioState"
            raise Invalid(f"{pointer}/{member}", f"{member} needs a scenarioName")
        self.times: int | None = None if mapping.times is UNSET else mapping.times
        self._canned = Canned(mapping.response, files, f"{pointer}/response")
        self.weight = stub_weight(self.mapping, self._canned.size)

    @property
    def states(self) -> list[str]:
        """The states of its scenario that it mentions."""
        return [state for state in (self.required_state, self.new_state) if state is not None]

    def is_always_ready(self, other: "Stub") -> bool:
        """Whether its ``times`` and its scenario let it answer whenever they let ``other``."""
        same = self.scenario == other.scenario and self.required_state == other.required_state
        return self.times is None and (self.required_state is None or same)

    def equals(self, other: "Stub") -> bool:
        """Whether it has the mapping of ``other``, and sends the same."""
        same = encoded(self.mapping) == encoded(other.mapping)
        return same and self._canned.sends_the_same(other._canned)

    def answer(self, call: Call, settings: Settings, now: float, random: Random) -> Answer:
        """The answer to ``call``; raises RenderError."""
        return self._canned.answer(call, settings, now, random, self.pattern.path_parameters(call))

    def json(self) -> Any:
        """The mapping as WireMock shows it."""
        return msgspec.to_builtins(self.mapping)
