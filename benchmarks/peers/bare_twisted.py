"""A bare twisted.web site with the same responses: ``python bare_twisted.py PORT``. No token, no checks.

It is written as in Twisted's documentation, with two exceptions that make the comparison fair: like the
gateway, it writes no access log, and it has the same backlog.
"""

import json
import sys

from answers import EVENTS, HEALTH, OCTOCAT, TICK, completion
from twisted.internet import reactor
from twisted.internet.task import LoopingCall
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

BACKLOG = 4096


class Document(Resource):
    """GET: a JSON document."""

    isLeaf = True

    def __init__(self, document):
        super().__init__()
        self._body = json.dumps(document, separators=(",", ":")).encode()

    def render_GET(self, request):
        request.setHeader(b"content-type", b"application/json")
        return self._body


class Chat(Resource):
    """POST: a chat completion."""

    isLeaf = True

    def render_POST(self, request):
        chat = json.loads(request.content.read())
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(completion(chat), separators=(",", ":")).encode()


class Events(Resource):
    """GET ?interval=SECONDS: the four events, by default 0.1 s apart."""

    isLeaf = True

    def render_GET(self, request):
        interval = float(request.args.get(b"interval", [b"0.1"])[0])
        return stream(request, iter(EVENTS), interval)


class Ticks(Resource):
    """GET ?n=COUNT: this number of events, 0.1 s apart."""

    isLeaf = True

    def render_GET(self, request):
        return stream(request, iter([TICK] * int(request.args[b"n"][0])), 0.1)


def stream(request, events, interval):
    """Answer ``request`` with ``events``, ``interval`` seconds apart."""
    request.setHeader(b"content-type", b"text/event-stream")
    request.setHeader(b"cache-control", b"no-cache")

    def tick():
        event = next(events, None)
        if event is None:
            loop.stop()
            request.finish()
        else:
            request.write(event)

    def gone(_):
        if loop.running:
            loop.stop()

    loop = LoopingCall(tick)
    request.notifyFinish().addErrback(gone)
    loop.start(interval)
    return NOT_DONE_YET


def main():
    root = Resource()
    root.putChild(b"health", Document(HEALTH))
    root.putChild(b"octocat", Document(OCTOCAT))
    root.putChild(b"chat", Chat())
    root.putChild(b"events", Events())
    root.putChild(b"ticks", Ticks())
    site = Site(root)
    site.log = lambda request: None
    port = reactor.listenTCP(int(sys.argv[1]), site, backlog=BACKLOG, interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
