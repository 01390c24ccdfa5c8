"""The words in a short message that the model reacts to: ``hello`` and ``error``."""

import re
from typing import Literal

# A message of more words than this is quoted, whatever words it has.
MOST_WORDS = 8

# A word in any case with the punctuation around it. What follows it first is caught: it may be an accent.
_KEYWORD = r"(?i)[\W_]*+(hello|error)([\W_]?)[\W_]*+"


def keyword(text: str) -> Literal["hello", "error"] | None:
    """The keyword in ``text``, ``hello`` before ``error``; None in a message of more than eight words.

    Words are what white space separates, less the punctuation around them: ``"Error".`` is a keyword,
    ``hello-world``, ``Othello`` and ``error_code`` are not.
    """
    folded = text.lower()
    if "hello" not in folded and "error" not in folded:
        return None
    words = text.split(None, MOST_WORDS)
    if len(words) > MOST_WORDS:
        return None
    matches = [match for word in words if (match := re.fullmatch(_KEYWORD, word))]
    found = {match[1].lower() for match in matches if not _accented(match)}
    return "hello" if "hello" in found else "error" if found else None


def _accented(match: re.Match[str]) -> bool:
    """Whether the last letter of the keyword has a combining accent, which makes it another letter."""
    if match[2].isascii():
        return False
    from unicodedata import combining

    return combining(match[2]) != 0
