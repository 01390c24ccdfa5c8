"""What the author of a test asks of the model in a request, if anything.

``steering`` has what can be asked, ``directive`` how it is read.
"""

from collections.abc import Collection, Mapping

from oagw.services.openai.directives import Steering
from oagw.services.openai.node import failure

_NONE = Steering()


def steer(
    text: str,
    metadata: Mapping[str, str] | None,
    field: str,
    allowed: Collection[str] = Steering.__struct_fields__,
) -> tuple[str, Steering]:
    """``text`` without its directives, and what they and ``metadata`` ask for.

    ``field`` is the member of the request that has the text, ``allowed`` the names that have a meaning
    there. Raises Refused: 400 for a directive that makes no sense, or the error that is asked for.
    """
    if "[mock" not in text and not any(name.startswith("mock_") for name in metadata or ()):
        return text, _NONE
    from oagw.services.openai.directive_syntax import read  # here, because most requests have no directive

    text, steering = read(text, metadata or {}, field, allowed)
    if steering.error is not None:
        raise failure(steering.error)
    return text, steering
