"""Stubs that matched no request, and toxics that acted on no answer.

That is no fault of the client, and a test may well arrange more than its client needs. So these are no
findings: a test that asserts that there are none does not fail for them.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Literal

from msgspec import Struct

from oagw.sandboxes import Sandbox, Sandboxes
from oagw.stubs.never_acts import Aliases, why_stub, why_toxic
from oagw.verify.report.rules import Severity

# How many are listed.
MAX_UNUSED = 100


class Unused(Struct, frozen=True, omit_defaults=True):
    """A stub or a toxic that did nothing: ``id`` is that of a stub, ``name`` that of a toxic, or a stub's."""

    kind: Literal["stub", "toxic"]
    text: str
    severity: Severity
    id: str | None = None
    name: str | None = None


def unused(sandbox: Sandbox, sandboxes: Sandboxes, aliases: Aliases) -> Iterator[Unused]:
    """What was made in ``sandbox`` and did nothing. Shared stubs answer in sandboxes too."""
    inside = chain([sandbox], sandboxes if sandbox is sandboxes.default else ())
    used = set(sandbox.answered).union(*(one.hits for one in inside))
    for stub in sandbox.stubs or ():
        if stub.id not in used:
            assert sandbox.stubs is not None
            why = why_stub(stub, sandbox.stubs, aliases)
            text = "It matched no request" + (f", and cannot: {why}." if why else ".")
            yield Unused("stub", text, "note", stub.id, stub.mapping.name or None)
    for toxic in sandbox.toxics.values():
        if not toxic.acted:
            why = why_toxic(toxic, aliases)
            text = "It acted on no answer" + (f", and cannot: {why}." if why else ".")
            yield Unused("toxic", text, "note", name=toxic.name)
