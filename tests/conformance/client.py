"""A client of the gateway under test with the token of one tenant, and the answers that it gets."""

import http.client
import json
from collections.abc import Callable, Mapping
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
