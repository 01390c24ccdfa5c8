"""Invalid: the error for an invalid document of a test author."""

from collections.abc import Iterable

from oagw.model.refused import Refused


class Invalid(Refused):
    """A document that cannot be accepted (422).

    ``pointer`` (RFC 6901) is the location of the invalid member, such as ``/request/urlPattern``; ``detail``
    is a sentence that names it.
    """

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(422, detail)
        self.pointer = pointer
        self.detail = detail


def pointer_to(steps: Iterable[str]) -> str:
    """Return the JSON Pointer (RFC 6901 section 3) for ``steps``, which are member names and indices."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
