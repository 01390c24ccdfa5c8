"""The httpstatus service: answers with the status that the path names."""

from twisted.internet.defer import Deferred
from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.services._parameters import Parameters
from oagw.web.deliver import Answer
from oagw.web.reply import UPSTREAM, Reply

_MIB = 1 << 20
_MOST_FIELDS = 100


class HttpStatuses(UpstreamNode):
    """Has a child for each status."""

    paths = ("ANY /{status}",)

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def getChild(self, path: bytes, request: Request) -> IResource:
        text = path.decode("latin-1")
        if len(text) == 3 and text.isdecimal() and text.isascii() and 200 <= int(text) <= 599:
            return HttpStatus(self._env, int(text))
        return super().getChild(path, request)


class HttpStatus(UpstreamNode):
    """/{status} → that status, 200 to 599, for any method. The body is empty.

    - ``header``: a field of the response, ``Name: value``; may be repeated
    - ``size``: the number of bytes of the body; 64 MiB at most
    - ``delay``: seconds until the response is sent; an hour at most

    400 for an invalid parameter, 404 for another path.
    """

    def __init__(self, env: Env, status: int) -> None:
        super().__init__()
        self._env = env
        self._status = status

    def render_GET(self, request: Request) -> Answer:
        given = Parameters(request, repeated=("header",))
        size = given.integer("size", 0, 64 * _MIB, 0)
        delay = given.seconds("delay", 3600.0, 0.0)
        fields: dict[bytes, tuple[bytes, ...]] = {b"Content-Type": (b"text/plain",)} if size else {}
        for text in given.all("header"):
            name, colon, value = text.partition(":")
            if not colon or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
                given.refuse("header", f"must be 'Name: value', got {text[:40]!r}")
            if len(fields) >= _MOST_FIELDS or "\n" in value or "\r" in value or len(text) > 8192:
                given.refuse("header", "is too long, has a line end, or occurs too often")
            key = name.title().encode()
            fields[key] = (*fields.get(key, ()), value.strip().encode())
        given.refuse_others()
        reply = Reply(self._status, b"x" * size, fields, UPSTREAM)
        return self._delayed(request, reply, delay) if delay else reply

    render_POST = render_PUT = render_PATCH = render_DELETE = render_GET

    def _delayed(self, request: Request, reply: Reply, delay: float) -> "Deferred[Answer]":
        answer: Deferred[Answer] = Deferred()
        call = self._env.clock.callLater(delay, answer.callback, reply)

        def leave(_: object) -> None:
            if call.active():
                call.cancel()

        request.notifyFinish().addErrback(leave)
        return answer


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the httpstatus service."""
    return HttpStatuses(env)
