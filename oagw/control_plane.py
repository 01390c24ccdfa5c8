"""ControlPlane: a space of a running gateway, driven from a test. Standard library only.

``oagw.testing`` has the gateway itself, whose space all share, and its sandboxes.
"""

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

# Seconds that a call to the control plane may take.
_TIMEOUT = 30.0

_PROXY = "/api/oagw/v1/proxy/"

# What Python calls differently from WireMock.
_RENAMED = {"json": "jsonBody", "base64": "base64Body"}

Pattern = str | Mapping[str, Any]


class Refused(ValueError):
    """The control plane does not take what it was given; the message names the member."""


class ControlPlane:
    """Stubs, toxics, requests and verification of one space.

    A *pattern* is ``"METHOD alias/path"``, ``"METHOD /path"``, with ``ANY`` for any method, or a request
    pattern in WireMock's JSON. Bad ones raise Refused, a ValueError.
    """

    @property
    def base_url(self) -> str:
        """Where the gateway listens."""
        raise NotImplementedError

    def alias_url(self, alias: str) -> str:
        """The URL under which the upstream ``alias`` is called, without a slash at its end."""
        return f"{self.base_url}{_PROXY}{alias}"

    @property
    def _admin_token(self) -> str | None:
        """What calls to the control plane show."""
        raise NotImplementedError

    def stub(
        self,
        request: Pattern,
        *,
        times: int | None = None,
        priority: int | None = None,
        delay: float = 0.0,
        mapping: Mapping[str, Any] | None = None,
        **response: Any,
    ) -> str:
        """Answer what matches ``request`` with ``response``; returns the stub's id.

        ``response`` has the members of WireMock's response definition in snake case, and ours:
        ``status``, ``headers``, ``body``, ``json``, ``fault``, ``sse``, ``problem``, ``error_source``...
        ``times`` is how often it answers, ``delay`` is in seconds, ``mapping`` has what else a stub mapping
        may say, such as ``scenarioName``.
        """
        definition = {_RENAMED.get(name, _camel(name)): value for name, value in response.items()}
        if delay:
            definition["fixedDelayMilliseconds"] = delay * 1000
        document = {"request": _pattern(request), "response": definition, **(mapping or {})}
        document |= {name: n for name, n in (("times", times), ("priority", priority)) if n is not None}
        id: str = self.admin("POST", "/mappings", document)["id"]
        return id

    def remove_stub(self, id: str) -> None:
        """Remove the stub with this id."""
        self.admin("DELETE", f"/mappings/{id}")

    def requests(self, pattern: Pattern | None = None) -> list[dict[str, Any]]:
        """The requests that the journal has, or those that match ``pattern``, the oldest first."""
        events: list[dict[str, Any]] = self.admin("GET", "/requests")["requests"]
        if pattern is not None:
            found = self.admin("POST", "/requests/find", _pattern(pattern))["requests"]
            ids = {request["id"] for request in found}
            events = [event for event in events if event["id"] in ids]
        return events[::-1]

    def verify(self, pattern: Pattern, *, after: Pattern | None = None, **expected: Any) -> int:
        """How many requests match ``pattern``; an AssertionError that explains itself if not as expected.

        ``expected`` is ``times``, or ``at_least`` and ``at_most``; with ``after``, which those that count
        must come after, also ``not_sooner_than`` seconds. Without any, at least one is expected.
        """
        document = {"request": _pattern(pattern), **{_camel(name): n for name, n in expected.items()}}
        if after is not None:
            document["after"] = _pattern(after)
        answer = self.admin("POST", "/verify", document, accept=(200, 409))
        if not answer["verified"]:
            raise AssertionError(answer["text"])
        count: int = answer["count"]
        return count

    def toxic(
        self,
        type: str,
        *,
        alias: str | None = None,
        request: Pattern | None = None,
        toxicity: float = 1.0,
        name: str | None = None,
        **attributes: Any,
    ) -> str:
        """Put a toxic between answers and clients, with Toxiproxy's ``attributes``; returns its name.

        It has its part in the answers of ``alias``, or to what matches ``request``, or in all.
        """
        document: dict[str, Any] = {"type": type, "toxicity": toxicity, "attributes": attributes}
        if name is not None:
            document["name"] = name
        if alias is not None:
            document["alias"] = alias
        if request is not None:
            document["request"] = _pattern(request)
        created: str = self.admin("POST", "/toxics", document)["name"]
        return created

    def remove_toxic(self, name: str) -> None:
        """Remove the toxic with this name."""
        self.admin("DELETE", f"/toxics/{name}")

    def report(self) -> dict[str, Any]:
        """The client's report card: what it did that a careful client would not."""
        card: dict[str, Any] = self.admin("GET", "/report")
        return card

    def advance(self, seconds: float) -> None:
        """Move the manual clock; returns when all that fell due has been written."""
        self.admin("POST", "/clock/advance", {"seconds": seconds})

    def reset(self) -> None:
        """Forget stubs, toxics, scenarios, settings and requests."""
        self.admin("POST", "/reset")

    def admin(
        self, method: str, path: str, document: Any = None, *, accept: tuple[int, ...] = (200, 201, 204)
    ) -> Any:
        """Call the control plane at ``path`` below ``/__admin``; returns what it answers, read as JSON.

        Raises Refused for any other status than those of ``accept``.
        """
        headers = {"Content-Type": "application/json"}
        if self._admin_token is not None:
            headers["Authorization"] = f"Bearer {self._admin_token}"
        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=_TIMEOUT)
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, f"/__admin{path}", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status not in accept:
            raise Refused(_refusal(answer.status, text))
        return json.loads(text) if text else None


def _pattern(pattern: Pattern) -> Mapping[str, Any]:
    if not isinstance(pattern, str):
        return pattern
    method, space, path = pattern.strip().partition(" ")
    if not space:
        raise Refused(f"{pattern!r} is not METHOD and a path")
    path = path.strip()
    if not path.startswith("/"):
        path = _PROXY + path
    return {"method": method, "url" if "?" in path else "urlPath": path}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _refusal(status: int, text: bytes) -> str:
    try:
        errors = json.loads(text)["errors"]
        parts = [(error.get("source", {}).get("pointer", ""), error["detail"]) for error in errors]
        return "; ".join(f"{pointer}: {detail}" if pointer else detail for pointer, detail in parts)
    except (ValueError, KeyError, TypeError):
        return f"{status}: {text[:500].decode(errors='replace')}"
