"""Redacted: a view of a journal entry without the secrets in it.

``verify.serve_event`` turns it into JSON, and ``verify.explanation`` into readable lines.
"""

import json
from functools import cached_property
from typing import Any

from oagw.model.call import Call, grouped
from oagw.model.coding import UTF_8
from oagw.model.entry import Entry
from oagw.model.reading import ParseLimitExceeded, read_json, read_pairs
from oagw.model.secret import MASK, KnownSecrets, is_secret, masked, masked_pairs, masked_url


class Redacted:
    """The contents of ``entry``, redacted. Header fields and parameters are masked by name, and the
    credentials of the request wherever else they occur in it.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.call = entry.call()

    @cached_property
    def known(self) -> KnownSecrets:
        """The secrets to mask: the credentials of the request, and the tokens of the server."""
        return known_secrets(self.entry, self.call)

    @property
    def method(self) -> str:
        return self.known.masked(self.call.method)

    @cached_property
    def url(self) -> str:
        return self.known.masked(masked_url(self.call.url))

    @property
    def alias(self) -> str | None:
        """The alias from the URL, in lower case."""
        alias = self.entry.alias
        return alias if alias is None or alias in self.url.lower() else MASK

    @cached_property
    def host(self) -> str:
        """The target host: the value of Host, or else the local address."""
        sent = self.call.headers.get("host", [f"{self.call.host}:{self.call.port}"])[0]
        return self.known.masked(sent)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields, in order."""
        return self._fields(self.call)

    @cached_property
    def response_fields(self) -> list[tuple[str, str]]:
        """The header fields of the response, in order."""
        return self._fields(Call("", "", self.entry.response_head.partition(b"\r\n")[2]))

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        return {self.known.masked(name): [MASK] * len(values) for name, values in self.call.cookies.items()}

    @cached_property
    def query(self) -> dict[str, list[str]]:
        return grouped(read_pairs(self.url.partition("?")[2]))

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form; empty if it has more than can be parsed."""
        if not self.call.is_form:
            return {}
        try:
            return grouped(read_pairs(self.text))
        except ParseLimitExceeded:
            return {}

    @property
    def body(self) -> bytes:
        """The body with its content codings decoded."""
        return self._body[0]

    @property
    def text(self) -> str:
        """The body as text."""
        return self._body[1]

    @cached_property
    def sent_body(self) -> bytes | None:
        """The encoded body; None if it has no content coding, or contains a secret that must be masked."""
        if not self.call.is_coded or self.body is not self.call.body:
            return None
        return self.call.sent_body

    @cached_property
    def _body(self) -> tuple[bytes, str]:
        call = self.call
        if call.codec != UTF_8:
            text = self._masked_body(call.text)
            return (call.body, text) if text == call.text else (text.encode(call.codec, "replace"), text)
        text = call.body.decode("utf-8", "surrogateescape")  # maps every byte to a character and back
        redacted = self._masked_body(text)
        body = call.body if redacted == text else redacted.encode("utf-8", "surrogateescape")
        return body, redacted if redacted.isascii() else body.decode("utf-8", "replace")

    def _masked_body(self, text: str) -> str:
        redacted = self.known.masked(masked_pairs(text) if self.call.is_form else text)
        if redacted != text and not is_json(redacted) and is_json(text):
            return masked_json(text, self.known)
        return redacted

    def _fields(self, call: Call) -> list[tuple[str, str]]:
        known = self.known
        return [(known.masked(name), known.masked(masked(name, value))) for name, value in call.fields]


def known_secrets(entry: Entry, call: Call | None = None) -> KnownSecrets:
    """Return the credentials of the request and the secrets of the server; ``call`` is the same request."""
    return KnownSecrets((*entry.concealed, *entry.secrets), credentials(call or entry.call()))


def credentials(call: Call) -> list[str]:
    """Yield the secrets of a request in fields whose names mark them as credentials."""
    secrets = [value.rpartition(" ")[2] for name, value in call.fields if is_secret(name)]
    for groups in (call.query, call.cookies):
        secrets += [value for name, values in groups.items() if is_secret(name) for value in values]
    return secrets


def is_json(text: str) -> bool:
    """Return whether ``text`` can be parsed as JSON."""
    try:
        read_json(text)
    except ValueError:
        return False
    return True


class _Number(str):
    """A JSON number in its original spelling."""


def masked_json(text: str, known: KnownSecrets) -> str:
    """Return the JSON ``text`` with ``known`` secrets masked in each string and number."""

    def walk(value: Any) -> Any:
        if isinstance(value, _Number):
            return MASK if known.masked(value) != value else json.loads(value)
        if isinstance(value, str):
            return known.masked(value)
        if isinstance(value, list):
            return [walk(each) for each in value]
        if isinstance(value, dict):
            return {known.masked(name): walk(each) for name, each in value.items()}
        return value

    try:
        return json.dumps(walk(json.loads(text, parse_int=_Number, parse_float=_Number)))
    except (ValueError, RecursionError):  # can be parsed, but is nested too deeply to be encoded
        return json.dumps(MASK)


def by_name(fields: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Return the values of header ``fields`` by name, in its first spelling; a single one without a list."""
    spelling: dict[str, str] = {}
    values = grouped((spelling.setdefault(name.lower(), name), value) for name, value in fields)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}
