"""The echo service: answers with the request as it reached the upstream."""

from base64 import b64encode
from typing import Any

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.web.exchange import entry_of
from oagw.web.reply import UPSTREAM, Reply, json_reply


class Echo(UpstreamNode):
    """Any path → 200 {"method", "path", "query", "headers", "body"}.

    ``path`` is that below the alias, ``query`` as it was sent, ``headers`` a list of pairs with names in
    lower case. A body that is not UTF-8 is in ``body_base64`` instead of ``body``. The token of the caller is
    left out: the gateway forwards it to no upstream.
    """

    paths = ("ANY /{path}",)

    def getChild(self, path: bytes, request: Request) -> IResource:
        return self

    def render_GET(self, request: Request) -> Reply:
        assert request.content is not None
        body = request.content.getvalue()
        sent = entry_of(request).call().headers.get("authorization", [])
        headers = [
            [name.decode("latin-1").lower(), value.decode("latin-1")]
            for name, values in request.requestHeaders.getAllRawHeaders()
            for value in values
            if name.lower() != b"authorization" or value.decode("latin-1") not in sent
        ]
        echo: dict[str, Any] = {
            "method": request.method.decode("latin-1"),
            "path": _path(request),
            "query": request.uri.partition(b"?")[2].decode("latin-1"),
            "headers": headers,
        }
        try:
            echo["body"] = body.decode()
        except UnicodeDecodeError:
            echo["body_base64"] = b64encode(body).decode()
        return json_reply(echo, source=UPSTREAM)

    render_POST = render_PUT = render_PATCH = render_DELETE = render_GET


def _path(request: Request) -> str:
    """Return the path below the alias, as it was sent."""
    assert request.prepath is not None
    segments = request.path.split(b"/")
    return "/" + b"/".join(segments[segments.index(b"proxy") + 2 :]).decode("latin-1")


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the echo service."""
    return Echo()
