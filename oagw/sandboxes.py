"""Sandboxes: what tests have of their own while they share a server.

The default Sandbox serves whoever calls with an ordinary token. A TokenSandbox has a token of its own; in the
gateway's terms, it is a tenant. Sandboxes finds the one that a request belongs to.
"""

from collections.abc import Iterator
from hmac import compare_digest
from random import Random
from typing import TYPE_CHECKING

from oagw.model.call import is_admin
from oagw.model.journal import Entry, Journal
from oagw.model.memory import Memory
from oagw.model.secret import bearer as bearer

if TYPE_CHECKING:
    from oagw.stubs.store import StubStore  # loaded when the first stub is made
    from oagw.toxics.toxic import Toxic

# What the tokens of sandboxes begin with.
_SANDBOX = b"sandbox-"

# The longest life of a sandbox, in seconds: a week.
MAX_LIFETIME = 604_800

# Sandboxes at a time, and what the journal of each is bounded by: entries, bytes.
MAX_SANDBOXES = 2_000
_COUNT, _SIZE = 1_000, 4 << 20

# What a sandbox takes that has nothing in it, in bytes, roughly.
_SANDBOX_WEIGHT = 4_000


class Sandbox:
    """The journal, the stubs and their states, and the toxics of those who call with the same token.

    ``stubs`` is None until it is needed. ``shared`` is the sandbox whose stubs its callers share. ``memory``
    counts what all of it takes.
    """

    def __init__(self, journal: Journal, memory: Memory, shared: "Sandbox | None" = None) -> None:
        self.journal = journal
        self.memory = memory
        self.stubs: StubStore | None = None
        self._shared = shared
        self.toxics: dict[str, Toxic] = {}
        self.open = 0  # requests that are not answered to their end
        self.used = 0.0  # when one last came or ended, in the clock's seconds

    def record(self, entry: Entry) -> None:
        """Keep ``entry`` in the journal, unless it is a call to the control plane."""
        if not is_admin(entry.url):
            self.journal.add(entry)

    def stub_store(self) -> "StubStore":
        """``stubs``, which are made if they were not needed before."""
        from oagw.stubs.store import StubStore

        if self.stubs is None:
            shared = None if self._shared is None else self._shared.stub_store()
            self.stubs = StubStore(self.memory, shared)
        return self.stubs

    def put_toxic(self, toxic: "Toxic") -> None:
        """Have ``toxic`` after the others, or in the place of the one with its name."""
        known = self.toxics.get(toxic.name)
        self.memory.keep("toxics", toxic.weight - (0 if known is None else known.weight))
        self.toxics[toxic.name] = toxic

    def remove_toxic(self, toxic: "Toxic") -> None:
        """Forget ``toxic``, which is one of these."""
        del self.toxics[toxic.name]
        self.memory.keep("toxics", -toxic.weight)

    def close(self) -> None:
        """Free all of it."""
        self.journal.close()
        if self.stubs is not None:
            self.stubs.clear()
        for toxic in list(self.toxics.values()):
            self.remove_toxic(toxic)


class TokenSandbox(Sandbox):
    """A Sandbox that is called with ``token``; it goes away ``lifetime`` seconds after its last use.

    A request that is being answered, such as an open stream, is a use.
    """

    def __init__(
        self,
        journal: Journal,
        memory: Memory,
        id: str,
        token: bytes,
        lifetime: float,
        now: float,
        shared: Sandbox | None = None,
    ) -> None:
        super().__init__(journal, memory, shared)
        self.id = id
        self.token = token
        self.lifetime = lifetime
        self.created = self.used = now

    def expiry(self, now: float) -> float:
        """When it goes away, unless it is used before; if it is in use ``now``, not before that time."""
        return (now if self.open else self.used) + self.lifetime


class TooManySandboxes(Exception):
    """There are MAX_SANDBOXES."""


class Sandboxes:
    """The default Sandbox, whose journal keeps ``count`` entries and ``size`` bytes, and the sandboxes.

    ``memory`` bounds what all of them take together.
    """

    def __init__(self, random: Random, count: int, size: int, memory: Memory) -> None:
        self._random = random
        self._count = count
        self.memory = memory
        self.default = Sandbox(Journal(count, size, memory), memory)
        self._sandboxes: dict[str, TokenSandbox] = {}

    def __iter__(self) -> Iterator[TokenSandbox]:
        return iter(tuple(self._sandboxes.values()))

    def __len__(self) -> int:
        return len(self._sandboxes)

    def with_token(self, token: bytes, now: float) -> TokenSandbox | None:
        """The sandbox with this token; asking for it counts as a use of it."""
        if not token.startswith(_SANDBOX):
            return None
        sandbox = self._sandboxes.get(token[len(_SANDBOX) :].partition(b"-")[0].decode("latin-1"))
        if sandbox is None or not compare_digest(sandbox.token, token) or now >= sandbox.expiry(now):
            return None
        sandbox.used = now
        return sandbox

    def stores(self, sandbox: Sandbox) -> "list[StubStore]":
        """The stubs that callers of ``sandbox`` get answers of: its own, then those that all share."""
        both = (sandbox.stubs, None if sandbox is self.default else self.default.stubs)
        return [store for store in both if store is not None]

    def elsewhere(self, sandbox: Sandbox) -> int:
        """How many requests came in other sandboxes that may have been meant for ``sandbox``.

        For a sandbox, those in the default sandbox since it was made; for that, those in all sandboxes.
        """
        if isinstance(sandbox, TokenSandbox):
            return sum(entry.time >= sandbox.created for entry in self.default.journal)
        return sum(len(sandbox.journal) for sandbox in self)

    def get(self, id: str) -> TokenSandbox | None:
        """The sandbox with this id."""
        return self._sandboxes.get(id)

    def create(self, lifetime: float, now: float) -> TokenSandbox:
        """A new sandbox that goes away ``lifetime`` seconds after its last use.

        Raises TooManySandboxes, or Invalid where there is no memory for it.
        """
        if len(self._sandboxes) >= MAX_SANDBOXES:
            raise TooManySandboxes
        self.memory.check(_SANDBOX_WEIGHT)
        id = f"{self._random.getrandbits(64):016x}"
        token = _SANDBOX + f"{id}-{self._random.getrandbits(128):032x}".encode()
        journal = Journal(min(self._count, _COUNT), _SIZE, self.memory)
        self._sandboxes[id] = sandbox = TokenSandbox(
            journal, self.memory, id, token, lifetime, now, self.default
        )
        self.memory.keep("sandboxes", _SANDBOX_WEIGHT)
        return sandbox

    def delete(self, id: str) -> None:
        """Free the sandbox with this id and all it has; raises KeyError."""
        self._sandboxes.pop(id).close()
        self.memory.keep("sandboxes", -_SANDBOX_WEIGHT)

    def expire(self, now: float) -> None:
        """Free the sandboxes that are past their time."""
        for sandbox in self:
            if now >= sandbox.expiry(now):
                self.delete(sandbox.id)

    def next_expiry(self, now: float) -> float | None:
        """When the first of them will be past its time, at the earliest; None without any."""
        return min((sandbox.expiry(now) for sandbox in self), default=None)


def is_sandbox_token(token: bytes) -> bool:
    """Whether ``token`` is, or was, that of a sandbox."""
    return token.startswith(_SANDBOX)
