"""Random ids in the format of the API."""

from random import Random

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def random_id(random: Random, prefix: str, length: int = 24) -> str:
    """Return ``prefix`` followed by ``length`` random letters and digits."""
    return prefix + "".join(random.choices(_ALPHABET, k=length))
