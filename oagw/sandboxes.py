"""Sandboxes isolate tests that share a server.

The default Sandbox serves callers with an ordinary token. A TokenSandbox has its own token; to the gateway,
it is a tenant. Sandboxes finds the sandbox of a request.
"""

from collections.abc import Iterator
from hmac import compare_digest
from random import Random
from typing import TYPE_CHECKING

from oagw.model.call import is_admin
from oagw.model.draws import Draws, SeededDraws
from oagw.model.entry import Entry
from oagw.model.journal import Journal
from oagw.model.memory import Memory
from oagw.model.refused import Refused

if TYPE_CHECKING:
    from oagw.stubs.store import StubStore  # loaded when the first stub is made
    from oagw.toxics.toxic import Toxic

# The prefix of the tokens of sandboxes.
_SANDBOX = b"sandbox-"

# The longest lifetime of a sandbox, in seconds: a week.
MAX_LIFETIME = 604_800

# The largest number of sandboxes, and the limits of the journal of each: entries, bytes.
MAX_SANDBOXES = 2_000
_COUNT, _SIZE = 1_000, 4 << 20

# The approximate size of an empty sandbox, in bytes.
_SANDBOX_WEIGHT = 4_000


class Sandbox:
    """The journal, the stubs with their states, and the toxics of the callers that use the same token.

    ``stubs`` is None until it is needed. The stubs of the sandbox ``shared`` also serve its callers.
    ``memory`` counts the size of everything in it, ``draws`` are its random numbers.
    """

    def __init__(
        self, journal: Journal, memory: Memory, draws: Draws, shared: "Sandbox | None" = None
    ) -> None:
        self.journal = journal
        self.memory = memory
        self.draws = draws
        self.stubs: StubStore | None = None
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
        for toxic in list(self.toxics.values()):
            self.remove_toxic(toxic)


class TokenSandbox(Sandbox):
    """A Sandbox for calls with ``token``. It expires ``lifetime`` seconds after its last use.

    ``name`` is None if it has none. It is in use as long as a request is open, such as a stream.
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
    ) -> None:
        super().__init__(journal, memory, draws, shared)
        self.id = id
        self.name = name
        self.token = token
        self.lifetime = lifetime
        self.created = self.used = now

    def expiry(self, now: float) -> float:
        """Return when it expires unless it is used again; if it is in use ``now``, the earliest such time."""
        return (now if self.open else self.used) + self.lifetime


class Sandboxes:
    """The default Sandbox, whose journal keeps ``count`` entries and ``size`` bytes, and those with tokens.

    ``memory`` limits their total size. With a ``seed``, each has repeatable random numbers of its own.
    """

    def __init__(
        self, random: Random, count: int, size: int, memory: Memory, seed: int | None = None
    ) -> None:
        self._random = random
        self._count = count
        self._seed = seed
        self.memory = memory
        self.default = Sandbox(Journal(count, size, memory), memory, self._draws("default"))
        self._sandboxes: dict[str, TokenSandbox] = {}
        self._names: dict[str, TokenSandbox] = {}

    def __iter__(self) -> Iterator[TokenSandbox]:
        return iter(tuple(self._sandboxes.values()))

    def __len__(self) -> int:
        return len(self._sandboxes)

    def with_token(self, token: bytes, now: float) -> TokenSandbox | None:
        """Return the sandbox with this token, or None. Counts as a use of the sandbox."""
        if not token.startswith(_SANDBOX):
            return None
        sandbox = self._sandboxes.get(token[len(_SANDBOX) :].partition(b"-")[0].decode("latin-1"))
        if sandbox is None or not compare_digest(sandbox.token, token) or now >= sandbox.expiry(now):
            return None
        sandbox.used = now
        return sandbox

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

    def create(self, lifetime: float, now: float, name: str | None = None) -> TokenSandbox:
        """Create a sandbox that expires ``lifetime`` seconds after its last use.

        With a seed, its random numbers depend on its ``name``; without a name, on its id, and so on the order
        in which sandboxes are made. Raises Refused: 409 if another sandbox has this name, 429 if there are
        MAX_SANDBOXES. Raises Invalid if there is not enough memory.
        """
        if name is not None and name in self._names:
            self.expire(now)
            if name in self._names:
                raise Refused(409, "A sandbox has this name; delete it, or choose another name")
        if len(self._sandboxes) >= MAX_SANDBOXES:
            raise Refused(429, f"The limit of {MAX_SANDBOXES} sandboxes is reached; delete some")
        self.memory.check(_SANDBOX_WEIGHT)
        id = f"{self._random.getrandbits(64):016x}"
        token = _SANDBOX + f"{id}-{self._random.getrandbits(128):032x}".encode()
        journal = Journal(min(self._count, _COUNT), _SIZE, self.memory)
        draws = self._draws(f"id {id}" if name is None else f"name {name!r}")
        self._sandboxes[id] = sandbox = TokenSandbox(
            journal, self.memory, draws, id, name, token, lifetime, now, self.default
        )
        if name is not None:
            self._names[name] = sandbox
        self.memory.keep("sandboxes", _SANDBOX_WEIGHT)
        return sandbox

    def delete(self, id: str) -> None:
        """Delete the sandbox with this id and everything in it. Raises KeyError."""
        sandbox = self._sandboxes.pop(id)
        if sandbox.name is not None:
            del self._names[sandbox.name]
        sandbox.close()
        self.memory.keep("sandboxes", -_SANDBOX_WEIGHT)

    def expire(self, now: float) -> None:
        """Delete the expired sandboxes."""
        for sandbox in self:
            if now >= sandbox.expiry(now):
                self.delete(sandbox.id)

    def next_expiry(self, now: float) -> float | None:
        """Return the earliest time at which a sandbox can expire, or None if there are none."""
        return min((sandbox.expiry(now) for sandbox in self), default=None)

    def _draws(self, sandbox: str) -> Draws:
        return Draws(self._random) if self._seed is None else SeededDraws(self._seed, sandbox)


def is_sandbox_token(token: bytes) -> bool:
    """Return whether ``token`` is, or was, the token of a sandbox."""
    return token.startswith(_SANDBOX)
