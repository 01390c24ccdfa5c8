"""The JSON format of request patterns, which is WireMock's. ``pattern.compiled`` makes further checks.

``model.document`` parses documents into these Structs, and rejects unknown members by name.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

Truncation = Literal[
    "first second of minute",
    "first minute of hour",
    "first hour of day",
    "first day of month",
    "first day of next month",
    "last day of month",
    "first day of year",
    "first day of next year",
    "last day of year",
]


class Operator(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A test of one string, such as the value of a header: exactly one operator, with its options."""

    equalTo: str | None = None
    caseInsensitive: bool | None = None
    contains: str | None = None
    doesNotContain: str | None = None
    matches: str | None = None
    doesNotMatch: str | None = None
    absent: bool | str | None = None
    anything: str | None = None
    equalToJson: Any | UnsetType = UNSET
    ignoreArrayOrder: bool | None = None
    ignoreExtraElements: bool | None = None
    matchesJsonPath: "str | JsonPath | None" = None
    matchesJsonSchema: str | bool | dict[str, Any] | None = None
    schemaVersion: Literal["V4", "V6", "V7", "V201909", "V202012"] | None = None
    equalToNumber: int | float | None = None
    greaterThanNumber: int | float | None = None
    greaterThanEqualNumber: int | float | None = None
    lessThanNumber: int | float | None = None
    lessThanEqualNumber: int | float | None = None
    before: str | None = None
    after: str | None = None
    equalToDateTime: str | None = None
    actualFormat: str | None = None
    truncateExpected: Truncation | None = None
    truncateActual: Truncation | None = None
    applyTruncationLast: bool | None = None
    expectedOffset: int | None = None
    expectedOffsetUnit: str | None = None
    and_: "list[Operator] | None" = field(name="and", default=None)
    or_: "list[Operator] | None" = field(name="or", default=None)
    not_: "Operator | None" = field(name="not", default=None)


class JsonPath(Operator, frozen=True, kw_only=True):
    """A JSONPath, and the operator that tests the selected value."""

    expression: str


class BodyOperator(Operator, frozen=True, kw_only=True):
    """A test of a body."""

    binaryEqualTo: str | None = None


class ValuesOperator(Operator, frozen=True, kw_only=True):
    """A test of the values of a header or parameter. One must match; several for the operators here."""

    hasExactly: list[Operator] | None = None
    includes: list[Operator] | None = None


class BasicCredentials(Struct, frozen=True, forbid_unknown_fields=True):
    """A user name and a password (RFC 7617)."""

    username: str
    password: str


class RequestPattern(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The conditions that a request must meet, all optional. At most one of the URL members can be set."""

    method: str | None = None
    url: str | None = None
    urlPattern: str | None = None
    urlPath: str | None = None
    urlPathPattern: str | None = None
    urlPathTemplate: str | None = None
    pathParameters: dict[str, Operator] | None = None
    queryParameters: dict[str, ValuesOperator] | None = None
    formParameters: dict[str, ValuesOperator] | None = None
    headers: dict[str, ValuesOperator] | None = None
    cookies: dict[str, Operator] | None = None
    basicAuthCredentials: BasicCredentials | None = None
    basicAuth: BasicCredentials | None = None
    bodyPatterns: list[BodyOperator] | None = None
    clientIp: Operator | None = None
    host: Operator | None = None
    port: int | None = None
