"""/__admin/toxics: the toxics of a sandbox. The API is that of Toxiproxy for the toxics of a proxy."""

from typing import ClassVar

import msgspec
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.admin.warning import warned_of_toxic
from oagw.model.refused import Refused
from oagw.model.suggestion import suggestion
from oagw.sandboxes import Sandbox
from oagw.toxics.toxic import MAX_TOXICS, ShownToxic, Toxic, ToxicChange, ToxicDocument
from oagw.web.reply import Reply, json_reply


class Toxics(AdminNode):
    """GET /__admin/toxics → 200, a list, in the order in which they act; POST a toxic → 200, the toxic.

    DELETE → 204: delete all toxics. 409 for a name that exists already, and for more than MAX_TOXICS toxics.
    Responses in progress keep their toxics, but those that hang because of a toxic that is deleted or changed
    are closed. A toxic with ``times`` or ``skip`` also has ``remaining``: the numbers of responses that it
    will still skip, and on which it will then act.
    """

    takes = msgspec.json.Decoder(ToxicDocument)
    warns = ("POST",)
    answers: ClassVar = {
        "GET": {200: list[ShownToxic]},
        "POST": {200: ShownToxic},
        "DELETE": {204: None},
    }
    refuses = (409,)
    parameter = "name"

    def child(self, segment: str) -> AdminNode:
        return OneToxic(self.env, segment)

    def render_GET(self, request: Request) -> Reply:
        return json_reply([toxic.as_json() for toxic in sandbox_of_call(request).toxics.values()])

    def render_POST(self, request: Request) -> Reply:
        toxic, sandbox = Toxic(read_document(request, self.takes)), sandbox_of_call(request)
        if toxic.name in sandbox.toxics:
            raise Refused(409, f'The toxic "{toxic.name}" exists already')
        if len(sandbox.toxics) >= MAX_TOXICS:
            raise Refused(409, f"The limit of {MAX_TOXICS} toxics is reached")
        sandbox.memory.check(toxic.weight)
        sandbox.put_toxic(toxic)
        return warned_of_toxic(json_reply(toxic.as_json()), request, toxic, self.env)

    def render_DELETE(self, request: Request) -> Reply:
        remove_all(sandbox_of_call(request), self.env)
        return Reply(204)


class OneToxic(AdminNode):
    """GET /__admin/toxics/{name} → 200, the toxic; POST or PATCH members → 200, the changed toxic.

    POST and PATCH, even of ``{}``, reset the counts of a toxic with ``times`` or ``skip``. DELETE → 204:
    delete it. 404 if it does not exist.
    """

    takes = msgspec.json.Decoder(ToxicChange)
    warns = ("POST", "PATCH")
    answers: ClassVar = {
        "GET": {200: ShownToxic},
        "POST": {200: ShownToxic},
        "PATCH": {200: ShownToxic},
        "DELETE": {204: None},
    }
    refuses = (404,)

    def __init__(self, env: AdminEnv, name: str) -> None:
        super().__init__(env)
        self._name = name

    def render_GET(self, request: Request) -> Reply:
        return json_reply(self._toxic(request).as_json())

    def render_POST(self, request: Request) -> Reply:
        toxic = self._toxic(request)
        changed, sandbox = toxic.changed(read_document(request, self.takes)), sandbox_of_call(request)
        sandbox.memory.check(changed.weight - toxic.weight)
        sandbox.put_toxic(changed)
        self.env.outlets.release(toxic)
        return warned_of_toxic(json_reply(changed.as_json()), request, changed, self.env)

    render_PATCH = render_POST

    def render_DELETE(self, request: Request) -> Reply:
        toxic = self._toxic(request)
        sandbox_of_call(request).remove_toxic(toxic)
        self.env.outlets.release(toxic)
        return Reply(204)

    def _toxic(self, request: Request) -> Toxic:
        toxics = sandbox_of_call(request).toxics
        toxic = toxics.get(self._name)
        if toxic is None:
            others = suggestion(self._name, toxics)
            raise Refused(404, f'No such toxic: "{self._name}"{others}')
        return toxic


def remove_all(sandbox: Sandbox, env: AdminEnv) -> None:
    """Remove all toxics of ``sandbox``."""
    for toxic in list(sandbox.toxics.values()):
        sandbox.remove_toxic(toxic)
        env.outlets.release(toxic)
