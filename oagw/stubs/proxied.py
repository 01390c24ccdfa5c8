"""Proxied: where a stub forwards its requests to, and with which header fields.

``gateway.proxied`` forwards them.
"""

import re
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import NamedTuple

from msgspec import UNSET

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.stubs.fields import Fields, checked_framed, compiled, field_templates
from oagw.stubs.response import ResponseDefinition
from oagw.templates.render_context import Context, RenderError

_BASE = re.compile(
    r"(https?)://([A-Za-z0-9._-]{1,253}|\[([0-9A-Fa-f:.]+)\])(?::(\d{1,5}))?(/[!-~]*)?", re.IGNORECASE
)
_EXPECTED = "must be an absolute http or https URL without user name, query and fragment"
_PORTS = {"http": 80, "https": 443}

# What must not be in the response definition of a stub that forwards.
_OTHERS = (
    "statusMessage",
    "body",
    "jsonBody",
    "base64Body",
    "bodyFileName",
    "sse",
    "problem",
    "fault",
    "chunkedDribbleDelay",
    "trailers",
    "errorSource",
)


class Base(NamedTuple):
    """A base URL: ``authority`` is the host and the port as given, ``path`` has no slash at its end."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str


class Proxied(NamedTuple):
    """Where requests are forwarded to.

    - ``base``: the URL to which that of the request is appended, without ``prefix`` at its start
    - ``removed``: the lower-case names of header fields that are not forwarded
    - ``added``: header fields that are set
    """

    base: Base
    prefix: str
    removed: frozenset[str]
    added: Fields


# Returns where to forward a call to.
Render = Callable[[Call, Context], Proxied]


def checked_proxied(definition: ResponseDefinition, pointer: str) -> Proxied | Render | None:
    """Return where a stub forwards its requests to, or a function that finds it out from templates.

    None if it does not forward. Raises Invalid.
    """
    url = definition.proxy_base_url
    if url is UNSET:
        _check_absent(definition, pointer)
        return None
    _check_combination(definition, pointer)
    prefix = definition.proxy_url_prefix_to_remove or ""
    removed = frozenset(name.lower() for name in definition.remove_proxy_request_headers)
    added_at = f"{pointer}/additionalProxyRequestHeaders"
    added = checked_framed(definition.additional_proxy_request_headers, added_at)
    at = f"{pointer}/proxyBaseUrl"
    if not definition.transformers:
        base = _parsed(url)
        if base is None:
            raise Invalid(at, f"proxyBaseUrl {_EXPECTED}")
        return Proxied(base, prefix, removed, added)
    template, render_added = compiled(url, at), field_templates(added, added_at)
    if template.is_literal and _parsed(url) is None:
        raise Invalid(at, f"proxyBaseUrl {_EXPECTED}")

    def rendered(call: Call, context: Context) -> Proxied:
        base = _parsed(template.render(call, context))
        if base is None:
            raise RenderError(f"{at}: the result {_EXPECTED}.")
        return Proxied(base, prefix, removed, render_added(call, context))

    return rendered


def _parsed(url: str) -> Base | None:
    """Return the parts of ``url``; None if it is no base URL."""
    found = _BASE.fullmatch(url)
    if found is None:
        return None
    scheme, host, address, port, path = found[1].lower(), found[2], found[3], found[4], found[5] or ""
    number = _PORTS[scheme] if port is None else int(port)
    if not 0 < number < 65536 or "?" in path or "#" in path:
        return None
    if address is not None:
        try:
            IPv6Address(address)
        except ValueError:
            return None
    authority = host if port is None else f"{host}:{port}"
    return Base(scheme, address or host, number, authority, path.rstrip("/"))


def _check_absent(definition: ResponseDefinition, pointer: str) -> None:
    given = {
        "additionalProxyRequestHeaders": definition.additional_proxy_request_headers,
        "removeProxyRequestHeaders": definition.remove_proxy_request_headers,
        "proxyUrlPrefixToRemove": definition.proxy_url_prefix_to_remove or "",
    }
    for name, value in given.items():
        if value:
            raise Invalid(f"{pointer}/{name}", f"{name} requires a proxyBaseUrl")


def _check_combination(definition: ResponseDefinition, pointer: str) -> None:
    given = (
        definition.status_message,
        definition.body,
        definition.json_body,
        definition.base64_body,
        definition.body_file_name,
        definition.sse,
        definition.problem,
        definition.fault,
        definition.chunked_dribble_delay,
        definition.trailers or UNSET,
        definition.error_source,
    )
    for name, value in zip(_OTHERS, given, strict=True):
        if value is not UNSET:
            detail = f"{name} and proxyBaseUrl are mutually exclusive: the response is that of the URL"
            raise Invalid(f"{pointer}/{name}", detail)
    if definition.status not in (UNSET, 200):  # WireMock's own clients always send 200
        detail = "status and proxyBaseUrl are mutually exclusive: the response is that of the URL"
        raise Invalid(f"{pointer}/status", detail)
    checked_framed(definition.headers, f"{pointer}/headers")
