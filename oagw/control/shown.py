"""Shown: an entry of the journal as it may be shown, without the secrets that were sent.

``control.serve_event`` makes JSON of it, ``control.explanation`` lines for people.
"""

from functools import cached_property

from oagw.model.call import Call, grouped
from oagw.model.journal import Entry
from oagw.model.secret import MASK, Known, is_secret, masked, masked_pairs, masked_url


class Shown:
    """What ``entry`` has, masked: header fields and parameters by their names, and the credentials of the
    request wherever else they stand in it.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.call = entry.call()

    @cached_property
    def known(self) -> Known:
        """The credentials of the request."""
        return Known(credentials(self.call))

    @property
    def method(self) -> str:
        return self.call.method

    @cached_property
    def url(self) -> str:
        return self.known.masked(masked_url(self.call.url))

    @cached_property
    def host(self) -> str:
        """Where the request was for: the value of Host, else where it arrived."""
        return self.call.headers.get("host", [f"{self.call.host}:{self.call.port}"])[0]

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields in their order."""
        return [(name, self.known.masked(masked(name, value))) for name, value in self.call.fields]

    @cached_property
    def response_fields(self) -> list[tuple[str, str]]:
        """The header fields of the answer in their order."""
        fields = Call("", "", self.entry.response_head.partition(b"\r\n")[2]).fields
        return [(name, self.known.masked(masked(name, value))) for name, value in fields]

    @cached_property
    def cookies(self) -> dict[str, list[str]]:
        return {name: [MASK] * len(values) for name, values in self.call.cookies.items()}

    @cached_property
    def query(self) -> dict[str, list[str]]:
        return self._parameters(self.call.query)

    @cached_property
    def form(self) -> dict[str, list[str]]:
        return self._parameters(self.call.form)

    @cached_property
    def body(self) -> bytes:
        text = self.call.body.decode("latin-1")  # any byte, and back
        return self.known.masked(masked_pairs(text) if self.call.form else text).encode("latin-1")

    def _parameters(self, values: dict[str, list[str]]) -> dict[str, list[str]]:
        return {
            self.known.masked(name): [MASK if is_secret(name) else self.known.masked(v) for v in found]
            for name, found in values.items()
        }


def credentials(call: Call) -> list[str]:
    """The secrets of a request that are known by the names of the fields that have them."""
    fields = [value.rpartition(" ")[2] for name, value in call.fields if is_secret(name)]
    return fields + [value for name, values in call.query.items() if is_secret(name) for value in values]


def by_name(fields: list[tuple[str, str]]) -> dict[str, str | list[str]]:
    """The values of header ``fields`` by name, in its first spelling; one value alone is no list."""
    spelling: dict[str, str] = {}
    values = grouped((spelling.setdefault(name.lower(), name), value) for name, value in fields)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}
