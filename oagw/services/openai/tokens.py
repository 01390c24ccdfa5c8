"""Tokens: how text is counted and cut into pieces, and how likely each was.

What the model says has a token for each piece of a stream, so that limits, counts, speeds and pieces are
one thing; what it reads has about one for every four bytes.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from zlib import crc32

# Prose comes word by word, JSON in fragments. Joined, the pieces of a text are the text.
WORDS = re.compile(r"\s*\S+|\s+$")
FRAGMENTS = re.compile(r".{1,8}", re.DOTALL)


def cut(text: str, pieces: re.Pattern[str]) -> Iterator[str]:
    """The ``pieces`` of ``text``, one at a time."""
    # A list would stay as long as a stream, and so would what finditer remembers: a kilobyte.
    match, at = pieces.match, 0
    while piece := match(text, at):
        yield piece[0]
        at = piece.end()
        del piece


def count(text: str) -> int:
    """The tokens of a ``text`` that is read."""
    return -(-len(text.encode("utf-8", "replace")) // 4)


def conversation(texts: Iterable[str]) -> int:
    """The tokens of messages that are read: four more for the frame of each."""
    return 3 + sum(4 + count(text) for text in texts)


def usage(prompt: int, completion: int) -> dict[str, Any]:
    """Token counts as the chat API gives them."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def logprob(piece: str, top: int) -> dict[str, Any]:
    """How likely ``piece`` was, beside ``top`` - 1 others that are less so; the same for the same piece."""
    likely = -(crc32(piece.encode("utf-8", "replace")) % 1000) / 1000
    tops = [_likelihood(piece if rank == 0 else f"{piece}{rank}", likely - rank) for rank in range(top)]
    return _likelihood(piece, likely) | {"top_logprobs": tops}


def _likelihood(token: str, likely: float) -> dict[str, Any]:
    return {"token": token, "logprob": likely, "bytes": list(token.encode("utf-8", "replace"))}
