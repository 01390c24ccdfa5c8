"""ControlPlane: control one sandbox of a running gateway from a test. Standard library only.

``oagw.testing`` has its two subclasses: the gateway, for the default sandbox, and Sandbox.
"""

import json
import os
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Unpack

from oagw.client.document import PROXY, Pattern, Refused, Response, as_json, given, in_camel_case, pattern
from oagw.client.ending import Ending
from oagw.client.exchange import Answer, checked_url, exchange

__all__ = [
    "CannotAct",
    "ControlPlane",
    "Pattern",
    "Refused",
    "Response",
    "Stub",
    "Toxic",
    "checked_url",
    "pattern",
]

# Time limit of each socket operation of a call to the control plane, in seconds. With ``within``, the gateway
# waits up to 30.
_TIMEOUT = 60.0

# Warnings are attributed to the first caller outside of modules with this prefix.
_OURS = "oagw."

# Members of a stub mapping, as opposed to its response definition.
_SCENARIO = ("scenarioName", "requiredScenarioState", "newScenarioState")
_MAPPING_MEMBERS = {"id", "uuid", "name", "metadata", "persistent", "insertionIndex", *_SCENARIO}


class CannotAct(UserWarning):
    """The control plane accepted a stub or toxic that cannot take effect at present; the message says why."""


class ControlPlane:
    """Stubs, toxics, requests and verification of one sandbox.

    A *pattern* is a string as taken by ``pattern()``, or a request pattern in WireMock's JSON. Methods raise
    Refused, a ValueError, if the gateway rejects a document. They warn with CannotAct if it accepts one that
    cannot take effect at present, such as a toxic for an upstream that does not exist.
    """

    def __init__(self, base_url: str, admin_token: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._admin_token = admin_token

    @property
    def base_url(self) -> str:
        """The URL of the gateway, such as ``http://127.0.0.1:41234``."""
        return self._base_url

    def alias_url(self, alias: str) -> str:
        """Return the URL of the upstream ``alias``, without a trailing slash."""
        return f"{self.base_url}{PROXY}{alias}"

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
        """Answer requests that match ``request`` with ``response``, by default an empty 200.

        The stub answers ``times`` requests, or all of them if that is None, after a ``delay`` in seconds. If
        several stubs match, the one with the lowest ``priority`` answers (1 or more, 5 by default), and among
        equals the newest. ``mapping`` has further members of WireMock's stub mapping, such as
        ``scenarioName``. ``json`` is sent as ``application/json`` unless ``headers`` have a Content-Type.
        """
        definition = in_camel_case(response)
        for name in sorted(definition.keys() & _MAPPING_MEMBERS):
            hint = f'(for a member of the mapping, use mapping={{"{name}": ...}})'
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
        document |= {"request": as_json(request), "response": definition}
        return Stub(self, self.admin("POST", "/mappings", given(document))["id"])

    def toxic(
        self,
        type: str,
        *,
        alias: str | None = None,
        request: Pattern | None = None,
        toxicity: float | None = None,
        name: str | None = None,
        times: int | None = None,
        skip: int | None = None,
        **attributes: Any,
    ) -> "Toxic":
        """Add a toxic of Toxiproxy's ``type``, with its ``attributes``, to responses.

        ``latency``, ``jitter``, ``timeout`` and the ``delay`` of ``slow_close`` are in milliseconds, the
        ``delay`` of ``slicer`` in microseconds, ``rate`` in KB per second, and sizes in bytes.

        The toxic applies to the responses of the upstream ``alias``, to those whose request matches
        ``request``, or to all; with probability ``toxicity``, 1 by default. It lets ``skip`` of them pass at
        first, and then acts on ``times`` of them, by default on all. ``name`` identifies it in the journal;
        by default a unique one is generated.
        """
        document = {
            "type": type,
            "name": name or f"{type}_{os.urandom(4).hex()}",
            "attributes": attributes,
            "alias": alias,
            "request": None if request is None else as_json(request),
            "toxicity": toxicity,
            "times": times,
            "skip": skip,
        }
        return Toxic(self, self.admin("POST", "/toxics", given(document))["name"])

    def requests(self, request: Pattern | None = None) -> list[dict[str, Any]]:
        """Return the requests of the journal, oldest first: all, or those that match ``request``.

        Each is WireMock's LoggedRequest, with ``method``, ``url``, ``headers``, ``body`` and so on. Its
        member ``oagw`` describes the response: ``status``, ``answeredBy``, ``connection``, ``ended``...
        """
        wanted = {} if request is None else as_json(request)
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
        within: float | None = None,
    ) -> int:
        """Return the number of requests that match ``request``.

        By default at least one is expected. With ``after``, only requests count that came after one that
        matches ``after``; ``not_sooner_than`` and ``not_later_than`` bound the seconds between the two.

        With ``within``, wait up to so many seconds, 30 at most, until the requests have come. With
        ``times=0`` or ``at_most``, this must hold until the end of that time.

        Raises AssertionError, with an explanation, if the number is not as expected.
        """
        __tracebackhide__ = True
        document = {
            "request": as_json(request),
            "times": times,
            "atLeast": at_least,
            "atMost": at_most,
            "after": None if after is None else as_json(after),
            "notSoonerThan": not_sooner_than,
            "notLaterThan": not_later_than,
            "within": within,
        }
        answer = self.admin("POST", "/verify", given(document), accept=(200, 409))
        if "errors" in answer:  # the journal is disabled
            raise Refused(_details(answer["errors"]))
        if not answer["verified"]:
            raise AssertionError(answer["text"])
        count: int = answer["count"]
        return count

    def verify_strict(self) -> None:
        """Check that every stub was called, and that no call was answered by the gateway's own 404.

        Raises AssertionError, with an explanation, if not.
        """
        __tracebackhide__ = True
        report = self.report()
        unused = [one for one in report["unused"] if one["kind"] == "stub"]
        if unused or report["unmatched"]:
            raise AssertionError("\n".join(_strictly(report["unmatched"], unused)))

    def report(
        self, *, retry_due: bool = False, streams_cancelled: bool = False, since: datetime | None = None
    ) -> dict[str, Any]:
        """Return the report on the client: its ``findings`` list what a careful client would not do.

        ``unmatched`` lists requests that nothing could answer, with the nearest stub; ``unused`` lists stubs
        and toxics without effect. With ``retry_due``, the client is expected to retry every truncated
        response. With ``streams_cancelled``, it is expected to cancel every stream. With ``since``, only
        requests that came then or later are reported.
        """
        report: dict[str, Any] = self.admin("GET", _report("json", retry_due, streams_cancelled, since))
        return report

    def report_text(
        self, *, retry_due: bool = False, streams_cancelled: bool = False, since: datetime | None = None
    ) -> str:
        """Return the report as text, for a failing test to print; it also has the last requests."""
        return self._call("GET", _report("text", retry_due, streams_cancelled, since)).decode()

    def reset(self) -> None:
        """Delete stubs, toxics, requests, upstreams and secrets, and reset scenarios and settings."""
        self.admin("POST", "/reset")

    def admin(
        self, method: str, path: str, document: Any = None, *, accept: Sequence[int] = (200, 201, 204)
    ) -> Any:
        """Call ``/__admin`` + ``path`` and return the decoded JSON of the response, None if it is empty.

        Raises Refused if the status is not in ``accept``, and ConnectionError if there is no response.
        """
        __tracebackhide__ = True
        text = self._call(method, path, document, accept)
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise Refused(self._not_a_control_plane(path, 200, text)) from None

    def _call(self, method: str, path: str, document: Any = None, accept: Sequence[int] = (200,)) -> bytes:
        __tracebackhide__ = True
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._admin_token is not None:
            headers["Authorization"] = f"Bearer {self._admin_token}"
        body = None if document is None else json.dumps(document)
        answer = self._exchange(method, f"/__admin{path}", headers, body)
        if answer.status not in accept:
            reason = _refusal(answer.body) or self._not_a_control_plane(path, answer.status, answer.body)
            raise Refused(reason)
        for warning in answer.warnings:
            warnings.warn(warning, CannotAct, _level_of_caller())
        return answer.body

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        """Send a request to the gateway. Raises ConnectionError if there is no answer."""
        from http.client import HTTPException

        __tracebackhide__ = True
        try:
            return exchange(self.base_url, method, path, headers, body, _TIMEOUT)
        except (OSError, HTTPException) as error:
            self._check_server()
            reason = str(error) or type(error).__name__
            raise ConnectionError(f"No answer from {self.base_url}{path}: {reason}") from None

    def _not_a_control_plane(self, path: str, status: int, text: bytes) -> str:
        """Return the message for a response that no control plane would send."""
        where = f"{self.base_url}/__admin{path}"
        return f"{where} is not the control plane of a mock gateway: {status} {excerpt(text)}"

    def _check_server(self) -> None:
        """Raise an exception that explains why a call got no response, if the reason is known."""


class Stub(Ending):
    """A stub of ``sandbox``. As a context manager, it is removed at the end of the block."""

    def __init__(self, sandbox: ControlPlane, id: str) -> None:
        self._sandbox = sandbox
        self.id = id

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests that the stub answered, oldest first, in the form of ControlPlane.requests."""
        events = self._sandbox.admin("GET", f"/requests?matchingStub={self.id}")["requests"]
        return [event["request"] for event in reversed(events)]

    def remove(self) -> None:
        """Delete the stub, if it still exists."""
        self._sandbox.admin("DELETE", f"/mappings/{self.id}", accept=(200, 404))

    _end = remove


class Toxic(Ending):
    """A toxic of ``sandbox``. As a context manager, it is removed at the end of the block."""

    def __init__(self, sandbox: ControlPlane, name: str) -> None:
        self._sandbox = sandbox
        self.name = name

    def remove(self) -> None:
        """Delete the toxic, if it still exists."""
        from urllib.parse import quote

        self._sandbox.admin("DELETE", f"/toxics/{quote(self.name, safe='')}", accept=(204, 404))

    _end = remove


def _report(format: str, retry_due: bool, streams_cancelled: bool, since: datetime | None) -> str:
    options = {"retryDue": retry_due, "streamsCancelled": streams_cancelled}
    query = "".join(f"&{name}=true" for name, wanted in options.items() if wanted)
    if since is not None:
        query += f"&since={since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return f"/report?format={format}{query}"


def _strictly(unmatched: Sequence[Mapping[str, Any]], unused: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in unmatched:
        yield "A call was answered by the gateway's own 404:"
        yield from (f"  {line}".rstrip() for line in one["text"].split("\n"))
    for one in unused:
        yield f"A stub was not called: {one.get('name') or ''} id {one['id']}".replace("  ", " ")
        yield f"  {one['text']}"


def _level_of_caller() -> int:
    """Return the ``stacklevel`` with which the calling function warns about the line that called us."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        level, frame = level + 1, frame.f_back
    return level


def excerpt(text: bytes) -> str:
    """Return the beginning of the body ``text``, for a message."""
    return " ".join(text[:500].decode(errors="replace").split())


def _refusal(text: bytes) -> str:
    """Return the error details in the body of a refusal, or "" if it is not one of a control plane."""
    try:
        return _details(json.loads(text)["errors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _details(errors: list[dict[str, Any]]) -> str:
    parts = [(error.get("source", {}).get("pointer", ""), error["detail"]) for error in errors]
    return "; ".join(f"{pointer}: {detail}" if pointer else detail for pointer, detail in parts)
