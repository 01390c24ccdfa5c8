"""The catalogue: all situations by name, in the order in which they are listed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from oagw.exam.connections import CONNECTIONS
from oagw.exam.credentials import CREDENTIALS
from oagw.exam.errors import ERRORS
from oagw.exam.limits import LIMITS
from oagw.exam.pages import PAGES
from oagw.exam.retry import RETRY
from oagw.exam.situation import Situation
from oagw.exam.streams import STREAMS

GROUPS: Mapping[str, Sequence[Situation]] = MappingProxyType(
    {
        "retry": RETRY,
        "limits": LIMITS,
        "pages": PAGES,
        "credentials": CREDENTIALS,
        "streams": STREAMS,
        "errors": ERRORS,
        "connections": CONNECTIONS,
    }
)

SITUATIONS: Mapping[str, Situation] = MappingProxyType(
    {one.name: replace(one, group=group) for group, situations in GROUPS.items() for one in situations}
)
