"""Refused: the exception with which any part of the program refuses a request.

``web.resource`` turns it into a response, in the format of the component that refuses. ``model.invalid`` has
the kind that refuses a document.
"""

from collections.abc import Mapping


class Refused(Exception):
    """A request is refused; ``Node.refusal`` chooses the format of the response.

    ``status`` is 400 to 599, ``message`` a sentence for people, ``field`` the member or parameter at fault,
    and ``code`` a constant for programs; the last two are None if they do not apply. ``headers`` are header
    fields that the status requires, such as ``Allow``. ``hint`` is what may have been meant.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        code: str | None = None,
        headers: Mapping[bytes, tuple[bytes, ...]] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.field = field
        self.code = code
        self.headers: Mapping[bytes, tuple[bytes, ...]] = headers or {}
        self.hint = hint
