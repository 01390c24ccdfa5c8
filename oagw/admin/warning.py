"""The header field X-OAGW-Warning: a document was accepted, but cannot take effect at present."""

from collections.abc import Iterable
from itertools import islice

from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import sandbox_of_call
from oagw.model.redacted import known_to
from oagw.sandboxes import Sandbox
from oagw.stubs.never_acts import Aliases, why_stub, why_toxic
from oagw.stubs.stub import Stub
from oagw.toxics.toxic import Toxic
from oagw.web.exchange import entry_of
from oagw.web.reply import Reply

WARNING = b"X-OAGW-Warning"

# The largest number of warnings in a response, and of characters of each.
_MOST = 5
_LENGTH = 500

# The number of stubs of an import that are checked.
_LOOKED_AT = 200


def warned_of_stubs(reply: Reply, request: Request, stubs: Iterable[Stub], env: AdminEnv) -> Reply:
    """Return ``reply`` with a warning for each of the new ``stubs`` that cannot answer."""
    sandbox = sandbox_of_call(request)
    store, aliases = sandbox.stub_store(), aliases_of(sandbox, env)
    found = []
    for stub in islice(stubs, _LOOKED_AT):
        why = why_stub(stub, store, aliases)
        if why is not None:
            found.append(f"stub {stub.mapping.name or stub.id} cannot answer any request: {why}")
    return _warned(reply, request, found)


def warned_of_toxic(reply: Reply, request: Request, toxic: Toxic, env: AdminEnv) -> Reply:
    """Return ``reply`` with a warning if ``toxic`` cannot take effect."""
    why = why_toxic(toxic, aliases_of(sandbox_of_call(request), env))
    return _warned(reply, request, [] if why is None else [f"toxic {toxic.name} cannot act: {why}"])


def aliases_of(sandbox: Sandbox, env: AdminEnv) -> Aliases:
    """Return the aliases that exist for callers of ``sandbox``."""
    return Aliases(env.services, env.sandboxes.stores(sandbox))


def _warned(reply: Reply, request: Request, warnings: list[str]) -> Reply:
    if not warnings:
        return reply
    known = known_to(entry_of(request))
    told = warnings[:_MOST]
    if len(warnings) > _MOST:
        told[-1] = f"{len(warnings) - _MOST + 1} more cannot act"
    return reply._replace(headers={**reply.headers, WARNING: tuple(_line(known.masked(one)) for one in told)})


def _line(text: str) -> bytes:
    """Return ``text`` as the value of a header field: in ASCII, on one line."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain[:_LENGTH].encode("ascii", "backslashreplace")[: 2 * _LENGTH]
