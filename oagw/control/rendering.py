"""What a template is rendered with, apart from the templates, which stubs without one need not load."""

from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """What a template sees besides the Call.

    ``now`` is in seconds since the epoch; ``path_parameters`` are what urlPathTemplate found, as it
    was sent; ``parameters`` are its transformerParameters; ``id`` is that of the request.
    """

    now: float
    random: Random
    path_parameters: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    id: str = ""


class RenderError(Exception):
    """A template that would take too much; the message names its place."""
