"""ControlPlane: a sandbox of a running gateway, driven from a test. Standard library only.

``oagw.testing`` has the gateway itself, whose sandbox all share, and its sandboxes.
"""

import json
import os
import re
import sys
import warnings
from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, TypedDict, Unpack

from oagw.client.ending import Ending

# Seconds that a call to the control plane may take.
_TIMEOUT = 30.0

_PROXY = "/api/oagw/v1/proxy/"

# Modules that warnings do not point at.
_OURS = ("oagw.client.control_plane", "oagw.client.mock_gateway")

# The members of a stub mapping, which are none of its response.
_SCENARIO = ("scenarioName", "requiredScenarioState", "newScenarioState")
_OF_A_MAPPING = {"id", "uuid", "name", "metadata", "persistent", "insertionIndex", *_SCENARIO}

# Without a user and a password, and without TLS.
_URL = re.compile(
    r"http://(?:[\w.-]+|\[[0-9a-f:.%\w]+\])(?::(?P<port>\d{1,9}))?(?P<rest>[/?#]\S*|)", re.IGNORECASE
)

# "METHOD alias/path", "METHOD /path", or a request pattern in WireMock's JSON.
Pattern = str | Mapping[str, Any]


class Refused(ValueError):
    """The control plane does not take what it was given; the message names the member."""


class CannotAct(UserWarning):
    """The control plane took a stub or a toxic that cannot act as things are; the message says why."""


class Response(TypedDict, total=False):
    """What a stub answers with: WireMock's response definition in snake case, and our extensions."""

    status: int
    status_message: str
    headers: Mapping[str, str | Sequence[str]]
    json: Any  # jsonBody
    body: str | bytes  # bytes: base64Body
    body_file_name: str
    delay_distribution: Mapping[str, Any]
    chunked_dribble_delay: Mapping[str, int]
    fault: str
    transformers: Sequence[str]
    transformer_parameters: Mapping[str, Any]
    sse: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    problem: str | Mapping[str, Any]
    error_source: str


def checked_url(url: str) -> str:
    """``url`` if it is that of a gateway, without a slash at its end; raises ValueError if it cannot be."""
    found = _URL.fullmatch(url)
    if found is None:
        why = "it is not an http URL"
    elif found["rest"].strip("/"):
        why = f"{found['rest']} is too much"
    elif not 0 < int(found["port"] or 80) < 65536:
        why = f"there is no port {found['port']}"
    else:
        return url.rstrip("/")
    url = re.sub("//[^/]*@", "//...@", url)  # where a password may stand
    raise ValueError(f"{url!r} is not the URL of a gateway, such as http://127.0.0.1:8765: {why}")


def pattern(request: str, **conditions: Any) -> dict[str, Any]:
    """``request``, such as ``"POST stripe/v1/charges"``, as a request pattern in WireMock's JSON.

    It is a method, or ANY, and the alias and path, or from ``/`` on all of a path. A path with ``?`` stands
    for the whole URL, one with ``{`` is a template such as ``v1/charges/{id}``. ``conditions`` are more
    members, in snake case: ``headers={"X": {"absent": True}}``, ``body_patterns=[...]``. Raises Refused.
    """
    method, _, path = request.strip().partition(" ")
    path = path.strip()
    if not path:
        raise Refused(f"{request!r} is not a method and a path, such as 'GET weather/current'")
    if not path.startswith("/"):
        path = _PROXY + path
    member = "url" if "?" in path else "urlPathTemplate" if "{" in path else "urlPath"
    return {"method": method.upper(), member: path, **_in_camel_case(conditions)}


class ControlPlane:
    """Stubs, toxics, requests and verification of one sandbox.

    Where it takes a *pattern*, that is what ``pattern`` takes, or makes. Where the gateway does not accept
    something, methods raise Refused, a ValueError, which names the member. Where it does, but what was made
    cannot act as things are, such as a toxic for an upstream that does not exist, they warn with CannotAct.
    """

    def __init__(self, base_url: str, admin_token: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._admin_token = admin_token

    @property
    def base_url(self) -> str:
        """Where the gateway listens, such as ``http://127.0.0.1:41234``."""
        return self._base_url

    def alias_url(self, alias: str) -> str:
        """The URL under which the upstream ``alias`` is called, without a slash at its end."""
        return f"{self.base_url}{_PROXY}{alias}"

    def stub(
        self,
        request: Pattern,
        *,
        times: int | None = None,
        delay: float | None = None,
        priority: int | None = None,
        mapping: Mapping[str, Any] | None = None,
        **response: Unpack[Response],
    ) -> "Stub":
        """Answer what matches ``request`` with ``response``, a 200 if it says no more.

        It answers ``times`` times, then steps aside; without, always. ``delay`` is in seconds. Of the stubs
        that match, that with the least ``priority`` (1 or more, 5 by default) answers, and the newest of
        those. ``mapping`` has what else WireMock's stub mapping may say, such as ``scenarioName``. ``json``
        is sent as ``application/json``, unless ``headers`` have another Content-Type.
        """
        definition = _in_camel_case(response)
        for name in sorted(definition.keys() & _OF_A_MAPPING):
            hint = f'(a member of the mapping? say mapping={{"{name}": ...}})'
            raise Refused(f"/response/{name}: Object contains unknown field `{name}` {hint}")
        if "json" in definition:
            definition["jsonBody"] = definition.pop("json")
            headers = definition.get("headers", {})
            if isinstance(headers, Mapping) and "content-type" not in (str(name).lower() for name in headers):
                definition["headers"] = {**headers, "Content-Type": "application/json"}
        if isinstance(body := definition.get("body"), bytes):
            del definition["body"]
            definition["base64Body"] = b64encode(body).decode()
        if delay is not None:
            if not isinstance(delay, int | float) or not isfinite(delay):
                raise Refused(f"delay: Expected a number of seconds, got {delay!r}")
            definition["fixedDelayMilliseconds"] = round(delay * 1000)
        document = {"times": times, "priority": priority, **(mapping or {})}
        document |= {"request": _as_json(request), "response": definition}
        return Stub(self, self.admin("POST", "/mappings", _given(document))["id"])

    def toxic(
        self,
        type: str,
        *,
        alias: str | None = None,
        request: Pattern | None = None,
        toxicity: float | None = None,
        name: str | None = None,
        **attributes: Any,
    ) -> "Toxic":
        """Put a toxic of Toxiproxy's ``type``, with its ``attributes``, between answers and clients.

        ``latency``, ``jitter``, ``timeout`` and the ``delay`` of ``slow_close`` are in milliseconds, the
        ``delay`` of ``slicer`` in microseconds, ``rate`` is in KB per second, and sizes are in bytes.

        It acts on the answers of ``alias``, on those to what matches ``request``, or on all; with a
        probability of ``toxicity``, 1 by default. ``name`` is how the journal calls it.
        """
        document = {
            "type": type,
            "name": name or f"{type}_{os.urandom(4).hex()}",
            "attributes": attributes,
            "alias": alias,
            "request": None if request is None else _as_json(request),
            "toxicity": toxicity,
        }
        return Toxic(self, self.admin("POST", "/toxics", _given(document))["name"])

    def requests(self, request: Pattern | None = None) -> list[dict[str, Any]]:
        """What was called, the oldest first: all of it, or what matches ``request``.

        Each is WireMock's LoggedRequest: ``method``, ``url``, ``headers``, ``body`` and so on. Its member
        ``oagw`` says what became of it: ``status``, ``answeredBy``, ``connection``, ``ended``...
        """
        wanted = {} if request is None else _as_json(request)
        found: list[dict[str, Any]] = self.admin("POST", "/requests/find", wanted)["requests"]
        return found

    def verify(
        self,
        request: Pattern,
        *,
        times: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        after: Pattern | None = None,
        not_sooner_than: float | None = None,
        not_later_than: float | None = None,
    ) -> int:
        """How many requests match ``request``; an AssertionError that explains itself if not as expected.

        Without numbers at least one is expected. With ``after``, those alone count that came after what
        matches it; ``not_sooner_than`` and ``not_later_than`` are the seconds between the two.
        """
        __tracebackhide__ = True
        document = {
            "request": _as_json(request),
            "times": times,
            "atLeast": at_least,
            "atMost": at_most,
            "after": None if after is None else _as_json(after),
            "notSoonerThan": not_sooner_than,
            "notLaterThan": not_later_than,
        }
        answer = self.admin("POST", "/verify", _given(document), accept=(200, 409))
        if "errors" in answer:  # there is no journal
            raise Refused(_told(answer["errors"]))
        if not answer["verified"]:
            raise AssertionError(answer["text"])
        count: int = answer["count"]
        return count

    def report(self, *, retry_due: bool = False, streams_cancelled: bool = False) -> dict[str, Any]:
        """The client's report card: ``findings``, what it did that a careful client would not.

        ``retry_due``: each answer that was cut had to be asked for again. ``streams_cancelled``: the client
        cancelled every stream.
        """
        card: dict[str, Any] = self.admin("GET", _report("json", retry_due, streams_cancelled))
        return card

    def report_text(self, *, retry_due: bool = False, streams_cancelled: bool = False) -> str:
        """The same for people, such as the message of a test that fails."""
        return self._called("GET", _report("text", retry_due, streams_cancelled)).decode()

    def reset(self) -> None:
        """Forget stubs, toxics, scenarios, settings and requests."""
        self.admin("POST", "/reset")

    def admin(
        self, method: str, path: str, document: Any = None, *, accept: Sequence[int] = (200, 201, 204)
    ) -> Any:
        """Call the control plane at ``path`` below ``/__admin``; returns what it answers, read as JSON.

        Raises Refused for any other status than those of ``accept``, ConnectionError without an answer.
        """
        __tracebackhide__ = True
        text = self._called(method, path, document, accept)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Refused(self._stranger(path, 200, text)) from None

    def _called(self, method: str, path: str, document: Any = None, accept: Sequence[int] = (200,)) -> bytes:
        from http.client import HTTPConnection, HTTPException  # 20 ms, which not every session of tests needs

        __tracebackhide__ = True
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._admin_token is not None:
            headers["Authorization"] = f"Bearer {self._admin_token}"
        connection = HTTPConnection(self.base_url.partition("://")[2], timeout=_TIMEOUT)
        try:
            body = None if document is None else json.dumps(document)
            connection.request(method, f"/__admin{path}", body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException) as error:
            self._failed()
            reason = str(error) or type(error).__name__
            raise ConnectionError(f"No answer from {self.base_url}/__admin{path}: {reason}") from None
        finally:
            connection.close()
        if answer.status not in accept:
            raise Refused(_refusal(text) or self._stranger(path, answer.status, text))
        for warning in answer.headers.get_all("X-OAGW-Warning", ()):
            warnings.warn(warning, CannotAct, _level_of_caller())
        return text

    def _stranger(self, path: str, status: int, text: bytes) -> str:
        """That what answered with this ``status`` and ``text`` is no control plane."""
        said = " ".join(text[:500].decode(errors="replace").split())
        return f"{self.base_url}/__admin{path} is not the control plane of a mock gateway: {status} {said}"

    def _failed(self) -> None:
        """A call was not answered: raises what explains it, if anything is known of the server."""


class Stub(Ending):
    """A stub of ``sandbox``. In a ``with`` statement it is there for the block."""

    def __init__(self, sandbox: ControlPlane, id: str) -> None:
        self._space = sandbox
        self.id = id

    def requests(self) -> list[dict[str, Any]]:
        """What it answered, the oldest first, as ``ControlPlane.requests`` has it."""
        events = self._space.admin("GET", f"/requests?matchingStub={self.id}")["requests"]
        return [event["request"] for event in reversed(events)]

    def remove(self) -> None:
        """Have it answer no more; nothing happens if it is gone."""
        self._space.admin("DELETE", f"/mappings/{self.id}", accept=(200, 404))

    _end = remove


class Toxic(Ending):
    """A toxic of ``sandbox``. In a ``with`` statement it is there for the block."""

    def __init__(self, sandbox: ControlPlane, name: str) -> None:
        self._space = sandbox
        self.name = name

    def remove(self) -> None:
        """Have it act no more; nothing happens if it is gone."""
        from urllib.parse import quote

        self._space.admin("DELETE", f"/toxics/{quote(self.name, safe='')}", accept=(204, 404))

    _end = remove


def _as_json(request: Pattern) -> Mapping[str, Any]:
    return pattern(request) if isinstance(request, str) else request


def _given(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _report(format: str, retry_due: bool, streams_cancelled: bool) -> str:
    asked = {"retryDue": retry_due, "streamsCancelled": streams_cancelled}
    return f"/report?format={format}" + "".join(f"&{name}=true" for name, given in asked.items() if given)


def _in_camel_case(members: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(name): value for name, value in members.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _level_of_caller() -> int:
    """The ``stacklevel`` with which a function here warns at the line that called this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _OURS:
        level, frame = level + 1, frame.f_back
    return level


def _refusal(text: bytes) -> str:
    """What a control plane says when it refuses; nothing if it is not one that says it."""
    try:
        return _told(json.loads(text)["errors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _told(errors: list[dict[str, Any]]) -> str:
    parts = [(error.get("source", {}).get("pointer", ""), error["detail"]) for error in errors]
    return "; ".join(f"{pointer}: {detail}" if pointer else detail for pointer, detail in parts)
