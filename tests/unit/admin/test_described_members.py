"""The OpenAPI document of the control plane has what test authors may ask for."""

from typing import Any

import pytest

from tests.support.wire import Wire

SCHEMAS: dict[str, Any] = Wire().admin("GET", "/openapi.json").json()["components"]["schemas"]


@pytest.mark.parametrize(
    ("schema", "member", "described"),
    [
        ("Verification", "within", {"minimum": 0, "maximum": 86_400}),
        ("Move", "untilIdle", {"type": "boolean"}),
        ("ToxicDocument", "times", {"minimum": 1}),
        ("ToxicDocument", "skip", {"minimum": 0}),
        ("ToxicChange", "times", {"minimum": 1}),
        ("ShownToxic", "remaining", {"$ref": "#/components/schemas/Remaining"}),
        ("ResponseDefinition", "trailers", {"type": "object"}),
        ("ResponseDefinition", "informational", {"type": "array", "maxItems": 100}),
        ("ResponseDefinition", "proxyBaseUrl", {"type": "string"}),
        ("ResponseDefinition", "additionalProxyRequestHeaders", {"type": "object"}),
        ("ResponseDefinition", "removeProxyRequestHeaders", {"type": "array"}),
        ("ResponseDefinition", "proxyUrlPrefixToRemove", {"type": "string"}),
        ("Informational", "status", {"enum": [100, 102, 103]}),
        ("NewSandbox", "name", {"minLength": 1, "maxLength": 200}),
        ("SandboxInfo", "name", {"type": "string"}),
    ],
)
def test_a_member_is_described(schema: str, member: str, described: dict[str, Any]) -> None:
    shape = SCHEMAS[schema]["properties"][member]
    variants = shape.get("anyOf", [shape])
    assert any(described.items() <= variant.items() for variant in variants), shape


def test_what_is_listed_of_a_toxic_is_no_part_of_a_new_one() -> None:
    assert "remaining" not in SCHEMAS["ToxicDocument"]["properties"]
    assert "name" not in SCHEMAS["SandboxInfo"]["required"]
