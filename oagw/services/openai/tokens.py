"""Tokens: split and count text, and compute log probabilities.

A completion has one token per piece of its stream, so that limits, counts and speeds agree. A prompt has
about one token for every four bytes.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from zlib import crc32

# Prose is split into words, JSON into fragments. The pieces of a text, joined, are the text.
WORDS = re.compile(r"\s*\S+|\s+$")
FRAGMENTS = re.compile(r".{1,8}", re.DOTALL)


def cut(text: str, pieces: re.Pattern[str]) -> Iterator[str]:
    """Yield the matches of ``pieces`` in ``text``, one after the other."""
    # A list, or the state of finditer, would take a kilobyte for as long as the stream is open.
    match, at = pieces.match, 0
    while piece := match(text, at):
        yield piece[0]
        at = piece.end()
        del piece


def count(text: str) -> int:
    """Return the number of tokens of a ``text`` in a prompt."""
    return -(-len(text.encode("utf-8", "replace")) // 4)


def conversation(texts: Iterable[str]) -> int:
    """Return the number of tokens of a prompt of messages. The framing of each takes four tokens."""
    return 3 + sum(4 + count(text) for text in texts)


def usage(prompt: int, completion: int) -> dict[str, Any]:
    """Return the ``usage`` member of the chat API."""
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
    """Return the log probability of ``piece``, a hash of it, with ``top`` - 1 less likely alternatives."""
    likely = -(crc32(piece.encode("utf-8", "replace")) % 1000) / 1000
    tops = [_likelihood(piece if rank == 0 else f"{piece}{rank}", likely - rank) for rank in range(top)]
    return _likelihood(piece, likely) | {"top_logprobs": tops}


def _likelihood(token: str, likely: float) -> dict[str, Any]:
    return {"token": token, "logprob": likely, "bytes": list(token.encode("utf-8", "replace"))}
