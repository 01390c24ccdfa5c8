"""The errors of the client that takes the exam in the tests."""

from collections.abc import Sequence
from typing import Any, ClassVar


class Failed(Exception):
    """A call failed. ``text`` is what a stream delivered before.

    ``may_repeat``: whether the same request could succeed later, if a repetition does no harm.
    """

    may_repeat: ClassVar[bool] = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.text: str | None = None

    def report(self) -> dict[str, Any]:
        """Return the members of the report for this error."""
        return {"outcome": "error", "error": type(self).__name__, "message": str(self)}


class ConnectionFailed(Failed):
    """There is no connection, or it ended before the response was complete."""

    may_repeat = True


class TimedOut(Failed):
    """No byte came in time."""

    may_repeat = True


class BrokenResponse(Failed):
    """What came is not HTTP."""


class IncompleteResponse(Failed):
    """The connection ended, in order or not, before the response was complete."""

    may_repeat = True


class StatusError(Failed):
    """The response has an error status. ``source`` is X-OAGW-Error-Source, None without it."""

    def __init__(self, status: int, fields: Sequence[tuple[str, str]], source: str | None) -> None:
        super().__init__(f"The answer is {status}")
        self.status = status
        self.fields = fields
        self.source = source

    def report(self) -> dict[str, Any]:
        return {**super().report(), "status": self.status, "source": self.source}


class UnexpectedContent(Failed):
    """A successful response has another body than expected."""


class TooManyRedirects(Failed):
    """Redirects lead on and on, or nowhere."""


class PageLoop(Failed):
    """The link to the next page leads to a page that was fetched before."""


class IncompleteStream(Failed):
    """A stream ended without [DONE]."""


class ErrorEvent(Failed):
    """A stream contains an error."""
