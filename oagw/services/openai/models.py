"""The list of models, and the check of model names."""

from twisted.web.resource import IResource
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import Env
from oagw.services.openai.node import OpenAINode
from oagw.web.reply import UPSTREAM, Reply, json_reply

MODELS = (
    ("gpt-4", 1687882411, "openai"),
    ("gpt-3.5-turbo", 1677610602, "openai"),
    ("gpt-3.5-turbo-instruct", 1692901427, "system"),
    ("gpt-4-turbo", 1712361441, "system"),
    ("gpt-4o", 1715367049, "system"),
    ("gpt-4o-mini", 1721172741, "system"),
    ("gpt-4.1", 1744316542, "system"),
    ("gpt-4.1-mini", 1744318173, "system"),
    ("o3-mini", 1737146383, "system"),
    ("text-embedding-ada-002", 1671217299, "openai-internal"),
    ("text-embedding-3-small", 1705948997, "system"),
    ("text-embedding-3-large", 1705953180, "system"),
)

FINGERPRINT = "fp_44709d6fcb"

MODEL = {
    id: {"id": id, "object": "model", "created": created, "owned_by": owner} for id, created, owner in MODELS
}


class Models(OpenAINode):
    """GET /v1/models → 200 {"object": "list", "data": [model...]}."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return ModelNode(path.decode("utf-8", "replace")) if path else self

    def render_GET(self, request: Request) -> Reply:
        return json_reply({"object": "list", "data": list(MODEL.values())}, source=UPSTREAM)


class ModelNode(OpenAINode):
    """GET /v1/models/{id} → 200 {"id", "object": "model", "created", "owned_by"}; 404 if it is unknown."""

    def __init__(self, id: str) -> None:
        super().__init__()
        self._id = id

    def render_GET(self, request: Request) -> Reply:
        if self._id not in MODEL:
            raise _unknown(self._id)
        return json_reply(MODEL[self._id], source=UPSTREAM)


def require(model: str, env: Env) -> None:
    """With ``--strict-models``, raise Refused (404) if ``model`` is not listed."""
    if env.strict_models and model not in MODEL:
        raise _unknown(model)


def _unknown(model: str) -> Refused:
    message = f"The model '{model[:100]}' does not exist or you do not have access to it"
    return Refused(404, message, field="model", code="model_not_found")
