"""Toxic: a simulated network fault, with Toxiproxy's terms and JSON format.

``toxics.types`` has the types and ``toxics.link`` what they do to a response. ``/__admin/toxics`` and
``toxics.mock_fault`` create toxics; ``gateway.outlets`` applies them to responses.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from oagw.matching.pattern import compiled
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call, alias_of
from oagw.model.document import converted
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


class ToxicDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A toxic as JSON. Toxiproxy does not have ``alias`` and ``request``, which select the responses."""

    type: _Type
    name: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    stream: _Stream = "downstream"
    toxicity: Annotated[float, Meta(ge=0, le=1)] = 1.0
    attributes: dict[str, Any] = {}
    alias: str | UnsetType = UNSET
    request: RequestPattern | UnsetType = UNSET


class ToxicChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a toxic. Attributes that are not given keep their values."""

    name: str | UnsetType = UNSET
    type: _Type | UnsetType = UNSET
    stream: _Stream | UnsetType = UNSET
    toxicity: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    attributes: dict[str, Any] = {}
    alias: str | UnsetType = UNSET
    request: RequestPattern | UnsetType = UNSET


class Toxic:
    """The toxic that ``document`` describes; raises Invalid. ``weight`` is the memory it takes, in bytes."""

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
        return {**document, "attributes": msgspec.to_builtins(self.attributes)}

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

    def hits(self, random: Random) -> bool:
        """Return, at random, whether it acts on a response. Its toxicity is the probability."""
        toxicity = self.document.toxicity
        return toxicity >= 1 or random.random() < toxicity


def selected(toxics: Iterable[Toxic], call: Call, now: float, random: Random) -> list[Toxic]:
    """Return those of ``toxics`` that act on the response to ``call``. To be called once per response."""
    alias, found = alias_of(call.paths[0]), []
    for toxic in toxics:
        if toxic.selects(call, alias, now):
            if toxic.hits(random):
                found.append(toxic)
        elif call.budget_exceeded:
            note_undecided(call, "toxic", toxic.name)
    return found


def chain(toxics: Iterable[Toxic], random: Random, layout: Layout, acts: Callable[[Toxic], None]) -> Chain:
    """Return the chain of links by which ``toxics`` act on one response, in their order.

    ``acts`` is called with each toxic, once, when it first affects the response.
    """
    return Chain([toxic.attributes.link(Response(random, layout, partial(acts, toxic))) for toxic in toxics])
