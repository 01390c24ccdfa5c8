"""Stubs that matched no request, and toxics that acted on no answer.

That is no fault of the client, and a test may well arrange more than its client needs. So these are no
findings: a test that asserts that there are none does not fail for them.
"""

from typing import Literal

from msgspec import Struct

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


def unused_stub(id: str, name: str | None, why: str | None) -> Unused:
    """A stub that answered no request; ``why`` says why it cannot, if that is certain."""
    return Unused("stub", _text("It matched no request", why), "note", id, name)


def unused_toxic(name: str, why: str | None) -> Unused:
    """A toxic that acted on no answer; ``why`` says why it cannot, if that is certain."""
    return Unused("toxic", _text("It acted on no answer", why), "note", name=name)


def _text(nothing: str, why: str | None) -> str:
    return f"{nothing}, and cannot: {why}." if why else f"{nothing}."
