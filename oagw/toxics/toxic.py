"""Toxic: a simulated network fault, with Toxiproxy's terms and JSON format.

``toxics.types`` has the types and ``toxics.link`` what they do to a response. ``/__admin/toxics`` and
``toxics.mock_fault`` create toxics; ``gateway.outlets`` applies them to responses.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from oagw.matching.pattern import compiled
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call, alias_of
from oagw.model.document import converted
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.model.layout import Layout
from oagw.model.suggestion import suggestion
from oagw.model.time_budget import note_undecided
from oagw.model.weight import encoded, weight
from oagw.toxics.attributes import Attributes
from oagw.toxics.link import Chain, Response
from oagw.toxics.types import TYPES

# The largest number of toxics in one sandbox. A response may go through all of them.
MAX_TOXICS = 64

# These enums are for the OpenAPI document only: Toxic checks the values, with better messages.
_Type = Annotated[str, Meta(extra_json_schema={"enum": list(TYPES)})]
_Stream = Annotated[str, Meta(extra_json_schema={"enum": ["downstream"]})]

_Times = Annotated[int, Meta(ge=1, le=10**9)]
_Skip = Annotated[int, Meta(ge=0, le=10**9)]


class ToxicDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A toxic as JSON. Toxiproxy does not have its last four members.

    It acts on responses of the upstream ``alias``, and to requests that match ``request``. It skips the first
    ``skip`` of these responses, and then acts on ``times`` of them.
    """

    type: _Type
    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    stream: _Stream = "downstream"
    toxicity: Annotated[float, Meta(ge=0, le=1)] = 1.0
    attributes: dict[str, Any] = {}
    alias: str | UnsetType = UNSET
    request: RequestPattern | UnsetType = UNSET
    times: _Times | UnsetType = UNSET
    skip: _Skip | UnsetType = UNSET


class Remaining(Struct, frozen=True):
    """How many answers a toxic still lets pass, and on how many it then acts, if there is a limit."""

    skip: int
    times: int | UnsetType = UNSET


class ShownToxic(ToxicDocument, frozen=True):
    """A toxic as it is listed; ``remaining`` is there if it has ``times`` or ``skip``."""

    remaining: Remaining | UnsetType = UNSET


class ToxicChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a toxic. Attributes that are not given keep their values. Its counts start again at 0."""

    name: str | UnsetType = UNSET
    type: _Type | UnsetType = UNSET
    stream: _Stream | UnsetType = UNSET
    toxicity: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    attributes: dict[str, Any] = {}
    alias: str | UnsetType = UNSET
    request: RequestPattern | UnsetType = UNSET
    times: _Times | UnsetType = UNSET
    skip: _Skip | UnsetType = UNSET


class Toxic:
    """The toxic that ``document`` describes; raises Invalid. ``weight`` is the memory it takes, in bytes.

    It counts the responses that it selects, to ``skip`` the first ones, and those that it is chosen for, up
    to ``times``. ``rule`` identifies it in its sandbox, for its random numbers.
    """

    rule = ""

    def __init__(self, document: ToxicDocument) -> None:
        if document.type not in TYPES:
            raise Invalid(
                "/type", f'There is no type "{document.type[:100]}"{suggestion(document.type, TYPES)}'
            )
        if document.stream != "downstream":
            raise Invalid("/stream", f'Only "downstream" is supported, not "{document.stream}"')
        self.name = f"{document.type}_{document.stream}" if document.name is UNSET else document.name
        self.document = msgspec.structs.replace(document, name=self.name)
        self.attributes: Attributes = converted(document.attributes, TYPES[document.type], "/attributes")
        self.attributes.check()
        self.acted = 0  # the number of responses that it affected
        self.answers = 0  # the number of responses that it selected
        self._chosen = 0
        self._skip = document.skip or 0
        self._times = None if document.times is UNSET else document.times
        self._pattern = None if document.request is UNSET else compiled(document.request, "/request")
        self.weight = weight(encoded(self.document), encoded(document.request))

    @property
    def request_alias(self) -> str | None:
        """The alias of the only upstream whose requests its ``request`` matches, in lower case."""
        return None if self._pattern is None else self._pattern.alias

    @property
    def ends(self) -> bool:
        """Whether it ends the responses on which it acts."""
        return self.attributes.ends

    def as_json(self) -> dict[str, Any]:
        """Return the toxic in Toxiproxy's JSON format, with all attributes."""
        document: dict[str, Any] = msgspec.to_builtins(self.document)
        document["attributes"] = msgspec.to_builtins(self.attributes)
        if self._skip or self._times is not None:
            times = UNSET if self._times is None else self._times - self._chosen
            document["remaining"] = msgspec.to_builtins(Remaining(max(self._skip - self.answers, 0), times))
        return document

    def changed(self, change: ToxicChange) -> "Toxic":
        """Return a copy of this toxic with ``change`` applied; raises Invalid."""
        given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        for fixed in ("name", "type", "stream"):
            if given.get(fixed, getattr(self.document, fixed)) != getattr(self.document, fixed):
                raise Invalid(f"/{fixed}", f"The {fixed} of a toxic cannot be changed")
        given["attributes"] = {**self.document.attributes, **change.attributes}
        return Toxic(msgspec.structs.replace(self.document, **given))

    def selects(self, call: Call, alias: str | None, now: float) -> bool:
        """Return whether it acts on responses to ``call``, a request at ``now`` to the upstream ``alias``."""
        wanted = self.document.alias
        if wanted is not UNSET and wanted.lower() != alias:
            return False
        return self._pattern is None or self._pattern.matches(call, now)

    @property
    def used_up(self) -> bool:
        """Whether it has been chosen ``times`` times."""
        return self._times is not None and self._chosen >= self._times

    def hits(self, random: Random) -> bool:
        """Count a response that it selects. Return whether it acts on it; toxicity is the probability."""
        self.answers += 1
        if self.answers <= self._skip:
            return False
        toxicity = self.document.toxicity
        if self.used_up or (toxicity < 1 and random.random() >= toxicity):
            return False
        self._chosen += 1
        return True


class Acting(NamedTuple):
    """A toxic that acts on one response, and its random numbers for it."""

    toxic: Toxic
    random: Random


def selected(toxics: Iterable[Toxic], call: Call, now: float, draws: Draws) -> list[Acting]:
    """Return those of ``toxics`` that act on the response to ``call``. To be called once per response."""
    alias, found = alias_of(call.paths[0]), []
    for toxic in toxics:
        if toxic.used_up:
            continue
        if toxic.selects(call, alias, now):
            random = draws.of(toxic.rule, toxic.answers + 1)
            if toxic.hits(random):
                found.append(Acting(toxic, random))
        elif call.budget_exceeded:
            note_undecided(call, "toxic", toxic.name)
    return found


def asked_for(toxics: Iterable[Toxic], draws: Draws) -> list[Acting]:
    """Return those of ``toxics``, the faults of a request, that act on its response."""
    acting = (Acting(toxic, draws.next("fault")) for toxic in toxics)
    return [one for one in acting if one.toxic.hits(one.random)]


def chain(toxics: Iterable[Acting], layout: Layout, acts: Callable[[Toxic], None]) -> Chain:
    """Return the chain of links by which ``toxics`` act on one response, in their order.

    ``acts`` is called with each toxic, once, when it first affects the response.
    """
    return Chain(
        [toxic.attributes.link(Response(random, layout, partial(acts, toxic))) for toxic, random in toxics]
    )
