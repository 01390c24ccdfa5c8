"""The variable ``request`` of templates, with WireMock's names."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from oagw.model.call import Call
from oagw.templates.value import Fields, LazyObject, MultiValue, Segments


class Request(LazyObject):
    """A view of a Call, with the parameters of its path template and its id."""

    def __init__(self, call: Call, path_parameters: dict[str, str], id: str) -> None:
        self.call = call
        self.id = id
        self._path_parameters = path_parameters
        self._known: dict[str, Any] = {"requestLine": self}

    def __str__(self) -> str:
        return f"{self.call.method} {self.call.url}"

    def member(self, name: str) -> Any:
        known = self._known
        if name not in known:
            read = MEMBERS.get(name)
            known[name] = read(self) if read else None
        return known[name]

    @property
    def path(self) -> Segments:
        """The raw path."""
        return Segments(self.call.url.partition("?")[0], self._path_parameters)

    @property
    def headers(self) -> Fields:
        """The header fields, sorted by name."""
        names = {name.lower(): name for name, _ in reversed(self.call.fields)}
        return Fields({names[key]: MultiValue(self.call.headers[key]) for key in sorted(names)})

    @property
    def base(self) -> str:
        """The scheme, host and port. The default port is left out."""
        host, port = self.call.authority
        return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def _several(groups: dict[str, list[str]]) -> dict[str, MultiValue]:
    return {name: MultiValue(values) for name, values in groups.items()}


# The members, which are computed when a template first uses them.
MEMBERS: dict[str, Callable[[Request], Any]] = {
    "id": lambda request: request.id,
    "method": lambda request: MultiValue([request.call.method]),
    "url": lambda request: request.call.url,
    "path": lambda request: request.path,
    "pathSegments": lambda request: request.path,
    "query": lambda request: _several(request.call.query),
    "scheme": lambda request: "http",
    "host": lambda request: request.call.authority[0],
    "port": lambda request: request.call.authority[1],
    "baseUrl": lambda request: request.base,
    "headers": lambda request: request.headers,
    "cookies": lambda request: _several(request.call.cookies),
    "body": lambda request: request.call.text,
    "bodyAsBase64": lambda request: b64encode(request.call.body).decode(),
    "clientIp": lambda request: request.call.client,
}

# Further members of WireMock.
UNSUPPORTED = frozenset({"parts", "multipart", "isMultipart", "binary"})
