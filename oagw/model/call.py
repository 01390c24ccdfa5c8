"""Call: a request, as a value for matchers, templates and verification.

``model.journal`` keeps the raw data of a Call. Parsed views are computed on first use.
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
from oagw.model.reading import ParseLimitExceeded
from oagw.model.reading import TooDeep as TooDeep

# The prefixes under which the same resources are served.
PREFIXES = ("/api/oagw/v1/", "/oagw/v1/")

# The prefix of the control plane.
_ADMIN = re.compile(rb"/__admin(?![^/?])")

# The part before the path in an absolute-form target (RFC 9112 section 3.2.2).
_AUTHORITY = re.compile(rb"https?://[^/?]*/?", re.IGNORECASE)

# The segment before an alias, and the end of an alias.
_PROXY = PREFIXES[0] + "proxy/"
_PROXIED = tuple(f"{prefix}proxy/".encode() for prefix in PREFIXES)
_ALIAS_END = re.compile(r"[/?]")

# A value of Host with a port. Longer numbers are not ports.
_WITH_PORT = re.compile(r"(.+):(\d{1,5})", re.ASCII)

# Finds Content-Encoding among header lines.
_CODED = re.compile(rb"(?:^|\n)content-encoding[ \t]*:", re.IGNORECASE)

# The time budget of matching one call, in seconds; see ``model.time_budget``.
TIME_BUDGET = 0.05


class Call:
    """One request.

    - ``url``: the raw path and query
    - ``head``: the raw header lines, separated by CRLF
    - ``host``, ``port``: the local address; ``client``: the address of the caller
    - ``sent_body``: the raw body; ``body`` is decoded on first use
    - ``limit``: the number of bytes that the body may decode to; None for that of ``coding.size_limit``
    - ``time_budget``: the time budget of matching, in seconds; ``deadline``: when it is used up, once
      matching has begun
    - ``budget_exceeded``: whether a pattern exceeded the time budget
    - ``undecided``: the stubs and toxics with such patterns, as pairs of kind and name
    - ``credentials``: the header fields in ``head`` that are credentials of a registered upstream
    """

    credentials: tuple[tuple[bytes, bytes], ...] = ()

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
        self.time_budget = TIME_BUDGET
        self.deadline: float | None = None
        self.budget_exceeded = False
        self.undecided: list[tuple[str, str]] = []
        self.matching_since = 0.0  # in seconds of the thread's CPU time

    def with_head(self, head: bytes) -> "Call":
        """Return a copy of the call with other header lines."""
        call = Call(
            self.method, self.url, head, self.sent_body, client=self.client, host=self.host, port=self.port
        )
        call.limit = self.limit
        call.credentials = self.credentials
        return call

    @cached_property
    def urls(self) -> tuple[str, ...]:
        """The spellings of ``url``: the canonical one, one under each other prefix, and the raw one."""
        return spellings(self.url)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The elements of ``urls`` without their queries."""
        return tuple(url.partition("?")[0] for url in self.urls)

    @property
    def raw_fields(self) -> list[tuple[bytes, bytes]]:
        """The header fields as sent, in order, as bytes."""
        pairs = (line.partition(b":") for line in self.head.split(b"\r\n") if line)
        return [(name, value.strip(b" \t")) for name, _, value in pairs]

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields as sent, in order."""
        return [(_text(name), _text(value)) for name, value in self.raw_fields]

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """The values of each header field, by lower-case name."""
        return grouped((name.lower(), value) for name, value in self.fields)

    @cached_property
    def authority(self) -> tuple[str, int]:
        """The target host and port: those in Host, or else the local address."""
        sent = self.headers.get("host", [""])[0]
        if not sent:
            return self.host, self.port
        found = _WITH_PORT.fullmatch(sent)
        return (found[1], int(found[2])) if found else (sent, 80)

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The decoded values of each query parameter (URL standard, section 5.1)."""
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
        """The values of each field of a form body; raises ParseLimitExceeded."""
        values = self._form
        if isinstance(values, ParseLimitExceeded):
            raise ParseLimitExceeded(*values.args)
        return values

    @cached_property
    def _form(self) -> dict[str, list[str]] | ParseLimitExceeded:
        if not self.is_form:
            return {}
        try:
            return grouped(reading.read_pairs(self.text))
        except ParseLimitExceeded as error:  # cached, because every stub may use it
            return ParseLimitExceeded(*error.args)

    @cached_property
    def is_form(self) -> bool:
        """Whether the Content-Type is that of a form."""
        kind = self.headers.get("content-type", [""])[0].lower()
        return kind.startswith("application/x-www-form-urlencoded")

    @property
    def body(self) -> bytes:
        """The body with its content codings decoded, as far as possible."""
        return self._decoded.body

    @property
    def fault(self) -> Fault | None:
        """The reason why the body could not be fully decoded, once ``body`` has been used."""
        result: Decoded | None = self.__dict__.get("_decoded")
        return None if result is None else result.fault

    @property
    def is_coded(self) -> bool:
        """Whether the body has a supported content coding."""
        return self._decoded.fault is not Fault.UNKNOWN and self.body is not self.sent_body

    def take_as_decoded(self) -> None:
        """Treat the raw body as already decoded, whatever the Content-Encoding."""
        self._decoded = Decoded(self.sent_body)

    @cached_property
    def _decoded(self) -> Decoded:
        if not self.sent_body or not _CODED.search(self.head):
            return Decoded(self.sent_body)
        limit = size_limit(len(self.sent_body), self.codec) if self.limit is None else self.limit
        return decoded(self.sent_body, codings(self.headers.get("content-encoding", [])), limit)

    @cached_property
    def codec(self) -> str:
        """Python's name for the charset in Content-Type; UTF-8 if it is missing or unknown."""
        name = charset_in(self.headers.get("content-type", [""])[0])
        return (name and codec_of(name)) or UTF_8

    @cached_property
    def text(self) -> str:
        """The body as text; invalid bytes are replaced."""
        return text_of(self.body, self.codec)

    @cached_property
    def folded_text(self) -> str:
        """``text`` in lower case."""
        return self.text.lower()

    @property
    def json(self) -> Any:
        """The body as JSON; raises ValueError or ParseLimitExceeded."""
        value = self._json
        if isinstance(value, ValueError):
            raise type(value)(*value.args)
        return value

    @cached_property
    def _json(self) -> Any:
        try:
            return self.read_json(self.body if self.codec == UTF_8 else self.text)
        except ParseLimitExceeded as error:
            return type(error)(*error.args)
        except ValueError as error:  # cached, because every stub may use it
            return ValueError(str(error))

    @staticmethod
    def read_json(text: str | bytes) -> Any:
        """Parse ``text`` as JSON; raises ValueError or ParseLimitExceeded."""
        return reading.read_json(text)


def origin_form(target: bytes) -> bytes:
    """Return the path and query of a request ``target``; in absolute form, the part after the authority."""
    found = None if target.startswith(b"/") else _AUTHORITY.match(target)
    return b"/" + target[found.end() :] if found else target


def is_admin(target: bytes) -> bool:
    """Return whether a request ``target`` is that of the control plane."""
    if b"/__admin" not in target:
        return False  # the common case
    return _ADMIN.match(target if target[:1] == b"/" else origin_form(target)) is not None


def is_proxied(target: bytes) -> bool:
    """Return whether a request ``target`` is below /proxy/: a call to an upstream."""
    return (target if target[:1] == b"/" else origin_form(target)).startswith(_PROXIED)


def spellings(raw: str) -> tuple[str, ...]:
    """Return the spellings of the URL ``raw``: the canonical one, one under each other prefix, and itself."""
    url = canonical_url(raw)
    first, second = PREFIXES
    found = (url, second + url[len(first) :]) if url.startswith(first) else (url,)
    return found if raw in found else (*found, raw)


def canonical_url(url: str) -> str:
    """Return ``url`` under the first of PREFIXES, with a lower-case alias and without a trailing ``?``."""
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
    """Return the values of ``pairs`` by name."""
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def alias_of(path: str) -> str | None:
    """Return the lower-case alias in ``path``, which is under the first of PREFIXES."""
    if not path.startswith(_PROXY):
        return None
    return path[len(_PROXY) :].partition("/")[0].lower() or None
