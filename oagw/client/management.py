"""Management: upstreams, routes and secrets, through the gateway's own API. Standard library only."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from oagw.client.control_plane import ControlPlane, Refused, excerpt
from oagw.client.document import given
from oagw.client.ending import Ending

_API = "/api/oagw/v1"
_SECRETS = "/credstore/v1/secrets"
_HTTP = "gts.cf.core.oagw.protocol.v1~cf.core.oagw.http.v1"

# The methods that routes can have.
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")

_BASE_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^\s/?#@:\[\]]+|\[[^\s\]/?#@]+\])"
    r"(?::(?P<port>\d{1,5}))?(?P<path>/[^\s?#]*)?"
)


class Management(ControlPlane):
    """The upstreams, routes and secrets of the tenant that ``token`` stands for.

    They are those of the gateway, and not of its control plane. Methods raise Refused, with the text of the
    gateway's problem, if it rejects something.
    """

    token: str

    def upstream(
        self,
        alias: str | None,
        base_url: str,
        *,
        methods: Sequence[str] = _METHODS,
        query: Sequence[str] = (),
        route: bool = True,
        auth: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        plugins: Mapping[str, Any] | None = None,
        rate_limit: Mapping[str, Any] | None = None,
        cors: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        enabled: bool = True,
    ) -> "Upstream":
        """Register an upstream at ``base_url``, such as ``http://127.0.0.1:9000/v1``, and a route to it.

        ``url`` of the result stands for ``base_url``: the client under test calls it. ``localhost`` becomes
        127.0.0.1. An IP address needs an ``alias``; that of a hostname follows from it, so it must be None.

        The route is for the ``methods``, by default all that routes can have, and for the path of
        ``base_url`` and those below it. It refuses query parameters, except for those in ``query``. Without
        ``route``, there is none.

        ``auth``, ``headers``, ``plugins``, ``rate_limit`` and ``cors`` are those of the management API.
        """
        endpoint, path = _endpoint(base_url)
        document = {
            "alias": alias,
            "protocol": _HTTP,
            "server": {"endpoints": [endpoint]},
            "auth": auth,
            "headers": headers,
            "plugins": plugins,
            "rate_limit": rate_limit,
            "cors": cors,
            "tags": _list("tags", tags),
            "enabled": enabled,
        }
        made = self.manage("POST", "/upstreams", given(document))
        upstream = Upstream(self, made["id"], made["alias"], self.alias_url(made["alias"]) + path)
        if route:
            try:
                self.route(upstream, path=path or "/", methods=methods, query=query)
            except Refused:
                upstream.remove()
                raise
        return upstream

    def route(
        self,
        upstream: "Upstream",
        *,
        path: str = "/",
        methods: Sequence[str] = _METHODS,
        query: Sequence[str] = (),
        path_suffix_mode: str | None = None,
        priority: int | None = None,
        plugins: Mapping[str, Any] | None = None,
        rate_limit: Mapping[str, Any] | None = None,
        cors: Mapping[str, Any] | None = None,
        tags: Sequence[str] = (),
        enabled: bool = True,
    ) -> "Route":
        """Let calls of ``upstream`` pass whose path begins with ``path`` and whose method is in ``methods``.

        Only query parameters in ``query`` are allowed. The route with the longest ``path`` counts, and among
        equals the one with the highest ``priority``.
        """
        match = {
            "methods": _list("methods", methods),
            "path": path,
            "query_allowlist": _list("query", query),
            "path_suffix_mode": path_suffix_mode,
        }
        document = {
            "upstream_id": upstream.id,
            "match": {"http": given(match)},
            "priority": priority,
            "plugins": plugins,
            "rate_limit": rate_limit,
            "cors": cors,
            "tags": _list("tags", tags),
            "enabled": enabled,
        }
        return Route(self, self.manage("POST", "/routes", given(document))["id"])

    def secret(self, name: str, value: str, *, sharing: str | None = None) -> "Secret":
        """Put ``value`` into the credential store, for ``{"secret_ref": secret.ref}`` in an ``auth``.

        ``sharing`` is ``private``, ``tenant`` (the default) or ``shared``, which tenants below see as well.
        """
        document = {"reference": name, "value": value, "sharing": sharing}
        self._ask("POST", _SECRETS, given(document))
        return Secret(self, name)

    def manage(
        self, method: str, path: str, document: Any = None, *, accept: Sequence[int] = (200, 201, 204)
    ) -> Any:
        """Call the management API, ``/api/oagw/v1`` + ``path``, and return the JSON of the response or None.

        Raises Refused if the status is not in ``accept``, and ConnectionError if there is no response.
        """
        return self._ask(method, _API + path, document, accept=accept)

    def _ask(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        fields: Mapping[str, str] | None = None,
        accept: Sequence[int] = (200, 201, 204),
    ) -> Any:
        __tracebackhide__ = True
        headers = {"Authorization": f"Bearer {self.token}", **(fields or {})}
        if document is not None:
            headers["Content-Type"] = "application/json"
        answer = self._exchange(method, path, headers, None if document is None else json.dumps(document))
        try:
            body = json.loads(answer.body) if answer.body else None
        except ValueError:
            body = ...
        if answer.status in accept and body is not ...:
            return body
        if isinstance(body, dict) and isinstance(error := body.get("error") or body.get("detail"), str):
            raise Refused(error)
        where = f"{self.base_url}{path}"
        raise Refused(f"{where} is not an API of a gateway: {answer.status} {excerpt(answer.body)}")


class Upstream(Ending):
    """An upstream: clients call ``url``, which stands for its base URL. ``alias`` is the effective one.

    As a context manager, it is removed at the end of the block. That of a sandbox is deleted with it.
    """

    def __init__(self, owner: Management, id: str, alias: str, url: str) -> None:
        self._owner = owner
        self.id = id
        self.alias = alias
        self.url = url

    def remove(self) -> None:
        """Delete the upstream with its routes, if it still exists."""
        self._owner.manage("DELETE", f"/upstreams/{self.id}", accept=_GONE)

    _end = remove


class Route(Ending):
    """A route. As a context manager, it is removed at the end of the block. It goes with its upstream."""

    def __init__(self, owner: Management, id: str) -> None:
        self._owner = owner
        self.id = id

    def remove(self) -> None:
        """Delete the route, if it still exists."""
        self._owner.manage("DELETE", f"/routes/{self.id}", accept=_GONE)

    _end = remove


class Secret(Ending):
    """A secret. As a context manager, it is removed at the end of the block. ``ref`` refers to it."""

    def __init__(self, owner: Management, name: str) -> None:
        self._owner = owner
        self.name = name
        self.ref = f"cred://{name}"

    def remove(self) -> None:
        """Delete the secret, if it still exists."""
        self._owner._ask("DELETE", f"{_SECRETS}/{self.name}", fields={"If-Match": "*"}, accept=_GONE)

    _end = remove


_GONE = (204, 404)


def _list(name: str, values: Sequence[str]) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"{name} must be a list, such as {[values]}, not a string")
    return list(values)


def _endpoint(base_url: str) -> tuple[dict[str, Any], str]:
    """Return the endpoint of ``base_url`` and its path, without a trailing slash. Raises ValueError."""
    found = _BASE_URL.fullmatch(base_url)
    if found is None:
        shown = re.sub("//[^/]*@", "//...@", base_url)  # it may contain a password
        raise ValueError(f"{shown!r} is not the base URL of an upstream, such as http://127.0.0.1:9000/v1")
    scheme, host = found["scheme"].lower(), found["host"].strip("[]")
    if host.lower() == "localhost":
        host = "127.0.0.1"
    port = int(found["port"] or (80 if scheme == "http" else 443))
    return {"scheme": scheme, "host": host, "port": port}, (found["path"] or "").rstrip("/")
