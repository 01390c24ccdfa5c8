"""/__admin/report: the client's report card."""

from twisted.web.server import Request

from oagw.api.admin.node import AdminNode, recorded
from oagw.control.invalid import Invalid
from oagw.control.report.card import card, text
from oagw.web.body import query_pairs
from oagw.web.reply import Reply, json_reply

_TRUTH = {"true": True, "false": False}


class Report(AdminNode):
    """GET /__admin/report → 200 {"requests": count, "findings": [...], "notChecked": [{"rule", "reason"}]}.

    Parameters: ``retryDue=true`` (each answer that was cut had to be asked for again),
    ``streamsCancelled=true`` (the test cancelled every stream), ``format=text`` (or Accept: text/plain) for
    people. A finding is ``control.report.finding.Finding``.
    """

    def render_GET(self, request: Request) -> Reply:
        given = dict(query_pairs(request))
        space = recorded(request)
        found = card(
            space,
            retry_due=_truth(given, "retryDue"),
            streams_cancelled=_truth(given, "streamsCancelled"),
        )
        accept = (request.getHeader(b"accept") or b"").lower()
        wanted = given.get("format") or ("text" if accept.startswith(b"text/plain") else "json")
        if wanted not in ("json", "text"):
            raise Invalid("format", "format must be json or text")
        if wanted == "text":
            body = text(found, space).encode("utf-8", "replace")
            return Reply(200, body, {b"Content-Type": (b"text/plain; charset=utf-8",)})
        return json_reply(found)


def _truth(given: dict[str, str], name: str) -> bool:
    try:
        return _TRUTH[given.get(name, "false")]
    except KeyError:
        raise Invalid(name, f"{name} must be true or false") from None
