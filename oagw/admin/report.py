"""/__admin/report: the report on the client."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_query, recorded
from oagw.admin.requests import read_date
from oagw.admin.verify import no_requests
from oagw.admin.warning import aliases_of
from oagw.sandboxes import Sandbox, TokenSandbox
from oagw.stubs.ineffective import why_stub_cannot_answer, why_toxic_cannot_act
from oagw.timing.slices import SlicedWork
from oagw.verify.explanation import pattern_text
from oagw.verify.report.build import ClientReport, build_report, text
from oagw.verify.report.unmatched import unmatched
from oagw.verify.report.unused import Unused, unused_stub, unused_toxic
from oagw.web.reply import Reply, json_reply


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the test knows about its client, and the format of the report."""

    retry_due: bool = False
    streams_cancelled: bool = False
    format: Literal["json", "text"] | None = None
    since: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None = None


class Report(AdminNode):
    """GET /__admin/report → 200 {"requests", "findings", "notChecked", "unused", "unusedCount", "unmatched"}.

    ``requests`` is the number of requests. A finding is ``verify.report.finding.Finding``. ``notChecked`` has
    the rules that were not checked, each with the ``reason``. ``unused`` lists stubs that matched no request
    and toxics that affected no response, which are not findings; ``unusedCount`` is their total number.
    ``unmatched`` lists requests that nothing could answer, with the nearest stub. The text ends with the last
    requests.

    Parameters: ``retryDue=true`` (the client had to retry every truncated response),
    ``streamsCancelled=true`` (the test cancelled every stream), ``since`` (an ISO 8601 date: requests that
    came then or later), ``format=text`` (or Accept: text/plain) for a readable report.
    """

    query = ReportQuery
    answers: ClassVar = {"GET": {200: (ClientReport, str)}}
    refuses = (409,)

    def render_GET(self, request: Request) -> "Deferred[Reply]":
        return self.later(request, self._report(request, read_query(request, self.query), recorded(request)))

    async def _report(self, request: Request, query: ReportQuery, sandbox: Sandbox) -> Reply:
        work = SlicedWork(self.env.slices)
        stubs = [stub for store in self.env.sandboxes.stores(sandbox) for stub in store]
        since = None if query.since is None else read_date(query.since)
        entries = [entry for entry in sandbox.journal if since is None or entry.date >= since]
        found = await build_report(
            entries,
            work,
            sandbox.token if isinstance(sandbox, TokenSandbox) else None,
            retry_due=query.retry_due,
            streams_cancelled=query.streams_cancelled,
            unused=_unused(sandbox, self.env),
            unmatched=await unmatched(entries, stubs, work),
        )
        accept = (request.getHeader(b"accept") or b"").lower()
        format = query.format or ("text" if accept.startswith(b"text/plain") else "json")
        if format == "text":
            body = text(found, entries, no_requests(sandbox, self.env.sandboxes)).encode("utf-8", "replace")
            return Reply(200, body, {b"Content-Type": (b"text/plain; charset=utf-8",)})
        return json_reply(found)


def _unused(sandbox: Sandbox, env: AdminEnv) -> Iterator[Unused]:
    """Yield the stubs and toxics of ``sandbox`` that had no effect. Shared stubs serve all sandboxes."""
    aliases = aliases_of(sandbox, env)
    store = sandbox.stub_store()
    for stub in store:
        if not store.has_answered(stub):
            why = why_stub_cannot_answer(stub, store, aliases)
            yield unused_stub(stub.id, stub.mapping.name or None, why, pattern_text(stub.pattern))
    for toxic in sandbox.toxics.values():
        if not toxic.acted:
            yield unused_toxic(toxic.name, why_toxic_cannot_act(toxic, aliases))
