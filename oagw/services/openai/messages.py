"""The messages of a chat."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec


class ContentPart(msgspec.Struct, forbid_unknown_fields=True):
    """A content part of a message. Only ``text`` is used."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str | None = None
    image_url: dict[str, Any] | None = None
    input_audio: dict[str, Any] | None = None
    file: dict[str, Any] | None = None
    refusal: str | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """A message of the conversation. Only its role and its content are used.

    ``annotations`` is a member of responses, which clients send back unchanged.
    """

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    function_call: dict[str, Any] | None = None
    refusal: str | None = None
    audio: dict[str, Any] | None = None
    annotations: list[dict[str, Any]] | None = None


def text_of(content: str | Sequence[ContentPart] | None) -> str:
    """Return the text of a message's content, with its parts joined."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text or "" for part in content)
