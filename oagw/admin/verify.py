"""/__admin/verify: check whether the client sent what a test expects."""

from typing import ClassVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.error import Errors
from oagw.admin.node import AdminNode, read_document, recorded
from oagw.admin.shapes import NotVerified, Verified
from oagw.sandboxes import Sandbox, Sandboxes, TokenSandbox
from oagw.timing.slices import SlicedWork
from oagw.verify.explanation import differences, explain
from oagw.verify.reaction import Reaction
from oagw.verify.search import near_requests
from oagw.verify.verification import Verification, verify
from oagw.web.reply import Reply, json_reply


class Verify(AdminNode):
    """POST /__admin/verify with a ``verify.verification.Verification`` → 200, or 409 if it fails.

    200 {"verified": true, "count", "requests": [ids]}. 409 also has ``expected`` in words, ``text`` (an
    assertion message), ``nearMisses`` (WireMock's), ``differences`` (the fields in which those differ), and
    ``tooSoon`` and ``tooLate`` (mistimed requests, with the time in seconds).
    """

    takes = msgspec.json.Decoder(Verification)
    answers: ClassVar = {"POST": {200: Verified, 409: (NotVerified, Errors)}}

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        return self.later(request, self._verify(read_document(request, self.takes), recorded(request)))

    async def _verify(self, spec: Verification, sandbox: Sandbox) -> Reply:
        work = SlicedWork(self.env.slices)
        outcome = await verify(spec, sandbox.journal, work)
        result = {
            "verified": outcome.verified,
            "count": len(outcome.counted),
            "requests": [entry.id for entry in outcome.counted],
        }
        if outcome.verified:
            return json_reply(result)
        near_misses = []
        for one in near_requests(outcome.near, spec.request):
            await work.breathe()
            near_misses.append(one)
        await work.breathe()
        text = explain(outcome, _none(sandbox, self.env.sandboxes))
        await work.breathe()
        details = {
            "expected": spec.expected,
            "text": text,
            "nearMisses": near_misses,
            "differences": differences(outcome),
            "tooSoon": [_mistimed(one) for one in outcome.too_soon],
            "tooLate": [_mistimed(one) for one in outcome.too_late],
        }
        return json_reply({**result, **details}, 409)


def _none(sandbox: Sandbox, sandboxes: Sandboxes) -> str:
    """Say that ``sandbox`` had no requests, and whether they may have come with the wrong token."""
    count = sandboxes.elsewhere(sandbox)
    if not count:
        return "No requests were received."
    if isinstance(sandbox, TokenSandbox):
        return (
            f"No requests were received with this sandbox's token, but {count} in the default sandbox: "
            "does the client send the sandbox's token?"
        )
    return (
        f"No requests were received in the default sandbox, but {count} in others: "
        "does the test verify with the sandbox's token?"
    )


def _mistimed(one: Reaction) -> dict[str, str | float]:
    return {"request": one.entry.id, "after": one.before.id, "seconds": round(one.seconds, 6)}
