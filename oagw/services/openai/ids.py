"""Random ids in the format of the API."""

from random import Random

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = (_ALPHABET * 5)[:256]  # one for each byte


def random_id(random: Random, prefix: str, length: int = 24) -> str:
    """Return ``prefix`` followed by ``length`` random letters and digits."""
    return prefix + random.randbytes(length).translate(_LETTERS).decode()
