"""ResponseHead: the status and header fields of a response, for policies."""

from collections.abc import Mapping
from typing import NamedTuple


class ResponseHead(NamedTuple):
    """The head of a response. ``headers`` maps the names of fields to their values."""

    status: int
    headers: Mapping[bytes, tuple[bytes, ...]]

    def with_header(self, name: bytes, *values: bytes) -> "ResponseHead":
        """Return a copy with ``values`` for the field ``name``; without values, the field is removed."""
        headers = {known: one for known, one in self.headers.items() if known.lower() != name.lower()}
        return self._replace(headers={**headers, name: values} if values else headers)
