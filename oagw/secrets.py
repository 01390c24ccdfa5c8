"""Secrets: the credential store of a sandbox, and the access tokens that were fetched with secrets.

A secret belongs to a tenant, a private one to one subject of it. ``gateway.credstore`` has the URLs.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, NamedTuple
from uuid import UUID

from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.model.tenants import Identity, Tenants

Sharing = Literal["private", "tenant", "shared"]

# The largest number of secrets of one sandbox, and the approximate sizes of a secret without its value and of
# an access token without its characters, in bytes.
MAX_SECRETS = 10_000
_WEIGHT = 500
_TOKEN_WEIGHT = 1_000

_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SCHEME = "cred://"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret. ``version`` counts from 1; ``expires_at`` is in seconds since 1970, or None.

    ``private`` secrets are visible to their owner, ``tenant`` ones to all of the owner's tenant, and
    ``shared`` ones also to the tenants below it.
    """

    id: UUID
    owner: Identity
    reference: str
    value: str
    sharing: Sharing
    type: str | None = None
    expires_at: float | None = None
    version: int = 1

    def __repr__(self) -> str:
        return f"<Secret {self.reference}>"  # never the value

    @property
    def weight(self) -> int:
        """The approximate size, in bytes."""
        texts = (self.value, self.type or "")
        return _WEIGHT + sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)

    @property
    def tag(self) -> str:
        """The entity tag, without quotes."""
        return f"{self.id}.{self.version}"


class _SecretKey(NamedTuple):
    tenant: UUID
    reference: str
    subject: str | None  # of a private secret


class SecretExists(Exception):
    """Another secret has the reference."""


class AccessTokens:
    """The access tokens of a sandbox, by what they are for. They count towards ``memory``.

    The least recently used ones make room for others. Times are in seconds of a monotonic clock.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._tokens: OrderedDict[Hashable, tuple[str, float]] = OrderedDict()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._tokens)

    def get(self, key: Hashable, now: float) -> str | None:
        """Return the token for ``key``, or None."""
        found = self._tokens.get(key)
        if found is None:
            return None
        if found[1] <= now:
            self._delete(key)
            return None
        self._tokens.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, token: str, until: float, capacity: int) -> None:
        """Keep the token for ``key`` until then, if there is room; at most ``capacity`` tokens are kept."""
        if key in self._tokens:
            self._delete(key)
        weight = _TOKEN_WEIGHT + len(token)
        while self._tokens and (len(self._tokens) >= capacity or self._memory.shortage(weight) is not None):
            self._delete(next(iter(self._tokens)))
        if not self._is_closed and self._memory.shortage(weight) is None:
            self._tokens[key] = token, until
            self._memory.keep("access tokens", weight)

    def close(self) -> None:
        """Delete all tokens, and keep no more."""
        self._is_closed = True
        for key in list(self._tokens):
            self._delete(key)

    def _delete(self, key: Hashable) -> None:
        token, _ = self._tokens.pop(key)
        self._memory.keep("access tokens", -_TOKEN_WEIGHT - len(token))


class Secrets:
    """The secrets of all tenants of a sandbox, and the ``tokens`` fetched with them.

    Sizes count towards ``memory``.
    """

    def __init__(self, memory: Memory, random: Random, tenants: Tenants) -> None:
        self.tenants = tenants
        self._memory = memory
        self._random = random
        self._secrets: dict[_SecretKey, Secret] = {}
        self.tokens = AccessTokens(memory)

    def __len__(self) -> int:
        return len(self._secrets)

    def find(self, reference: str, caller: Identity, date: float) -> Secret | None:
        """Return the secret that ``reference`` means for ``caller`` at ``date``, or None.

        The caller's own private secret comes first, then that of the tenant, then shared ones of the tenants
        above it, the nearest first.
        """
        for key in self._visible(reference, caller):
            secret = self._secrets.get(key)
            if secret is None or (secret.expires_at is not None and secret.expires_at <= date):
                continue
            if key.tenant == caller.tenant or secret.sharing == "shared":
                return secret
        return None

    def create(
        self,
        owner: Identity,
        reference: str,
        value: str,
        sharing: Sharing = "tenant",
        type: str | None = None,
        expires_at: float | None = None,
        date: float = 0.0,
    ) -> Secret | None:
        """Add a secret; return None if this reference is taken. Raises Invalid if there is no room.

        One that has expired by ``date`` is replaced.
        """
        key = _key(owner, reference, sharing)
        known = self._secrets.get(key)
        if known is not None:
            if known.expires_at is None or known.expires_at > date:
                return None
            self.delete(known)
        if len(self._secrets) >= MAX_SECRETS:
            raise Invalid("", f"The limit of {MAX_SECRETS} secrets is reached; delete some")
        id = UUID(int=self._random.getrandbits(128), version=4)
        secret = Secret(id, owner, reference, value, sharing, type, expires_at)
        self._memory.check(secret.weight)
        self._put(key, secret)
        return secret

    def replace(self, secret: Secret, value: str, sharing: Sharing | None, date: float = 0.0) -> Secret:
        """Give ``secret`` another value, and another sharing unless it is None; its version increases.

        Raises SecretExists if with this sharing, its reference is that of another secret that has not expired
        by ``date``, and Invalid if there is no room.
        """
        changed = replace(secret, value=value, sharing=sharing or secret.sharing, version=secret.version + 1)
        key = _key(secret.owner, secret.reference, changed.sharing)
        other = self._secrets.get(key)
        if other is not None and other.id != secret.id:
            if other.expires_at is None or other.expires_at > date:
                raise SecretExists
            self.delete(other)
        self._memory.check(changed.weight - secret.weight)
        self.delete(secret)
        self._put(key, changed)
        return changed

    def delete(self, secret: Secret) -> None:
        """Delete ``secret``, which must be stored here."""
        del self._secrets[_key(secret.owner, secret.reference, secret.sharing)]
        self._memory.keep("secrets", -secret.weight)

    def clear(self) -> None:
        """Delete all secrets and tokens; no more tokens are kept."""
        for secret in list(self._secrets.values()):
            self.delete(secret)
        self.tokens.close()

    def _put(self, key: _SecretKey, secret: Secret) -> None:
        self._secrets[key] = secret
        self._memory.keep("secrets", secret.weight)

    def _visible(self, reference: str, caller: Identity) -> Iterator[_SecretKey]:
        yield _SecretKey(caller.tenant, reference, caller.subject)
        yield _SecretKey(caller.tenant, reference, None)
        if caller.tenant in self.tenants:
            for tenant in self.tenants.ancestors(caller.tenant):
                yield _SecretKey(tenant, reference, None)


def reference_in(text: str) -> str | None:
    """Return the reference in ``text``, with or without ``cred://``; None if it is malformed."""
    reference = text.removeprefix(_SCHEME)
    return reference if is_reference(reference) else None


def is_reference(text: str) -> bool:
    """Return whether ``text`` can be the reference of a secret: 1 to 255 letters, digits, ``_`` and ``-``."""
    return _REFERENCE.fullmatch(text) is not None


def _key(owner: Identity, reference: str, sharing: Sharing) -> _SecretKey:
    return _SecretKey(owner.tenant, reference, owner.subject if sharing == "private" else None)
