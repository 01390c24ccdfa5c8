"""Fresh ids, as the API makes them."""

from random import Random

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = (_ALPHABET * 5)[:256]  # one for each byte


def fresh(random: Random, prefix: str, length: int = 24) -> str:
    """An id of ``prefix`` and ``length`` random letters and digits."""
    return prefix + random.randbytes(length).translate(_LETTERS).decode()
