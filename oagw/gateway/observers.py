"""The observers that every gateway has: the journals of the sandboxes, and the access log."""

from collections.abc import Callable

from oagw.model.call import origin_form
from oagw.model.entry import COMPLETE, Entry, Observer
from oagw.model.redacted import known_secrets
from oagw.sandboxes import Sandbox
from oagw.web.reply import excerpt


class Journals(Observer):
    """Adds each entry to the journal of its sandbox, which counts as in use until the response has ended."""

    def opened(self, entry: Entry) -> None:
        entry.caller.sandbox.open += 1

    def received(self, entry: Entry) -> None:
        entry.caller.sandbox.record(entry)

    def ended(self, entry: Entry) -> None:
        sandbox: Sandbox = entry.caller.sandbox
        assert entry.closed is not None
        sandbox.open -= 1
        sandbox.used = entry.closed
        sandbox.journal.answered(entry)


class AccessLog(Observer):
    """Writes a line for each request: client, method, path, status, and number of body bytes sent.

    It leaves out the query, and masks the credentials of the request and the tokens of the server.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def ended(self, entry: Entry) -> None:
        if not entry.method:  # no valid request line
            self._write(f"{entry.client[0]} - - {entry.status} -")
            return
        known = known_secrets(entry)

        def redacted(text: bytes, limit: int) -> str:
            masked = known.masked(text.decode("utf-8", "replace"))
            return excerpt(masked.encode("utf-8", "replace"), limit)

        method, path = redacted(entry.method, 200), redacted(origin_form(entry.url).partition(b"?")[0], 1000)
        status = "-" if entry.status is None else entry.status
        end = "" if entry.ended is COMPLETE else " (incomplete)"
        self._write(f"{entry.client[0]} {method} {path} {status} {entry.sent}{end}")
