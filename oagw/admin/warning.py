"""The header field X-OAGW-Warning: a document was accepted, but cannot take effect at present."""

from collections.abc import Iterable
from itertools import islice

from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import sandbox_of_call
from oagw.model.redacted import known_secrets
from oagw.sandboxes import Sandbox
from oagw.stubs.ineffective import Aliases, why_stub_cannot_answer, why_toxic_cannot_act
from oagw.stubs.stub import Stub
from oagw.toxics.toxic import Toxic
from oagw.web.exchange import entry_of
from oagw.web.reply import Reply, field_value

WARNING = b"X-OAGW-Warning"

# The largest number of warnings in a response.
_MAX_WARNINGS = 5

# The largest number of stubs of an import that are checked.
_MAX_CHECKED = 200


def warned_of_stubs(reply: Reply, request: Request, stubs: Iterable[Stub], env: AdminEnv) -> Reply:
    """Return ``reply`` with a warning for each of the new ``stubs`` that cannot answer."""
    sandbox = sandbox_of_call(request)
    store, aliases = sandbox.stub_store(), aliases_of(sandbox, env)
    warnings = []
    for stub in islice(stubs, _MAX_CHECKED):
        why = why_stub_cannot_answer(stub, store, aliases)
        if why is not None:
            warnings.append(f"stub {stub.mapping.name or stub.id} cannot answer any request: {why}")
    return _warned(reply, request, warnings)


def warned_of_toxic(reply: Reply, request: Request, toxic: Toxic, env: AdminEnv) -> Reply:
    """Return ``reply`` with a warning if ``toxic`` cannot take effect."""
    why = why_toxic_cannot_act(toxic, aliases_of(sandbox_of_call(request), env))
    return _warned(reply, request, [] if why is None else [f"toxic {toxic.name} cannot act: {why}"])


def aliases_of(sandbox: Sandbox, env: AdminEnv) -> Aliases:
    """Return the aliases that exist for callers of ``sandbox``."""
    upstreams = () if sandbox.registry is None else sandbox.registry.all_aliases
    return Aliases(env.services, env.sandboxes.stores(sandbox), upstreams)


def _warned(reply: Reply, request: Request, warnings: list[str]) -> Reply:
    if not warnings:
        return reply
    known = known_secrets(entry_of(request))
    told = warnings[:_MAX_WARNINGS]
    if len(warnings) > _MAX_WARNINGS:
        told[-1] = f"{len(warnings) - _MAX_WARNINGS + 1} more cannot act"
    lines = tuple(field_value(known.masked(one)) for one in told)
    return reply._replace(headers={**reply.headers, WARNING: lines})
