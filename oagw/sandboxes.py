"""Sandboxes isolate tests that share a server.

The default Sandbox serves callers with an ordinary token. A TokenSandbox has its own token; to the gateway,
it is a tenant. Sandboxes finds the sandbox of a request.
"""

from collections.abc import Iterator, Mapping
from hmac import compare_digest
from random import Random
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from oagw.model.call import is_admin
from oagw.model.draws import Draws, SeededDraws
from oagw.model.entry import Entry
from oagw.model.journal import Journal
from oagw.model.memory import Memory
from oagw.model.refused import Refused
from oagw.model.tenants import ROOT, ROOT_ALONE, Identity, Tenant, Tenants

if TYPE_CHECKING:
    # Loaded when the first upstream, secret or rate limit is used.
    from oagw.policies.buckets import Buckets
    from oagw.registry.provision import Provisioned
    from oagw.registry.store import Registry
    from oagw.secrets import Secrets
    from oagw.stubs.store import StubStore  # loaded when the first stub is made
    from oagw.toxics.toxic import Toxic

# The prefix of the tokens of sandboxes.
_SANDBOX = b"sandbox-"

# The beginning of URLs that lead to a sandbox by themselves, without its token. A key follows, then the path.
SANDBOX_URLS = b"/__sandbox/"

# The longest lifetime of a sandbox, in seconds: a week.
MAX_LIFETIME = 604_800

# The largest number of sandboxes, and the limits of the journal of each: entries, bytes.
MAX_SANDBOXES = 2_000
_COUNT, _SIZE = 1_000, 4 << 20

# The approximate sizes of an empty sandbox and of a tenant in it, in bytes.
_SANDBOX_WEIGHT = 4_000
_TENANT_WEIGHT = 1_000


class Sandbox:
    """The state that the requests of its callers act on: journal, stubs, toxics, and what the gateway keeps.

    ``stubs``, ``registry`` (upstreams and routes), ``secrets`` and ``buckets`` are None until they are
    needed. The stubs of the sandbox ``shared`` also serve its callers. ``memory`` counts the size of
    everything in it, ``draws`` are its random numbers, ``tenants`` are its callers' tenants.
    """

    def __init__(
        self,
        journal: Journal,
        memory: Memory,
        draws: Draws,
        shared: "Sandbox | None" = None,
        tenants: Tenants = ROOT_ALONE,
    ) -> None:
        self.journal = journal
        self.memory = memory
        self.draws = draws
        self.tenants = tenants
        self.stubs: StubStore | None = None
        self.registry: Registry | None = None
        self.secrets: Secrets | None = None
        self.buckets: Buckets | None = None
        self._provisioned: Provisioned | None = None
        self._reserved = 0
        self._shared = shared
        self.toxics: dict[str, Toxic] = {}
        self._toxics_made = 0
        self.open = 0  # the number of requests whose response is not finished
        self.used = 0.0  # when a request last arrived or ended, in the clock's seconds

    def record(self, entry: Entry) -> None:
        """Add ``entry`` to the journal, unless it is a call to the control plane."""
        if not is_admin(entry.url):
            self.journal.add(entry)

    def stub_store(self) -> "StubStore":
        """Return ``stubs``, which is created on first use."""
        if self.stubs is None:
            from oagw.stubs.store import StubStore

            shared = None if self._shared is None else self._shared.stub_store()
            self.stubs = StubStore(self.memory, shared)
        return self.stubs

    def registry_store(self) -> "Registry":
        """Return ``registry``, which is created on first use."""
        if self.registry is None:
            from oagw.registry.store import Registry

            self.registry = Registry(self.memory, self.draws, self.tenants, self._drop_buckets)
        return self.registry

    def secret_store(self) -> "Secrets":
        """Return ``secrets``, which is created on first use."""
        if self.secrets is None:
            from oagw.secrets import Secrets

            self.secrets = Secrets(self.memory, self.draws.next("secrets"), self.tenants)
        return self.secrets

    def bucket_store(self) -> "Buckets":
        """Return ``buckets``, which is created on first use."""
        if self.buckets is None:
            from oagw.policies.buckets import Buckets

            self.buckets = Buckets(self.memory)
        return self.buckets

    def provision(self, provisioned: "Provisioned") -> None:
        """Add what the sandbox has from the start, and again after a reset. Raises Invalid without room."""
        from oagw.registry.provision import provision

        before = sum(self.memory.documents.values())
        provision(provisioned, self.registry_store(), self.secret_store())
        self._provisioned = provisioned
        # Reserve the same again, so that a reset has room whatever else is kept then.
        self._reserved = sum(self.memory.documents.values()) - before
        self.memory.keep("--config", self._reserved)

    def reset_gateway(self) -> None:
        """Restore the upstreams, routes, secrets and rate limit buckets that were there at the start."""
        self._clear_gateway()
        if self._provisioned is not None:
            self.memory.keep("--config", -self._reserved)
            self.provision(self._provisioned)

    def _clear_gateway(self) -> None:
        if self.registry is not None:
            self.registry.clear()
        if self.secrets is not None:
            self.secrets.clear()
        if self.buckets is not None:
            self.buckets.clear()
        self.registry = self.secrets = self.buckets = None

    def _drop_buckets(self, owner: str) -> None:
        if self.buckets is not None:
            self.buckets.drop(owner)

    def put_toxic(self, toxic: "Toxic") -> None:
        """Add ``toxic`` after the others, or replace the one with the same name."""
        known = self.toxics.get(toxic.name)
        self.memory.keep("toxics", toxic.weight - (0 if known is None else known.weight))
        if known is None:
            # By its number, not by its name, which a client may choose at random.
            self._toxics_made += 1
            toxic.rule = f"toxic {self._toxics_made}"
        else:
            toxic.rule = known.rule
        self.toxics[toxic.name] = toxic

    def remove_toxic(self, toxic: "Toxic") -> None:
        """Remove ``toxic``, which must be in this sandbox."""
        del self.toxics[toxic.name]
        self.memory.keep("toxics", -toxic.weight)

    def close(self) -> None:
        """Delete everything in the sandbox."""
        self.journal.close()
        if self.stubs is not None:
            self.stubs.clear()
        self._clear_gateway()
        for toxic in list(self.toxics.values()):
            self.remove_toxic(toxic)


class NewTenant(NamedTuple):
    """A tenant of a new sandbox. ``parent`` is the name of another one, or None for the root."""

    parent: str | None
    self_managed: bool = False


class NamedTenant(NamedTuple):
    """A tenant of a sandbox, and the token that leads to the sandbox as this tenant."""

    id: UUID
    token: bytes


class TokenSandbox(Sandbox):
    """A Sandbox for calls with ``token``. It expires ``lifetime`` seconds after its last use.

    ``name`` is None if it has none. ``named`` are its tenants by name; ``token`` is that of their root. It is
    in use as long as a request is open, such as a stream.
    """

    def __init__(
        self,
        journal: Journal,
        memory: Memory,
        draws: Draws,
        id: str,
        name: str | None,
        token: bytes,
        lifetime: float,
        now: float,
        shared: Sandbox | None = None,
        tenants: Tenants = ROOT_ALONE,
        named: Mapping[str, NamedTenant] | None = None,
    ) -> None:
        super().__init__(journal, memory, draws, shared, tenants)
        self.id = id
        self.name = name
        self.token = token
        self.lifetime = lifetime
        self.created = self.used = now
        self.named = named or {}
        # Each token, and whom it stands for.
        self._identities = [(one.token, Identity(one.id, name)) for name, one in self.named.items()]
        if not self._identities:
            self._identities = [(token, Identity(tenants.root, "sandbox"))]

    @property
    def weight(self) -> int:
        """The approximate size of the sandbox when it is empty, in bytes."""
        return _SANDBOX_WEIGHT + _TENANT_WEIGHT * len(self.named)

    def accepts(self, token: bytes) -> bool:
        """Return whether ``token`` is one of its tokens."""
        return any(compare_digest(known, token) for known, _ in self._identities)

    def identity(self, token: bytes) -> Identity:
        """Return who ``token``, which must be one of its tokens, stands for."""
        return next(identity for known, identity in self._identities if known == token)

    def expiry(self, now: float) -> float:
        """Return when it expires unless it is used again; if it is in use ``now``, the earliest such time."""
        return (now if self.open else self.used) + self.lifetime


class Sandboxes:
    """The default Sandbox, whose journal keeps ``count`` entries and ``size`` bytes, and those with tokens.

    ``memory`` limits their total size. With a ``seed``, each has repeatable random numbers of its own.
    ``tenants`` are those of the default one.
    """

    def __init__(
        self,
        random: Random,
        count: int,
        size: int,
        memory: Memory,
        seed: int | None = None,
        tenants: Tenants = ROOT_ALONE,
    ) -> None:
        self._random = random
        self._count = count
        self._seed = seed
        self.memory = memory
        self.default = Sandbox(Journal(count, size, memory), memory, self._draws("default"), None, tenants)
        self._sandboxes: dict[str, TokenSandbox] = {}
        self._names: dict[str, TokenSandbox] = {}
        self._keys: dict[bytes, TokenSandbox] = {}

    def __iter__(self) -> Iterator[TokenSandbox]:
        return iter(tuple(self._sandboxes.values()))

    def __len__(self) -> int:
        return len(self._sandboxes)

    def with_token(self, token: bytes, now: float) -> TokenSandbox | None:
        """Return the sandbox with this token, or None. Counts as a use of the sandbox."""
        if not token.startswith(_SANDBOX):
            return None
        sandbox = self._sandboxes.get(token[len(_SANDBOX) :].partition(b"-")[0].decode("latin-1"))
        if sandbox is None or not sandbox.accepts(token) or now >= sandbox.expiry(now):
            return None
        sandbox.used = now
        return sandbox

    def url_prefix(self, sandbox: TokenSandbox) -> str:
        """Create the beginning of URLs that lead to ``sandbox``, with or without its token, and return it."""
        key = b"%032x" % self._random.getrandbits(128)
        self._keys[key] = sandbox
        return (SANDBOX_URLS + key).decode()

    def at_url(self, url: bytes, now: float) -> tuple[TokenSandbox, bytes] | None:
        """Return the sandbox to which ``url`` leads, and the rest of it. Counts as a use of the sandbox."""
        key, slash, rest = url[len(SANDBOX_URLS) :].partition(b"/")
        sandbox = self._keys.get(key)
        if sandbox is None or not slash or now >= sandbox.expiry(now):
            return None
        sandbox.used = now
        return sandbox, slash + rest

    def stores(self, sandbox: Sandbox) -> "list[StubStore]":
        """Return the stub stores that serve the callers of ``sandbox``: its own, then the shared one."""
        both = (sandbox.stubs, None if sandbox is self.default else self.default.stubs)
        return [store for store in both if store is not None]

    def elsewhere(self, sandbox: Sandbox) -> int:
        """Return the number of requests in other sandboxes that may have been meant for ``sandbox``.

        For a TokenSandbox, count those in the default sandbox since its creation; for the default sandbox,
        those in all others.
        """
        if isinstance(sandbox, TokenSandbox):
            return sum(entry.time >= sandbox.created for entry in self.default.journal)
        return sum(len(sandbox.journal) for sandbox in self)

    def get(self, id: str) -> TokenSandbox | None:
        """Return the sandbox with this id, or None."""
        return self._sandboxes.get(id)

    def create(
        self,
        lifetime: float,
        now: float,
        name: str | None = None,
        tenants: Mapping[str, NewTenant] | None = None,
    ) -> TokenSandbox:
        """Create a sandbox that expires ``lifetime`` seconds after its last use.

        ``tenants`` is a tree of tenants by name; without it, there is one tenant. With a seed, its random
        numbers depend on its ``name``; without a name, on its id, and so on the order in which sandboxes are
        made. Raises Refused: 409 if another sandbox has this name, 429 if there are MAX_SANDBOXES. Raises
        Invalid if there is not enough memory.
        """
        if name is not None and name in self._names:
            self.expire(now)
            if name in self._names:
                raise Refused(409, "A sandbox has this name; delete it, or choose another name")
        if len(self._sandboxes) >= MAX_SANDBOXES:
            raise Refused(429, f"The limit of {MAX_SANDBOXES} sandboxes is reached; delete some")
        self.memory.check(_SANDBOX_WEIGHT + _TENANT_WEIGHT * len(tenants or ()))
        id = f"{self._random.getrandbits(64):016x}"
        journal = Journal(min(self._count, _COUNT), _SIZE, self.memory)
        draws = self._draws(f"id {id}" if name is None else f"name {name!r}")
        tree, named = self._tree(id, draws, tenants or {})
        token = next((one.token for one in named.values() if one.id == tree.root), None) or self._token(id)
        self._sandboxes[id] = sandbox = TokenSandbox(
            journal, self.memory, draws, id, name, token, lifetime, now, self.default, tree, named
        )
        if name is not None:
            self._names[name] = sandbox
        self.memory.keep("sandboxes", sandbox.weight)
        return sandbox

    def delete(self, id: str) -> None:
        """Delete the sandbox with this id and everything in it. Raises KeyError."""
        sandbox = self._sandboxes.pop(id)
        if sandbox.name is not None:
            del self._names[sandbox.name]
        for key in [key for key, one in self._keys.items() if one is sandbox]:
            del self._keys[key]
        sandbox.close()
        self.memory.keep("sandboxes", -sandbox.weight)

    def expire(self, now: float) -> None:
        """Delete the expired sandboxes."""
        for sandbox in self:
            if now >= sandbox.expiry(now):
                self.delete(sandbox.id)

    def next_expiry(self, now: float) -> float | None:
        """Return the earliest time at which a sandbox can expire, or None if there are none."""
        return min((sandbox.expiry(now) for sandbox in self), default=None)

    def _tree(
        self, id: str, draws: Draws, tenants: Mapping[str, NewTenant]
    ) -> tuple[Tenants, dict[str, NamedTenant]]:
        """Return the tree of ``tenants`` for the sandbox ``id``, and the ids and tokens by name."""
        if not tenants:
            return ROOT_ALONE, {}
        ids = {
            name: ROOT if one.parent is None else UUID(int=draws.bits("tenant", 128), version=4)
            for name, one in tenants.items()
        }
        tree = Tenants(
            Tenant(ids[name], None if one.parent is None else ids[one.parent], one.self_managed)
            for name, one in tenants.items()
        )
        return tree, {name: NamedTenant(ids[name], self._token(id)) for name in tenants}

    def _token(self, id: str) -> bytes:
        return _SANDBOX + f"{id}-{self._random.getrandbits(128):032x}".encode()

    def _draws(self, sandbox: str) -> Draws:
        return Draws(self._random) if self._seed is None else SeededDraws(self._seed, sandbox)


def is_sandbox_token(token: bytes) -> bool:
    """Return whether ``token`` is, or was, the token of a sandbox."""
    return token.startswith(_SANDBOX)
