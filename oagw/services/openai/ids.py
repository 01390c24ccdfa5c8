"""Fresh ids, as the API makes them."""

from random import Random

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def fresh(random: Random, prefix: str, length: int = 24) -> str:
    """An id of ``prefix`` and ``length`` random letters and digits."""
    return prefix + "".join(random.choices(_ALPHABET, k=length))
