"""Whether what the control plane answers is what its description says: asked of every call of the tests."""

import json
import re
from functools import cached_property
from typing import Any

import jsonschema_rs

# What no operation is described with: another method, and what a test breaks on purpose.
_ANYWHERE = (405, 500)


class Description:
    """The document that the control plane gave of itself."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def check(self, method: str, path: str, status: int, type: str, body: bytes) -> None:
        """Raise AssertionError if ``path``, below /__admin, is not described to answer so."""
        operation = self._operation(method, path.partition("?")[0].rstrip("/"))
        if operation is None or status in _ANYWHERE:
            return
        answers = operation["responses"]
        assert str(status) in answers, f"{method} {path} is not described with {status}, only {[*answers]}"
        content = answers[str(status)].get("content")
        if content is None:
            assert body == b""
            return
        media_type = type.partition(";")[0]
        assert media_type in content, f"{method} {path} is not described with {type}"
        if media_type == "application/json":
            self._validator(content[media_type]["schema"]).validate(json.loads(body))

    def _operation(self, method: str, path: str) -> Any:
        for pattern, item in self._paths:
            if pattern.fullmatch(path):
                return item.get(method.lower())
        return None

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], Any]]:
        paths: dict[str, Any] = self._document["paths"]
        # What is literal comes before what is not.
        ordered = sorted(paths, key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), paths[path]) for path in ordered]

    def _validator(self, schema: Any) -> jsonschema_rs.Validator:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]
