"""What the client sent in a request: its method, path, host, token and header fields, as rules need them."""

from oagw.model.entry import Entry
from oagw.model.secret import bearer


def method(entry: Entry) -> str:
    """Return the method."""
    return entry.method.decode("latin-1")


def path(entry: Entry) -> str:
    """Return the path, without the query."""
    return entry.url.partition(b"?")[0].decode("latin-1")


def field(entry: Entry, name: str) -> str | None:
    """Return the first value of the header field ``name``, in lower case, or None."""
    return next(iter(entry.call().headers.get(name, ())), None)


def host(entry: Entry) -> str | None:
    """Return the Host, which tells one origin from another."""
    return field(entry, "host")


def token(entry: Entry) -> bytes:
    """Return the token in Authorization; empty without one."""
    return bearer((field(entry, "authorization") or "").encode("latin-1", "replace"))


def requests(count: int) -> str:
    """Return ``count`` requests in words, for a sentence."""
    return "1 request" if count == 1 else f"{count} requests"
