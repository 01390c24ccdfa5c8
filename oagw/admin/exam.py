"""/__admin/exam: situations for clients, and verdicts on what they did."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.mappings import make_stub
from oagw.admin.node import AdminNode, read_document, read_query, recorded
from oagw.admin.sandboxes import remove_sandbox
from oagw.exam.catalogue import SITUATIONS
from oagw.exam.explanation import explained
from oagw.exam.judging import JudgedRule, judge
from oagw.exam.selection import UnknownSituation, selected
from oagw.exam.situation import BASE, OTHER, PROXY, CallReport, Evidence, Kind, RuleSource, Situation
from oagw.exam.verdict import FAILED, Verdict
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.sandboxes import TokenSandbox
from oagw.stubs.mapping import StubMapping
from oagw.timing.manual_clock import ManualClock
from oagw.toxics.toxic import Toxic, ToxicDocument
from oagw.verify.serve_event import serve_event
from oagw.web.reply import Reply, json_reply

# An examination expires so many seconds after its last request.
_LIFETIME = 120.0

# The largest number of requests that a verdict shows.
_MAX_REQUESTS = 50

# The size of a report up to which it is formatted to be shown, in bytes.
_MAX_REPORT = 65_536

# The largest number of names, groups and patterns that select situations.
_MAX_NAMES = 200

# Outcomes whose report needs the member of the same name.
_WITH_MEMBER = ("value", "text", "error")

# Hosts that lead to this server, each with another one that does.
_OTHER_HOST = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


class ShownSituation(Struct, frozen=True):
    """A situation, without its rules; ``calls`` is the number of calls, ``deadline`` in seconds."""

    name: str
    group: str
    kind: Kind
    happens: str
    correct: str
    source: RuleSource
    legitimate: str
    calls: int
    deadline: float


class Catalogue(Struct, frozen=True):
    """The situations of the exam."""

    situations: list[ShownSituation]


class ShownCall(Struct, frozen=True):
    """A call that the client has to make, as adapters read it. ``timeout`` is in seconds."""

    id: str
    kind: Kind
    url: str
    base_url: str
    path: str
    token: str
    method: str
    headers: dict[str, str]
    body: Any
    timeout: float
    retries: int
    cancel_after: int | None


class Examined(Struct, frozen=True):
    """An examination: the calls to make, in turn or ``at_once``, ``stagger`` seconds apart.

    A client that has not returned ``deadline`` seconds after a call did not return.
    """

    id: str
    name: str
    kind: Kind
    deadline: float
    at_once: bool
    stagger: float
    calls: list[ShownCall]


class Reports(Struct, frozen=True, forbid_unknown_fields=True):
    """What the client got from each call, in the order of the calls."""

    reports: Annotated[list[CallReport], Meta(min_length=1, max_length=100)]


class ShownVerdict(Struct, frozen=True):
    """The verdict, why, that of each rule, and the requests of the client.

    If the client failed, ``explanation`` has lines for people: what is correct, and the evidence.
    """

    name: str
    group: str
    verdict: Verdict
    text: str
    rules: list[JudgedRule]
    requests: list[Any]
    explanation: str | UnsetType = UNSET


class ExamQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which situations to list."""

    only: Annotated[str, Meta(max_length=4_000)] = ""


class Exam(AdminNode):
    """GET /__admin/exam → 200 {"situations": [...]}: what happens to a client, and what it should do.

    Parameter: ``only``, the names, groups or patterns such as ``retry-*`` to list, with commas between them.
    404 if one of them selects nothing.
    """

    query = ExamQuery
    refuses = (404,)
    answers: ClassVar = {"GET": {200: Catalogue}}
    parameter = "name"

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(env)
        self._examinations: dict[str, Situation] = {}

    def child(self, segment: str) -> AdminNode:
        return OneSituation(self.env, segment, self._examinations)

    def render_GET(self, request: Request) -> Reply:
        only = read_query(request, self.query).only
        if only.count(",") >= _MAX_NAMES:
            raise Refused(400, f"Expected at most {_MAX_NAMES} names", field="only")
        catalogue = [{"name": one.name, "group": one.group} for one in SITUATIONS.values()]
        try:
            found = selected(catalogue, [only])
        except UnknownSituation as unknown:
            raise Refused(404, str(unknown), field="only") from None
        return json_reply({"situations": [_shown(SITUATIONS[one["name"]]) for one in found]})


class OneSituation(AdminNode):
    """GET /__admin/exam/{name} → 200, the situation; POST → 201: prepare it, and return the calls to make.

    It is prepared in a sandbox of its own, to which the URLs of the calls lead, with or without the token.
    404 for an unknown name. With the token of a sandbox, POST is 403. 409 if the situation needs another host
    and the request came to neither 127.0.0.1 nor localhost, if requests are not recorded, or if the clock is
    manual: the rules measure how long clients wait. 429 if there are too many sandboxes.
    """

    answers: ClassVar = {"GET": {200: ShownSituation}, "POST": {201: Examined}}
    refuses = (403, 404, 409, 429)
    parameter = "id"

    def __init__(self, env: AdminEnv, name: str, examinations: dict[str, Situation]) -> None:
        super().__init__(env)
        self._name = name
        self._examinations = examinations

    def child(self, segment: str) -> AdminNode:
        return OneExamination(self.env, self._name, segment, self._examinations)

    def render_GET(self, request: Request) -> Reply:
        return json_reply(_shown(self._situation()))

    def render_POST(self, request: Request) -> Reply:
        situation = self._situation()
        if isinstance(recorded(request), TokenSandbox):
            raise Refused(403, "Not allowed with the token of a sandbox")
        if isinstance(self.env.clock, ManualClock):
            raise Refused(409, "The exam measures time; start the server without --clock manual")
        host = (request.getHeader(b"host") or b"").decode("latin-1")
        documents = msgspec.json.encode([situation.stubs, situation.toxics])
        name, colon, port = host.rpartition(":")
        other = _OTHER_HOST.get(name if colon else port)
        if other is None and OTHER.encode() in documents:
            raise Refused(409, "This situation needs a gateway that is called at 127.0.0.1 or localhost")
        for gone in [id for id in self._examinations if self.env.sandboxes.get(id) is None]:
            del self._examinations[gone]
        sandbox = self.env.sandboxes.create(_LIFETIME, self.env.clock.seconds())
        try:
            home = self.env.sandboxes.url_prefix(sandbox) + PROXY
            urls = {BASE: f"http://{host}{home}", OTHER: f"http://{other}{colon and colon + port}{home}"}
            self._prepare(sandbox, documents, urls)
        except Invalid:
            self.env.sandboxes.delete(sandbox.id)
            raise
        self._examinations[sandbox.id] = situation
        self.env.expiry.look()
        return json_reply(_examined(situation, sandbox, urls[BASE]), 201)

    def _prepare(self, sandbox: TokenSandbox, documents: bytes, urls: dict[str, str]) -> None:
        for placeholder, url in urls.items():
            documents = documents.replace(placeholder.encode(), url.encode())
        stubs, toxics = msgspec.json.decode(documents, type=tuple[list[StubMapping], list[ToxicDocument]])
        made = [make_stub(self.env, sandbox, one) for one in stubs]
        sandbox.stub_store().check_room(made)
        for stub in reversed(made):  # the newest answers first
            sandbox.stub_store().add(stub)
        for number, document in enumerate(toxics, 1):
            sandbox.put_toxic(Toxic(msgspec.structs.replace(document, name=f"{document.type} {number}")))

    def _situation(self) -> Situation:
        situation = SITUATIONS.get(self._name)
        if situation is None:
            near = suggestion(self._name, SITUATIONS)
            raise Refused(404, f'No such situation: "{self._name[:100]}"{near}')
        return situation


class OneExamination(AdminNode):
    """POST /__admin/exam/{name}/{id} with what the client got from each call → 200, the verdict.

    This ends the examination: its sandbox is deleted, and responses in progress are reset. 404 if there is no
    such examination, or it has ended. 422 unless there is a report for each call.
    """

    takes = msgspec.json.Decoder(Reports)
    answers: ClassVar = {"POST": {200: ShownVerdict}}
    refuses = (404, 429, 503)

    def __init__(self, env: AdminEnv, name: str, id: str, examinations: dict[str, Situation]) -> None:
        super().__init__(env)
        self._name = name
        self._id = id
        self._examinations = examinations

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        sandbox, situation = self.env.sandboxes.get(self._id), self._examinations.get(self._id)
        if sandbox is None or situation is None or situation.name != self._name:
            raise _ended()
        reports = read_document(request, self.takes).reports
        if len(reports) != len(situation.calls):
            raise Invalid("/reports", f"Expected {len(situation.calls)} reports, got {len(reports)}")
        for number, report in enumerate(reports):
            outcome = report.outcome
            if outcome in _WITH_MEMBER and getattr(report, outcome) is UNSET:
                raise Invalid(f"/reports/{number}", f'The outcome "{outcome}" needs the member "{outcome}"')
        return self.later(request, self._judge(request, situation, sandbox, reports))

    async def _judge(
        self, request: Request, situation: Situation, sandbox: TokenSandbox, reports: list[CallReport]
    ) -> Reply:
        with self.env.waits.wait(sandbox.journal, situation.settle) as wait:
            while sandbox.open and not wait.over:
                await wait.change(0.0)
        if self.env.sandboxes.get(sandbox.id) is not sandbox:  # it has ended meanwhile
            raise _ended()
        del self._examinations[sandbox.id]
        try:
            entries = list(sandbox.journal)
            judged = judge(Evidence(situation, entries, reports, sandbox.token))
            shown = [serve_event(entry) for entry in entries[:_MAX_REQUESTS]]
        finally:
            remove_sandbox(self.env, sandbox, request)
        verdict = ShownVerdict(
            situation.name, situation.group, judged.verdict, judged.text, judged.rules, shown
        )
        if judged.verdict == FAILED:
            explanation = _explanation(situation, verdict, reports, sandbox.token)
            verdict = msgspec.structs.replace(verdict, explanation=explanation)
        return json_reply(verdict)


def _ended() -> Refused:
    return Refused(404, "No such examination: it has ended, or has expired")


def _explanation(situation: Situation, verdict: ShownVerdict, reports: list[CallReport], token: bytes) -> str:
    said: list[Any] = []
    for report in reports:
        # A client may have shown the token, for example in the message of an error.
        masked = msgspec.json.encode(report).replace(token, b"****")
        long = len(masked) > _MAX_REPORT
        said.append(masked[:_MAX_REPORT].decode(errors="replace") if long else msgspec.json.decode(masked))
    shown = msgspec.to_builtins(_shown(situation)), msgspec.to_builtins(verdict)
    return explained(*shown, said).replace(token.decode(), "****")


def _examined(situation: Situation, sandbox: TokenSandbox, base: str) -> Examined:
    return Examined(
        sandbox.id,
        situation.name,
        situation.kind,
        situation.deadline,
        situation.at_once,
        situation.stagger,
        list(_calls(situation, sandbox.token.decode(), base)),
    )


def _calls(situation: Situation, token: str, base: str) -> Iterator[ShownCall]:
    for number, call in enumerate(situation.calls, 1):
        yield ShownCall(
            id=f"{situation.name}/{number}",
            kind=situation.kind,
            url=base + call.path,
            base_url=base,
            path=call.path,
            token=token,
            method=call.method,
            headers=dict(call.headers),
            body=call.body,
            timeout=call.timeout,
            retries=call.retries,
            cancel_after=call.cancel_after,
        )


def _shown(one: Situation) -> ShownSituation:
    return ShownSituation(
        one.name,
        one.group,
        one.kind,
        one.happens,
        one.correct,
        one.source,
        one.legitimate,
        len(one.calls),
        one.deadline,
    )
