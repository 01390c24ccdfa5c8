"""Call: what a client sent, as a value that matchers, templates and verification read.

``model.journal`` keeps what a Call is made of; each view is parsed when it is first asked for.
"""

import json
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

# Below these the same resources are served.
PREFIXES = ("/api/oagw/v1/", "/oagw/v1/")


class Call:
    """One request.

    ``url`` is the path and query as sent; ``head`` the header lines as sent, CRLF between them; ``host`` and
    ``port`` are where the server was reached, ``client`` is the address of the caller.
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

    @cached_property
    def urls(self) -> tuple[str, ...]:
        """``url`` in its spelling below the first of PREFIXES, and as it came where that differs."""
        first, second = PREFIXES
        if self.url.startswith(second):
            return first + self.url[len(second) :], self.url
        return (self.url,)

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
        return _grouped((name.lower(), value) for name, value in self.fields)

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The values of each query parameter, decoded (URL standard, section 5.1)."""
        return _grouped(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        """The values of each cookie (RFC 6265 section 4.2.1)."""
        pairs = (
            part.strip().partition("=")
            for value in self.headers.get("cookie", ())
            for part in value.split(";")
        )
        return _grouped((name.strip(), value.strip().strip('"')) for name, found, value in pairs if found)

    @cached_property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The body as JSON; raises ValueError."""
        return json.loads(self.body)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _grouped(pairs: Any) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def alias_of(path: str) -> str | None:
    """The alias in ``path``, which is below the first of PREFIXES, in lower case."""
    head, proxy, rest = path.partition(PREFIXES[0] + "proxy/")
    return rest.partition("/")[0].lower() or None if proxy and not head else None
