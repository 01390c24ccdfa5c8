"""OpenAI: chat completions, responses, completions, embeddings and models.

Shapes follow https://platform.openai.com/docs/api-reference. ``saying`` has what the model says,
``steering`` how the author of a test decides that in the request, ``shape`` what all URLs have in common;
each other file is one part of the API or one thing that it needs.
"""

from importlib import import_module

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.services.openai.chat import ChatCompletions
from oagw.services.openai.models import Models
from oagw.services.openai.node import OpenAINode

# The parts of the API that a test may well do without, by their path: module and class.
_PARTS = {
    b"completions": ("completions", "Completions"),
    b"embeddings": ("embeddings", "Embeddings"),
    b"responses": ("responses", "Responses"),
}


class Version(OpenAINode):
    """/v1: what is below it; the lesser parts are loaded when they are first called."""

    def __init__(self, env: Env) -> None:
        super().__init__({b"chat": OpenAINode({b"completions": ChatCompletions(env)}), b"models": Models()})
        self._env = env

    def getChild(self, path: bytes, request: Request) -> IResource:
        if path not in _PARTS:
            return super().getChild(path, request)
        module, name = _PARTS[path]
        part: OpenAINode = getattr(import_module(f"{__name__}.{module}"), name)(self._env)
        self.children[path] = part
        return part


def tree(env: Env) -> UpstreamNode:
    """The OpenAI API."""
    return OpenAINode({b"v1": Version(env)})
