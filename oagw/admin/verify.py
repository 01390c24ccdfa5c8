"""/__admin/verify: check whether the client sent what a test expects."""

from typing import ClassVar

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.error import Errors
from oagw.admin.node import AdminNode, read_document, recorded
from oagw.admin.shapes import NotVerified, Verified
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.sandboxes import Sandbox, Sandboxes, TokenSandbox
from oagw.timing.slices import SlicedWork
from oagw.verify.explanation import differences, explain
from oagw.verify.reaction import Reaction
from oagw.verify.search import near_requests
from oagw.verify.verification import MAX_WAIT, Verification, Verifier
from oagw.web.reply import Reply, json_reply


class Verify(AdminNode):
    """POST /__admin/verify with a ``verify.verification.Verification`` → 200, or 409 if it fails.

    200 {"verified": true, "count", "requests": [ids]}. 409 also has ``expected`` in words, ``text`` (an
    assertion message), ``nearMisses`` (WireMock's), ``differences`` (the fields in which those differ), and
    ``tooSoon`` and ``tooLate`` (mistimed requests, with the time in seconds).

    With ``within``, the answer comes as soon as the expected requests have come, or cannot come any more, and
    at the latest after so many seconds of the clock and MAX_WAIT seconds of real time. An expectation of no
    request (``times`` 0), or with ``atMost``, is answered with 200 only at the end of that time. 429 if
    MAX_WAITS calls wait already; 503 if the server stops meanwhile.
    """

    takes = msgspec.json.Decoder(Verification)
    answers: ClassVar = {"POST": {200: Verified, 409: (NotVerified, Errors)}}
    refuses = (429, 503)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        spec, sandbox = read_document(request, self.takes), recorded(request)
        return self.later(request, self._verify(spec, sandbox))

    async def _verify(self, spec: Verification, sandbox: Sandbox) -> Reply:
        verifier = Verifier(spec)
        in_time = await self._wait(spec, verifier, sandbox) if spec.within else True
        work = SlicedWork(self.env.slices)
        outcome = await verifier.outcome(sandbox.journal, work)
        if outcome.verified and spec.must_last and not in_time:
            raise Refused(409, _stood_still(spec))
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
        text = explain(outcome, no_requests(sandbox, self.env.sandboxes))
        if not in_time:
            text += f"\n\n{_stood_still(spec)}"
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

    async def _wait(self, spec: Verification, verifier: Verifier, sandbox: Sandbox) -> bool:
        """Wait until ``spec`` is verified or hopeless, or its time is over.

        Return False if a manual clock did not advance enough for that.
        """
        assert spec.within is not None
        waits = self.env.waits
        if not waits.is_manual and spec.within > MAX_WAIT:
            raise Invalid("/within", f"A verification waits for {MAX_WAIT:g} seconds at most")
        with waits.wait(sandbox.journal, spec.within) as wait:
            while not wait.over:
                work = SlicedWork(self.env.slices)
                outcome = await verifier.outcome(sandbox.journal, work, near=False)
                if outcome.hopeless or (outcome.verified and not spec.must_last):
                    break
                await wait.change(work.spent)
        return not wait.out_of_real_time


def no_requests(sandbox: Sandbox, sandboxes: Sandboxes) -> str:
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


def _stood_still(spec: Verification) -> str:
    return f"The manual clock did not advance by {spec.within:g} s within {MAX_WAIT:g} s of real time."


def _mistimed(one: Reaction) -> dict[str, str | float]:
    return {"request": one.entry.id, "after": one.before.id, "seconds": round(one.seconds, 6)}
