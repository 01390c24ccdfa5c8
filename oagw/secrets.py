"""Secrets: the credential store of a sandbox.

A secret belongs to a tenant, a private one to one subject of it. ``gateway.credstore`` has the URLs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, NamedTuple
from uuid import UUID

from oagw.model.invalid import Invalid
from oagw.model.memory import Memory
from oagw.model.tenants import Identity, Tenants

Sharing = Literal["private", "tenant", "shared"]

# The largest number of secrets of one sandbox, and the approximate size of one without its value, in bytes.
MAX_SECRETS = 10_000
_WEIGHT = 500

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
    def tag(self) -> str:
        """The entity tag, without quotes."""
        return f"{self.id}.{self.version}"


class _SecretKey(NamedTuple):
    tenant: UUID
    reference: str
    subject: str | None  # of a private secret


class Secrets:
    """The secrets of all tenants of a sandbox. Values count towards ``memory``."""

    def __init__(self, memory: Memory, random: Random, tenants: Tenants) -> None:
        self.tenants = tenants
        self._memory = memory
        self._random = random
        self._secrets: dict[_SecretKey, Secret] = {}

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
        self._memory.check(_WEIGHT + len(value))
        id = UUID(int=self._random.getrandbits(128), version=4)
        secret = Secret(id, owner, reference, value, sharing, type, expires_at)
        self._put(key, secret)
        return secret

    def replace(self, secret: Secret, value: str, sharing: Sharing | None) -> Secret:
        """Give ``secret`` another value, and another sharing unless it is None; its version increases."""
        changed = replace(secret, value=value, sharing=sharing or secret.sharing, version=secret.version + 1)
        self._memory.check(len(value))
        self.delete(secret)
        self._put(_key(secret.owner, secret.reference, changed.sharing), changed)
        return changed

    def delete(self, secret: Secret) -> None:
        """Delete ``secret``, which must be stored here."""
        del self._secrets[_key(secret.owner, secret.reference, secret.sharing)]
        self._memory.keep("secrets", -_WEIGHT - len(secret.value))

    def clear(self) -> None:
        """Delete all secrets."""
        for secret in list(self._secrets.values()):
            self.delete(secret)

    def _put(self, key: _SecretKey, secret: Secret) -> None:
        known = self._secrets.get(key)
        if known is not None:
            self.delete(known)
        self._secrets[key] = secret
        self._memory.keep("secrets", _WEIGHT + len(secret.value))

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
