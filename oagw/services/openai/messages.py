"""The messages of a chat."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec


class Part(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a message's content; of all but texts, only the type is read."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str | None = None
    image_url: dict[str, Any] | None = None
    input_audio: dict[str, Any] | None = None
    file: dict[str, Any] | None = None
    refusal: str | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """A message of the conversation; only its role and its content are read.

    ``annotations`` are among the members of an answer, which clients send back as it is.
    """

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    function_call: dict[str, Any] | None = None
    refusal: str | None = None
    audio: dict[str, Any] | None = None
    annotations: list[dict[str, Any]] | None = None


def text_of(content: str | Sequence[Part] | None) -> str:
    """The content of a message as text, its parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text or "" for part in content)
