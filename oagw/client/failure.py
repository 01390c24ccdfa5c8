"""Add the report of the gateway to the exception of a failing test. Standard library only."""

from typing import Protocol

# The first line of the note on the exception.
_TITLE = "What the gateway saw:"


class Reporting(Protocol):
    """A gateway or a sandbox."""

    def report_text(self) -> str:
        """Return the report as text."""


def add_report(error: BaseException | None, sandbox: Reporting) -> None:
    """Add the report of ``sandbox`` to ``error``, if that is a failure and has no report yet.

    Test runners print such a note below the traceback.
    """
    if isinstance(error, Exception) and not any(
        note.startswith(_TITLE) for note in getattr(error, "__notes__", ())
    ):
        text = text_of(sandbox)
        if text:
            error.add_note(f"{_TITLE}\n{text}")


def text_of(sandbox: Reporting) -> str:
    """Return the report of ``sandbox``, or why there is none."""
    try:
        return sandbox.report_text().rstrip()
    except Exception as why:  # a failing test fails for its own reason
        return f"No report: {why}"
