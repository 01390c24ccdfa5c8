"""The OpenAI service: chat completions, responses, completions, embeddings and models.

The bodies follow https://platform.openai.com/docs/api-reference. ``completion`` decides what the model says,
``directives`` describes how a test can control that in a request, and ``node`` has the base class of all
resources. Each other module is one endpoint or one helper of the endpoints.
"""

from importlib import import_module

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.services import Env, UpstreamNode
from oagw.services.openai.chat import ChatCompletions
from oagw.services.openai.models import Models
from oagw.services.openai.node import OpenAINode

# The module and class of less common endpoints, which are imported on first use.
_PARTS = {
    b"completions": ("completions", "Completions"),
    b"embeddings": ("embeddings", "Embeddings"),
    b"responses": ("responses", "Responses"),
}


class V1(OpenAINode):
    """/v1, the parent of all endpoints."""

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


class OpenAI(OpenAINode):
    """The root of the API."""

    paths = (
        "POST /v1/chat/completions",
        "POST /v1/responses",
        "POST /v1/completions",
        "POST /v1/embeddings",
        "GET /v1/models",
        "GET /v1/models/{model}",
    )


def tree(env: Env) -> UpstreamNode:
    """Return the tree of the OpenAI API."""
    return OpenAI({b"v1": V1(env)})
