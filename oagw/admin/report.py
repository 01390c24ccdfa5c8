"""/__admin/report: the client's report card."""

from typing import ClassVar, Literal

from msgspec import Struct
from twisted.web.server import Request

from oagw.admin.node import AdminNode, asked, recorded
from oagw.admin.warning import aliases_of
from oagw.verify.report.card import Card, card, text
from oagw.verify.report.unused import unused
from oagw.web.reply import Reply, json_reply


class ReportQuery(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the test knows of its client, and whether the card is for people."""

    retry_due: bool = False
    streams_cancelled: bool = False
    format: Literal["json", "text"] | None = None


class Report(AdminNode):
    """GET /__admin/report → 200 {"requests", "findings", "notChecked", "unused", "unusedCount"}.

    ``requests`` is how many there were. A finding is ``verify.report.finding.Finding``. ``notChecked`` has
    rules, each with the ``reason`` why it was not looked at. ``unused`` lists stubs that matched no request
    and toxics that acted on no answer, which are no findings, ``unusedCount`` says how many there are in all.

    Parameters: ``retryDue=true`` (each answer that was cut had to be asked for again),
    ``streamsCancelled=true`` (the test cancelled every stream), ``format=text`` (or Accept: text/plain) for
    people.
    """

    query = ReportQuery
    answers: ClassVar = {"GET": {200: (Card, str)}}
    refuses = (409,)

    def render_GET(self, request: Request) -> Reply:
        wanted = asked(request, self.query)
        sandbox = recorded(request)
        found = card(
            sandbox,
            retry_due=wanted.retry_due,
            streams_cancelled=wanted.streams_cancelled,
            unused=unused(sandbox, self.env.sandboxes, aliases_of(sandbox, self.env)),
        )
        accept = (request.getHeader(b"accept") or b"").lower()
        format = wanted.format or ("text" if accept.startswith(b"text/plain") else "json")
        if format == "text":
            body = text(found, sandbox).encode("utf-8", "replace")
            return Reply(200, body, {b"Content-Type": (b"text/plain; charset=utf-8",)})
        return json_reply(found)
