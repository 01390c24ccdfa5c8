"""Draws: the random numbers of a sandbox.

With ``--seed``, the random choices for the k-th response of a rule depend only on the seed, the sandbox, the
rule and k, not on the order in which different clients arrive. A rule is a stub, a toxic, a service, or a
kind of id.
"""

from binascii import b2a_base64
from hashlib import blake2b
from random import Random

from oagw.model.call import is_admin

# From the alphabet of Base64 to that of nanoids.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

# The length of a nanoid, and how many are made together.
_LENGTH = 21
_TOGETHER = 16


def nanoid(bits: int) -> bytes:
    """Return a nanoid, 21 characters with six bits each, from 128 random ``bits``."""
    return b2a_base64(bits.to_bytes(16), newline=False)[:_LENGTH].translate(_URL_SAFE)


class Draws:
    """The random numbers of all sandboxes without a seed: all are drawn from ``random``."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids: list[bytes] = []

    def of(self, rule: str, k: int) -> Random:
        """Return the random numbers for the ``k``-th answer of ``rule``."""
        return self._random

    def next(self, rule: str) -> Random:
        """Return the random numbers for the next answer of ``rule``, one of a small number of rules."""
        return self._random

    def bits(self, rule: str, count: int) -> int:
        """Return the next random number of ``rule``, of ``count`` bits: 128 at most."""
        return self._random.getrandbits(count)

    def request_id(self, path: bytes) -> bytes:
        """Return an id for the next request to ``path``."""
        if not self._ids:
            size = _LENGTH * _TOGETHER
            text = b2a_base64(self._random.randbytes(size * 6 // 8), newline=False).translate(_URL_SAFE)
            self._ids = [text[at : at + _LENGTH] for at in range(0, size, _LENGTH)]
        return self._ids.pop()


class SeededDraws(Draws):
    """The random numbers of one sandbox with ``seed``. ``sandbox`` identifies it in its gateway."""

    def __init__(self, seed: int, sandbox: str) -> None:
        self._key = f"{seed} {sandbox}"
        self._counts: dict[str, int] = {}

    def of(self, rule: str, k: int) -> Random:
        return Random(f"{self._key} {rule} {k}")

    def next(self, rule: str) -> Random:
        return self.of(rule, self._count(rule))

    def bits(self, rule: str, count: int) -> int:
        # Random would keep 2.5 KB for each rule, or take 13 µs each time; this takes 2 µs.
        text = f"{self._key} {rule} {self._count(rule)}".encode()
        return int.from_bytes(blake2b(text, digest_size=16).digest()) >> (128 - count)

    def request_id(self, path: bytes) -> bytes:
        # Calls to the control plane are counted by themselves: a test may poll it.
        return nanoid(self.bits("control plane" if is_admin(path) else "request", 128))

    def _count(self, rule: str) -> int:
        self._counts[rule] = k = self._counts.get(rule, 0) + 1
        return k
