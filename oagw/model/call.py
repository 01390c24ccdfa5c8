"""Call: what a client sent, as a value that matchers, templates and verification read.

``model.journal`` keeps what a Call is made of; each view is parsed when it is first asked for.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from oagw.model import reading
from oagw.model.coding import (
    UTF_8,
    Decoded,
    Fault,
    charset_in,
    codec_of,
    codings,
    decoded,
    size_limit,
    text_of,
)
from oagw.model.reading import TooDeep as TooDeep
from oagw.model.reading import Unread

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

# Whether there is a Content-Encoding among header lines.
_CODED = re.compile(rb"(?:^|\n)content-encoding[ \t]*:", re.IGNORECASE)

# How long matching one call may take, in seconds; ``model.time_budget`` keeps to it.
_PATIENCE = 0.05


class Call:
    """One request.

    ``url`` is the path and query as sent; ``head`` the header lines as sent, CRLF between them; ``host`` and
    ``port`` are where the server was reached, ``client`` is the address of the caller. ``sent_body`` is the
    body from the wire; all else reads ``body``, which is decoded when it is first asked for. ``limit`` is how
    many bytes a body with a content coding may decode to; None for what ``coding.size_limit`` says.
    ``patience`` is how long matching it may take, in seconds, and ``deadline`` when that is over, once
    matching has begun. ``gave_up`` is whether a pattern could not be matched in that time. ``undecided`` are
    the stubs and toxics with such patterns, a kind and a name each (``model.time_budget``).
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
        self.sent_body = body
        self.limit: int | None = None
        self.client = client
        self.host = host
        self.port = port
        self.patience = _PATIENCE
        self.deadline: float | None = None
        self.gave_up = False
        self.undecided: list[tuple[str, str]] = []
        self.matching_since = 0.0  # in the processor time of the thread, in seconds

    def with_head(self, head: bytes) -> "Call":
        """The same call with other header lines."""
        call = Call(
            self.method, self.url, head, self.sent_body, client=self.client, host=self.host, port=self.port
        )
        call.limit = self.limit
        return call

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
        return grouped(reading.read_pairs(self.url.partition("?")[2]))

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        """The values of each cookie (RFC 6265 section 4.2.1)."""
        pairs = (
            part.strip().partition("=")
            for value in self.headers.get("cookie", ())
            for part in value.split(";")
        )
        return grouped((name.strip(), value.strip().strip('"')) for name, found, value in pairs if found)

    @property
    def form(self) -> dict[str, list[str]]:
        """The values of each parameter in a body that says it is a form; raises Unread."""
        values = self._form
        if isinstance(values, Unread):
            raise Unread(*values.args)
        return values

    @cached_property
    def _form(self) -> dict[str, list[str]] | Unread:
        if not self.is_form:
            return {}
        try:
            return grouped(reading.read_pairs(self.text))
        except Unread as error:  # kept: every stub may ask
            return Unread(*error.args)

    @cached_property
    def is_form(self) -> bool:
        """Whether the body says that it is a form."""
        kind = self.headers.get("content-type", [""])[0].lower()
        return kind.startswith("application/x-www-form-urlencoded")

    @property
    def body(self) -> bytes:
        """The body without its content codings, as far as it can be decoded."""
        return self._decoded.body

    @property
    def fault(self) -> Fault | None:
        """Why the body could not be decoded to its end, if somebody has asked for it."""
        result: Decoded | None = self.__dict__.get("_decoded")
        return None if result is None else result.fault

    @property
    def is_coded(self) -> bool:
        """Whether the body came with a content coding that is decoded."""
        return self._decoded.fault is not Fault.UNKNOWN and self.body is not self.sent_body

    def take_as_decoded(self) -> None:
        """Have ``body`` be what was sent, whatever content coding the header fields name."""
        self._decoded = Decoded(self.sent_body)

    @cached_property
    def _decoded(self) -> Decoded:
        if not self.sent_body or not _CODED.search(self.head):
            return Decoded(self.sent_body)
        limit = size_limit(len(self.sent_body), self.codec) if self.limit is None else self.limit
        return decoded(self.sent_body, codings(self.headers.get("content-encoding", [])), limit)

    @cached_property
    def codec(self) -> str:
        """Python's name for the charset of the body: that in Content-Type, or UTF-8 if it is not known."""
        name = charset_in(self.headers.get("content-type", [""])[0])
        return (name and codec_of(name)) or UTF_8

    @cached_property
    def text(self) -> str:
        """The body as text; what is not valid in its charset is replaced."""
        return text_of(self.body, self.codec)

    @cached_property
    def folded_text(self) -> str:
        """``text`` in lower case."""
        return self.text.lower()

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError, Unread."""
        value = self._json
        if isinstance(value, ValueError):
            raise type(value)(*value.args)
        return value

    @cached_property
    def _json(self) -> Any:
        try:
            return self.read_json(self.body if self.codec == UTF_8 else self.text)
        except Unread as error:
            return type(error)(*error.args)
        except ValueError as error:  # kept: every stub may ask
            return ValueError(str(error))

    @staticmethod
    def read_json(text: str | bytes) -> Any:
        """``text`` as JSON; raises ValueError, Unread."""
        return reading.read_json(text)


def origin_form(target: bytes) -> bytes:
    """The path and query of a request ``target``: what follows the authority in the absolute form."""
    found = None if target.startswith(b"/") else _AUTHORITY.match(target)
    return b"/" + target[found.end() :] if found else target


def is_admin(target: bytes) -> bool:
    """Whether a request ``target`` is that of the control plane."""
    return _ADMIN.match(target if target[:1] == b"/" else origin_form(target)) is not None


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
