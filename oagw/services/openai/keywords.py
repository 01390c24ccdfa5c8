"""The keywords in a short message that select the response: ``hello`` and ``error``."""

import re
from functools import cache
from typing import Literal

# Keywords in messages of more words than this have no effect.
MOST_WORDS = 8

# A keyword in any case, with punctuation around it. Group 2 is the character after it, maybe an accent.
_KEYWORD = r"(?i)[\W_]*+(hello|error)([\W_]?)[\W_]*+"


def keyword(text: str) -> Literal["hello", "error"] | None:
    """Return the keyword in ``text``, or None. ``hello`` takes precedence over ``error``.

    There is no keyword in a message of more than eight words. Words are separated by white space, and
    punctuation around them is ignored: ``"Error".`` is a keyword; ``hello-world``, ``Othello`` and
    ``error_code`` are not.
    """
    folded = text.lower()
    if "hello" not in folded and "error" not in folded:
        return None
    words = text.split(None, MOST_WORDS)
    if len(words) > MOST_WORDS:
        return None
    pattern = _pattern()
    matches = [match for word in words if (match := pattern.fullmatch(word))]
    found = {match[1].lower() for match in matches if not _accented(match)}
    return "hello" if "hello" in found else "error" if found else None


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(_KEYWORD)  # when it is needed: start-up does not wait for it


def _accented(match: re.Match[str]) -> bool:
    """Return whether the keyword is followed by a combining accent, which makes it a different word."""
    if match[2].isascii():
        return False
    from unicodedata import combining

    return combining(match[2]) != 0
