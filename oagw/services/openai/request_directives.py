"""Extract the directives of a request.

``directives`` describes their meaning, and ``directive_syntax`` parses them.
"""

from collections.abc import Collection, Mapping

from oagw.services.openai.directives import Directives
from oagw.services.openai.node import failure

_NONE = Directives()


def extract_directives(
    text: str,
    metadata: Mapping[str, str] | None,
    field: str,
    allowed: Collection[str],
) -> tuple[str, Directives]:
    """Return ``text`` without its directives, and the Directives in the text and in ``metadata``.

    ``field`` is the name of the member with the text; ``allowed`` are the names of the directives that the
    endpoint supports. Raises Refused with 400 for an invalid directive, and the error that ``error`` selects.
    """
    if "[mock" not in text and not any(name.startswith("mock_") for name in metadata or ()):
        return text, _NONE
    from oagw.services.openai.directive_syntax import parse  # imported late: most requests have no directives

    text, directives = parse(text, metadata or {}, field, allowed)
    if directives.error is not None:
        raise failure(directives.error)
    return text, directives
