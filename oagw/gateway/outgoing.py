"""Outgoing: a call as it leaves for a registered upstream, and what its policies make of the response."""

from collections.abc import Iterable
from typing import NamedTuple

from oagw.model.call import Call
from oagw.model.problem import Problem
from oagw.model.response_head import ResponseHead
from oagw.model.upstream import Endpoint
from oagw.policies.fields import OWN, Field, Fields, changed, replaced, stripped
from oagw.policies.plugins import guarded_response, transformed_response
from oagw.registry.resolve import Matched
from oagw.web.reply import Headers


class Outgoing(NamedTuple):
    """A request as it leaves for an upstream, before it is written as HTTP.

    ``fields`` are without those that the gateway writes itself; ``credentials`` are those of them that the
    auth plugin added; ``target`` is the path and query; ``rate_fields`` are for the response.
    """

    matched: Matched
    endpoint: Endpoint
    target: bytes
    fields: Fields
    rate_fields: tuple[Field, ...]
    credentials: tuple[Field, ...] = ()

    @property
    def host(self) -> bytes:
        """The value of Host: without a port if that is 80 or 443 (23)."""
        port = "" if self.endpoint.port in (80, 443) else f":{self.endpoint.port}"
        return f"{self.endpoint.host}{port}".encode()

    @property
    def url(self) -> bytes:
        """The whole URL, for messages."""
        endpoint = self.endpoint
        return f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}".encode() + self.target

    def all_fields(self, size: int) -> Fields:
        """Return all header fields of the request, which has a body of ``size`` bytes (26)."""
        own = [(b"Content-Length", b"%d" % size), (b"Connection", b"close")]
        return [(b"host", self.host), *(field for field in self.fields if field[0] not in OWN), *own]

    def prepared(self, call: Call) -> Call:
        """Return ``call`` with the header fields with which it leaves."""
        fields = self.all_fields(len(call.sent_body))
        prepared = call.with_head(b"\r\n".join(b"%b: %b" % field for field in fields))
        prepared.credentials = tuple((name, value.strip(b" \t")) for name, value in self.credentials)
        return prepared

    def answered(self, fields: Fields, guarded: bool = True) -> Fields | Problem:
        """Return the header fields of a response for the client, or a problem that replaces it (27).

        Without ``guarded``, guards do not act: the response is that of the forwarder.
        """
        effective = self.matched.effective
        fields = stripped(fields)
        problem = guarded_response(effective.plugins, fields) if guarded else None
        if problem is not None:
            return problem
        fields = transformed_response(effective.plugins, fields)
        if effective.headers is not None and effective.headers.response:
            fields = changed(fields, effective.headers.response, OWN)
        for name, value in self.rate_fields:
            fields = replaced(fields, name.lower(), value)
        return [field for field in stripped(fields) if field[0] != b"date"]  # the gateway sends its own

    def changed_head(self, head: ResponseHead) -> ResponseHead | Problem:
        """Do the same with the head of a stub's or a built-in service's response."""
        found = self.answered(flat(head.headers))
        return found if isinstance(found, Problem) else ResponseHead(head.status, grouped(found))


def flat(headers: Headers) -> Fields:
    """Return header fields by name as pairs."""
    return [(name.lower(), value) for name, values in headers.items() for value in values]


def grouped(fields: Iterable[Field]) -> dict[bytes, tuple[bytes, ...]]:
    """Return the values of each of ``fields``."""
    groups: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        groups.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in groups.items()}
