"""A client of the gateway under test with the token of one tenant, and the answers that it gets."""

import http.client
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

# Seconds that an answer may take.
PATIENCE = 15.0

PROTOCOL = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1"
UPSTREAM = "gts.cf.core.oagw.upstream.v1~"
ROUTE = "gts.cf.core.oagw.route.v1~"
APIKEY = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.apikey.v1"
NOOP = "gts.cf.core.oagw.auth_plugin.v1~cf.core.oagw.noop.v1"

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_numbers = count(1)


@dataclass
class Rig:
    """The gateway under test: its URL, the tokens and tenants by role, and whether it is this mock."""

    url: str
    tokens: Mapping[str, str]
    tenants: Mapping[str, str]
    prefix: str = "/api/oagw/v1"
    double: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Answer:
    """A response; the names of ``headers`` are in lower case, each with all its values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    complete: bool = True  # whether the end of the body arrived

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header field that is there once; None if it is missing."""
        values = self.headers.get(name.lower(), [])
        assert len(values) <= 1, (name, values)
        return values[0] if values else None

    @property
    def source(self) -> str | None:
        """The value of X-OAGW-Error-Source."""
        return self.header("x-oagw-error-source")


class Client:
    """Calls the gateway with the token of ``role``; ``None`` sends none."""

    def __init__(self, rig: Rig, role: str | None) -> None:
        self.rig = rig
        self.token = None if role is None else rig.tokens[role]
        self.tenant = "" if role is None else rig.tenants[role]
        self._made: list[str] = []
        self._secrets: list[str] = []

    def ask(
        self,
        method: str,
        path: str,
        value: Any = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Call ``path``, which is below the prefix unless it begins with ``//``, with ``value`` as JSON."""
        fields = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if value is not None:
            body = json.dumps(value).encode()
            fields["Content-Type"] = "application/json"
        parts = urlsplit(self.rig.url)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        try:
            target = path[1:] if path.startswith("//") else self.rig.prefix + path
            connection.request(method, target, body, {**fields, **(headers or {})})
            response = connection.getresponse()
            found: dict[str, list[str]] = {}
            for name, text in response.getheaders():
                found.setdefault(name.lower(), []).append(text)
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def call(
        self, target: str, *fields: str, method: str = "GET", body: bytes = b"", chunked: bool = False
    ) -> Answer:
        """Call ``target``, an alias and what follows it, through the proxy.

        ``fields`` are header lines as they are sent.
        """
        return exchange(self.rig.url, self.head(target, *fields, method=method, body=body, chunked=chunked))

    def head(
        self, target: str, *fields: str, method: str = "GET", body: bytes = b"", chunked: bool = False
    ) -> bytes:
        """The bytes of such a call."""
        lines = [f"{method} {self.rig.prefix}/proxy/{target} HTTP/1.1", "Host: gateway", "Connection: close"]
        if self.token is not None:
            lines.append(f"Authorization: Bearer {self.token}")
        if chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        elif body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, *fields, "", ""]).encode("latin-1") + body

    def get(self, path: str) -> Answer:
        """GET ``path``."""
        return self.ask("GET", path)

    def post(self, path: str, value: Any) -> Answer:
        """POST ``value``; what it creates is deleted at the end of the test."""
        answer = self.ask("POST", path, value)
        if answer.status == 201 and path in ("/upstreams", "/routes"):
            self._made.append(f"{path}/{answer.json()['id']}")
        return answer

    def put(self, path: str, value: Any) -> Answer:
        """PUT ``value``."""
        return self.ask("PUT", path, value)

    def delete(self, path: str) -> Answer:
        """DELETE ``path``."""
        return self.ask("DELETE", path)

    def upstream(self, alias: str | None = None, **members: Any) -> dict[str, Any]:
        """Create an upstream, with an alias of its own unless one is given; returns it."""
        return self._created("/upstreams", upstream(alias, **members))

    def route(self, of: Mapping[str, Any], path: str = "/", *methods: str, **members: Any) -> dict[str, Any]:
        """Create a route of an upstream; returns it."""
        match = {"http": {"methods": methods or ["GET"], "path": path}}
        return self._created("/routes", {"upstream_id": of["id"], "match": match, **members})

    def at(
        self,
        port: int,
        *hosts: str,
        scheme: str = "http",
        alias: str | None = None,
        match: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> str:
        """Create an upstream at ``port`` of ``hosts`` with one route; returns its alias.

        The route has all methods, any path, and the query parameter q, unless ``match`` says otherwise.
        """
        endpoints = [{"scheme": scheme, "host": host, "port": port} for host in hosts or ("127.0.0.1",)]
        document = {"server": {"endpoints": endpoints}, "protocol": PROTOCOL, **members}
        named = not all(host.replace(".", "").isdigit() for host in hosts)
        if not named:
            document["alias"] = alias or new_alias()
        created = self._created("/upstreams", document)
        self.open(created, **(match or {}))
        found: str = created["alias"]
        return found

    def open(self, of: Mapping[str, Any], **match: Any) -> dict[str, Any]:
        """Create a route of an upstream for everything but what ``match`` says."""
        rules = {"methods": METHODS, "path": "", "query_allowlist": ["q"], **match}
        return self._created("/routes", {"upstream_id": of["id"], "match": {"http": rules}})

    def of_alias(self, alias: str) -> dict[str, Any]:
        """The upstream with ``alias``."""
        found = [one for one in self.get("/upstreams?limit=100").json() if one["alias"] == alias]
        assert len(found) == 1, found
        one: dict[str, Any] = found[0]
        return one

    def change(self, alias: str, **members: Any) -> None:
        """Replace members of the upstream with ``alias``; None leaves one out."""
        known = {name: value for name, value in self.of_alias(alias).items() if name != "tenant_id"}
        merged = {"tags": [], **known, **members}
        document = {name: value for name, value in merged.items() if value is not None}
        answer = self.put(f"/upstreams/{document.pop('id')}", document)
        assert answer.status == 200, answer.body

    def secret(self, value: str, sharing: str = "tenant") -> str:
        """Create a secret; returns its reference."""
        reference = new_alias()
        body = {"reference": reference, "value": value, "sharing": sharing}
        assert self.ask("POST", "//credstore/v1/secrets", body).status == 201
        self._secrets.append(reference)
        return reference

    def _created(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(path, document)
        assert answer.status == 201, answer.body
        created: dict[str, Any] = answer.json()
        return created

    def clean_up(self) -> None:
        """Delete what was created."""
        for path in reversed(self._made):
            answer = self.delete(path)
            assert answer.status in (204, 404), answer
        for reference in self._secrets:
            path = f"//credstore/v1/secrets/{reference}"
            assert self.ask("DELETE", path, headers={"If-Match": "*"}).status in (204, 404)


def exchange(url: str, data: bytes) -> Answer:
    """Send ``data``, whose last request closes the connection, to the gateway at ``url``."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80), PATIENCE) as connection:
        connection.sendall(data)
        return parsed(rest(connection))


def rest(connection: socket.socket) -> bytes:
    """All that arrives on ``connection`` until its end, however it ends."""
    pieces = []
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def parsed(data: bytes) -> Answer:
    """The final response in ``data``, which is all that a connection brought."""
    status = 100
    while status < 200:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, head
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers.setdefault(name.lower(), []).append(value)
    if "transfer-encoding" not in headers:
        (length,) = headers.get("content-length", ["0" if status in (204, 304) else str(len(data))])
        return Answer(status, headers, data, len(data) == int(length))
    body, complete = b"", False
    while data and not complete:
        size, _, data = data.partition(b"\r\n")
        complete = int(size, 16) == 0
        body, data = body + data[: int(size, 16)], data[int(size, 16) + 2 :]
    return Answer(status, headers, body, complete)


Clients = Callable[[str | None], Client]


def new_alias() -> str:
    """An alias that no other test uses."""
    return f"conformance-{next(_numbers)}"


def upstream(alias: str | None = None, host: str = "127.0.0.1", **members: Any) -> dict[str, Any]:
    """A document for POST /upstreams; the endpoint is an IP address, which allows any alias."""
    server = {"endpoints": [{"scheme": "http", "host": host, "port": 9}]}
    return {"server": server, "protocol": PROTOCOL, "alias": alias or new_alias(), **members}


def named(*hosts: str, **endpoint: Any) -> dict[str, Any]:
    """A document for POST /upstreams with hostnames, from which the alias follows."""
    return {"server": {"endpoints": [{"host": host, **endpoint} for host in hosts]}, "protocol": PROTOCOL}


def whole(document: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """A document for PUT: with the members that are required there."""
    return {"tags": [], "enabled": True, **document, **members}


def limit(rate: int, window: str = "second", **members: Any) -> dict[str, Any]:
    """A rate limit."""
    return {"sustained": {"rate": rate, "window": window}, **members}


def problem(answer: Answer, status: int, category: str) -> dict[str, Any]:
    """The canonical problem in ``answer``, which has this status and category."""
    assert answer.status == status, answer.body
    assert answer.header("content-type") == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"gts://gts.cf.core.errors.err.v1~cf.core.err.{category}.v1~", document
    assert document["status"] == status
    assert isinstance(document["context"], dict)
    assert document["title"]
    assert document["detail"]
    return document


def invalid(answer: Answer, phrase: str) -> dict[str, Any]:
    """The 400 in ``answer`` whose detail has ``phrase``."""
    document = problem(answer, 400, "invalid_argument")
    assert phrase in document["detail"], document
    assert document["context"]["format"] == document["detail"]
    return document


def violation(answer: Answer, field: str, reason: str) -> dict[str, Any]:
    """The 400 in ``answer`` for ``field``."""
    document = problem(answer, 400, "invalid_argument")
    found = document["context"]["field_violations"][0]
    assert (found["field"], found["reason"]) == (field, reason), document
    assert found["description"]
    return document


def platform(answer: Answer, status: int) -> dict[str, Any]:
    """The problem of type about:blank in ``answer``."""
    assert answer.status == status, answer.body
    assert answer.header("content-type") == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["type"] == "about:blank"
    assert document["title"] == document["detail"]
    assert document["context"] == {}
    return document
