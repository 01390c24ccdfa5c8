"""Invalid: what is wrong with a document that a test author sent, and where."""

from collections.abc import Iterable


class Invalid(ValueError):
    """A document that cannot be accepted.

    ``pointer`` (RFC 6901) is the member at fault, such as ``/request/urlPattern``; ``detail`` is a sentence
    for people that names it.
    """

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


def pointer_to(steps: Iterable[str]) -> str:
    """The JSON pointer (RFC 6901 section 3) that ``steps`` make: names of members, and indices."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
