"""Call: what a client sent, as a value that matchers, templates and verification read.

``model.journal`` keeps what a Call is made of; each view is parsed when it is first asked for.
"""

import gc
import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

# Below these the same resources are served.
PREFIXES = ("/api/oagw/v1/", "/oagw/v1/")

# Where the control plane is.
_ADMIN = re.compile(rb"/__admin(?![^/?])")

# What an absolute-form target (RFC 9112 section 3.2.2) has before its path.
_AUTHORITY = re.compile(rb"https?://[^/?]*/?", re.IGNORECASE)

# What stands before an alias, and where an alias ends.
_PROXY = PREFIXES[0] + "proxy/"
_ALIAS_END = re.compile(r"[/?]")

# The value of Host with a port in it; of longer numbers there is no port.
_WITH_PORT = re.compile(r"(.+):(\d{1,5})", re.ASCII)

# How long matching one call may take, in seconds; ``control.patience`` keeps to it.
_PATIENCE = 0.06


class TooDeep(ValueError):
    """JSON that is nested deeper than it is read."""


class Call:
    """One request.

    ``url`` is the path and query as sent; ``head`` the header lines as sent, CRLF between them; ``host`` and
    ``port`` are where the server was reached, ``client`` is the address of the caller. ``patience`` is how
    long matching it may take, in seconds, and ``deadline`` when that is over, once matching has begun.
    """

    def __init__(
        self,
        method: str,
        url: str,
        head: bytes = b"",
        body: bytes = b"",
        *,
        client: str = "127.0.0.1",
        host: str = "localhost",
        port: int = 80,
    ) -> None:
        self.method = method
        self.url = url
        self.head = head
        self.body = body
        self.client = client
        self.host = host
        self.port = port
        self.patience = _PATIENCE
        self.deadline: float | None = None
        self.matching_since = 0.0  # in the processor time of the thread, in seconds

    @cached_property
    def urls(self) -> tuple[str, ...]:
        """The spellings of ``url``: the canonical one first, below each of PREFIXES, and as it came."""
        url = canonical_url(self.url)
        first, second = PREFIXES
        spellings = (url, second + url[len(first) :]) if url.startswith(first) else (url,)
        return spellings if self.url in spellings else (*spellings, self.url)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """``urls`` without their queries."""
        return tuple(url.partition("?")[0] for url in self.urls)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields as they were sent, in their order."""
        pairs = (line.partition(b":") for line in self.head.split(b"\r\n") if line)
        return [(_text(name), _text(value.strip(b" \t"))) for name, _, value in pairs]

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """The values of each header field, by its name in lower case."""
        return grouped((name.lower(), value) for name, value in self.fields)

    @cached_property
    def authority(self) -> tuple[str, int]:
        """The host and port that the client asked for: those in Host, else where the server was reached."""
        sent = self.headers.get("host", [""])[0]
        if not sent:
            return self.host, self.port
        found = _WITH_PORT.fullmatch(sent)
        return (found[1], int(found[2])) if found else (sent, 80)

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The values of each query parameter, decoded (URL standard, section 5.1)."""
        return grouped(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        """The values of each cookie (RFC 6265 section 4.2.1)."""
        pairs = (
            part.strip().partition("=")
            for value in self.headers.get("cookie", ())
            for part in value.split(";")
        )
        return grouped((name.strip(), value.strip().strip('"')) for name, found, value in pairs if found)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The values of each parameter in a body that says it is a form."""
        kind = self.headers.get("content-type", [""])[0].lower()
        if not kind.startswith("application/x-www-form-urlencoded"):
            return {}
        return grouped(parse_qsl(self.text, keep_blank_values=True))

    @cached_property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def folded_text(self) -> str:
        """``text`` in lower case."""
        return self.text.lower()

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError, TooDeep."""
        value = self._json
        if isinstance(value, ValueError):
            raise type(value)(*value.args)
        return value

    @cached_property
    def _json(self) -> Any:
        try:
            return self.read_json(self.body)
        except TooDeep as error:
            return error
        except ValueError as error:  # kept: every stub may ask
            return ValueError(str(error))

    @staticmethod
    def read_json(text: str | bytes) -> Any:
        """``text`` as JSON; raises ValueError, TooDeep."""
        # The collector would go through what has been read again and again: five times the work.
        collects = gc.isenabled()
        gc.disable()
        try:
            return json.loads(text)
        except RecursionError:
            raise TooDeep("nested too deeply") from None
        finally:
            if collects:
                gc.enable()


def origin_form(target: bytes) -> bytes:
    """The path and query of a request ``target``: what follows the authority in the absolute form."""
    found = None if target.startswith(b"/") else _AUTHORITY.match(target)
    return b"/" + target[found.end() :] if found else target


def is_admin(target: bytes) -> bool:
    """Whether a request ``target`` is that of the control plane."""
    return _ADMIN.match(origin_form(target)) is not None


def canonical_url(url: str) -> str:
    """``url`` below the first of PREFIXES, its alias in lower case, without a question mark at its end."""
    first, second = PREFIXES
    if url.endswith("?"):
        url = url[:-1]
    if url.startswith(second):
        url = first + url[len(second) :]
    if url.startswith(_PROXY):
        rest = url[len(_PROXY) :]
        alias = _ALIAS_END.split(rest, maxsplit=1)[0]
        if alias != alias.lower():
            url = _PROXY + alias.lower() + rest[len(alias) :]
    return url


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of ``pairs`` by their names."""
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def alias_of(path: str) -> str | None:
    """The alias in ``path``, which is below the first of PREFIXES, in lower case."""
    if not path.startswith(_PROXY):
        return None
    return path[len(_PROXY) :].partition("/")[0].lower() or None
