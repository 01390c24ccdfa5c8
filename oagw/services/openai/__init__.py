"""OpenAI: chat completions, responses, completions, embeddings and models.

Shapes follow https://platform.openai.com/docs/api-reference. ``saying`` has what the model says,
``steering`` how the author of a test decides that in the request, ``shape`` what all URLs have in common;
each other file is one part of the API or one thing that it needs.
"""

from oagw.services import Env, UpstreamNode
from oagw.services.openai.chat import ChatCompletions
from oagw.services.openai.completions import Completions
from oagw.services.openai.embeddings import Embeddings
from oagw.services.openai.models import Models
from oagw.services.openai.responses import Responses
from oagw.services.openai.shape import OpenAINode


def tree(env: Env) -> UpstreamNode:
    """The OpenAI API."""
    v1 = OpenAINode(
        {
            b"chat": OpenAINode({b"completions": ChatCompletions(env)}),
            b"completions": Completions(env),
            b"embeddings": Embeddings(env),
            b"models": Models(),
            b"responses": Responses(env),
        }
    )
    return OpenAINode({b"v1": v1})
