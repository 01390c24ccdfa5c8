"""Toxics: what the network does to an answer, in Toxiproxy's words and JSON.

``toxics.types`` has the types, each with what it does to a response; ``toxics.mock_fault`` those toxics that
come with a request. ``/__admin/toxics`` makes them, ``gateway.outlets`` puts them below a response.
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

# Toxics at a time in one sandbox: an answer goes through all of them.
MAX_TOXICS = 64

# Told of in the description; Toxic checks them, and says what there is.
_Type = Annotated[str, Meta(extra_json_schema={"enum": list(TYPES)})]
_Stream = Annotated[str, Meta(extra_json_schema={"enum": ["downstream"]})]

_Times = Annotated[int, Meta(ge=1, le=10**9)]
_Skip = Annotated[int, Meta(ge=0, le=10**9)]


class ToxicDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A toxic as JSON. Its last four members are not Toxiproxy's.

    It acts on the answers of ``alias``, and on those to what matches ``request``. Of these it lets ``skip``
    answers pass at first, and then acts on ``times`` of them.
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
    """What can be changed of a toxic: attributes that are not given stay. It counts its answers anew."""

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
    """What ``document`` asks for, checked; raises Invalid. ``weight`` is the memory it takes, in bytes.

    It counts the answers that it was to act on, in order to ``skip`` the first ones, and those that it was
    chosen for, up to ``times``. ``rule`` identifies it in its sandbox, for its random numbers.
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
        self.acted = 0  # on how many answers
        self.answers = 0  # that it was to act on
        self._chosen = 0
        self._skip = document.skip or 0
        self._times = None if document.times is UNSET else document.times
        self._pattern = None if document.request is UNSET else compiled(document.request, "/request")
        self.weight = weight(encoded(self.document), encoded(document.request))

    @property
    def request_alias(self) -> str | None:
        """The one upstream whose requests match its ``request``, in lower case."""
        return None if self._pattern is None else self._pattern.alias

    @property
    def ends(self) -> bool:
        """Whether it ends the answers that it acts on."""
        return self.attributes.ends

    def as_json(self) -> dict[str, Any]:
        """The toxic as Toxiproxy shows it, with all its attributes."""
        shown: dict[str, Any] = msgspec.to_builtins(self.document)
        shown["attributes"] = msgspec.to_builtins(self.attributes)
        if self._skip or self._times is not None:
            times = UNSET if self._times is None else self._times - self._chosen
            shown["remaining"] = msgspec.to_builtins(Remaining(max(self._skip - self.answers, 0), times))
        return shown

    def changed(self, change: ToxicChange) -> "Toxic":
        """This toxic with ``change``; raises Invalid."""
        given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
        for fixed in ("name", "type", "stream"):
            if given.get(fixed, getattr(self.document, fixed)) != getattr(self.document, fixed):
                raise Invalid(f"/{fixed}", f"The {fixed} of a toxic cannot be changed")
        given["attributes"] = {**self.document.attributes, **change.attributes}
        return Toxic(msgspec.structs.replace(self.document, **given))

    def selects(self, call: Call, alias: str | None, now: float) -> bool:
        """Whether it acts on answers to ``call``, which goes to the upstream ``alias``, at ``now``."""
        wanted = self.document.alias
        if wanted is not UNSET and wanted.lower() != alias:
            return False
        return self._pattern is None or self._pattern.matches(call, now)

    @property
    def used_up(self) -> bool:
        """Whether it has been chosen ``times`` times."""
        return self._times is not None and self._chosen >= self._times

    def hits(self, random: Random) -> bool:
        """Whether it acts on this answer, after its ``skip`` first ones: its toxicity is the probability."""
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
    """Those of ``toxics`` that act on the answer to ``call`` at ``now``, in their order; once per answer."""
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
    """Those of ``toxics``, which a request asks for, that act on the answer to it."""
    acting = (Acting(toxic, draws.next("fault")) for toxic in toxics)
    return [one for one in acting if one.toxic.hits(one.random)]


def chain(toxics: Iterable[Acting], layout: Layout, acts: Callable[[Toxic], None]) -> Chain:
    """What ``toxics`` do to one response, the first of them first.

    ``acts`` is called once with each that comes to have a part in it.
    """
    return Chain(
        [toxic.attributes.link(Response(random, layout, partial(acts, toxic))) for toxic, random in toxics]
    )
