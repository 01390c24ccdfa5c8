"""Stub: a checked and compiled stub mapping."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from msgspec import UNSET

from oagw.matching.pattern import Pattern, compiled
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.weight import encoded
from oagw.stubs.answer import Answer, Files, PreparedResponse, Settings
from oagw.stubs.mapping import DEFAULT_PRIORITY, StubMapping
from oagw.stubs.weight import stub_weight


class Stub:
    """A checked stub mapping with its ``id``. Raises Invalid.

    It is immutable: a StubStore counts its answers and keeps the states of scenarios.

    - ``times``: the number of requests that it answers; None for no limit
    - ``required_state``, ``new_state``: states of its ``scenario``
    - ``weight``: the memory that a StubStore counts for it, in bytes
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
            raise Invalid(f"{pointer}/{member}", f"{member} requires a scenarioName")
        self.times: int | None = None if mapping.times is UNSET else mapping.times
        self._response = PreparedResponse(mapping.response, files, f"{pointer}/response")
        self.weight = stub_weight(self.mapping, self._response.size)

    @property
    def states(self) -> list[str]:
        """The states of its scenario that it mentions, as conditions or results."""
        return [state for state in (self.required_state, self.new_state) if state is not None]

    def is_always_ready(self, other: "Stub") -> bool:
        """Return whether its ``times`` and scenario allow it to answer whenever those of ``other`` do."""
        same = self.scenario == other.scenario and self.required_state == other.required_state
        return self.times is None and (self.required_state is None or same)

    def equals(self, other: "Stub") -> bool:
        """Return whether it has the same mapping as ``other`` and sends the same."""
        same = encoded(self.mapping) == encoded(other.mapping)
        return same and self._response.sends_the_same(other._response)

    def answer(self, call: Call, settings: Settings, now: float, random: Callable[[], Random]) -> Answer:
        """Return the answer to ``call``; ``random`` is called once at most. Raises RenderError."""
        return self._response.answer(call, settings, now, random, self.pattern.path_parameters(call))

    def json(self) -> Any:
        """Return the mapping in WireMock's JSON format."""
        return msgspec.to_builtins(self.mapping)
