"""Stubs that matched no request, and toxics that affected no response.

They are not mistakes of the client, and a test may prepare more than its client needs. So they are not
findings, and do not fail a test that asserts that there are no findings.
"""

from typing import Literal

from msgspec import Struct

from oagw.verify.report.rules import Severity

# The largest number that is listed.
MAX_UNUSED = 100


class Unused(Struct, frozen=True, omit_defaults=True):
    """A stub or a toxic without effect. A stub has an ``id``; a toxic, and maybe a stub, has a ``name``."""

    kind: Literal["stub", "toxic"]
    text: str
    severity: Severity
    id: str | None = None
    name: str | None = None


def unused_stub(id: str, name: str | None, why: str | None, pattern: str) -> Unused:
    """Report a stub that answered no request; ``why`` explains why it cannot, if that is certain.

    ``pattern`` has the method and the URL of its requests.
    """
    return Unused("stub", _text(f"{pattern}: It matched no request", why), "note", id, name)


def unused_toxic(name: str, why: str | None) -> Unused:
    """Report a toxic that affected no response; ``why`` explains why it cannot, if that is certain."""
    return Unused("toxic", _text("It affected no response", why), "note", name=name)


def _text(nothing: str, why: str | None) -> str:
    return f"{nothing}, and cannot: {why}." if why else f"{nothing}."
