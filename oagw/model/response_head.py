"""ResponseHead: status and header fields of a response, as policies see them."""

from collections.abc import Mapping
from typing import NamedTuple


class ResponseHead(NamedTuple):
    """The head of a response; ``headers`` has the values of each field by its name."""

    status: int
    headers: Mapping[bytes, tuple[bytes, ...]]

    def with_header(self, name: bytes, *values: bytes) -> "ResponseHead":
        """The same head with other ``values`` for one field; none remove it."""
        headers = {known: one for known, one in self.headers.items() if known.lower() != name.lower()}
        return self._replace(headers={**headers, name: values} if values else headers)
