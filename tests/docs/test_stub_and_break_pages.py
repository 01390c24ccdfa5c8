"""docs/stub.md, docs/break.md and docs/wiremock.md: their tables are what there is."""

import json
import re
from typing import Any

import pytest

from oagw.model.problem import CATEGORIES, RETRY_AFTER
from oagw.testing import MockGateway, Refused
from oagw.toxics.mock_fault import faults
from oagw.toxics.types import TYPES
from tests.docs.pages import names, section, table
from tests.support.wire import Wire

SCHEMAS = Wire().admin("GET", "/openapi.json").json()["components"]["schemas"]


def test_the_members_of_a_pattern_are_all_listed() -> None:
    rows = table("docs/stub.md", "Choose the requests", "Member")
    listed = [name for cell, _ in rows for name in names(cell)]
    refused = {"customMatcher", "scheme", "multipartPatterns"}
    assert set(listed) == set(SCHEMAS["RequestPattern"]["properties"]) - refused


def test_the_operators_are_all_listed() -> None:
    written = section("docs/stub.md", "Choose the requests")
    schemas = [SCHEMAS[name] for name in ("Operator", "BodyOperator", "ValuesOperator")]
    operators = {name for schema in schemas for name in schema["properties"]}
    # These are parameters of an operator for dates, or of matchesJsonSchema.
    parameters = re.compile(r"actual|truncate|apply|expected|schemaVersion")
    missing = {name for name in operators if not parameters.match(name)} - set(names(written))
    assert missing == set()


def test_the_problems_that_are_named_exist() -> None:
    rows = dict(table("docs/stub.md", "Choose the response", "Member"))
    (named,) = re.findall(r'`"(\w+)"`', rows["`response.problem`"])
    assert named in CATEGORIES


def test_all_categories_of_problems_are_listed_with_their_status() -> None:
    listed: dict[str, Any] = {}
    rows = table("docs/stub.md", "An error of the gateway", "Status")
    for cell, categories in rows:
        statuses = [int(status) for status in re.findall(r"\d+", cell)]
        found = re.findall(r"`(\w+)`", categories)
        listed |= dict(zip(found, statuses if len(statuses) > 1 else statuses * len(found), strict=True))
    assert listed == {name: status for name, (status, _, _) in CATEGORIES.items()}
    text = "\n".join(categories for _, categories in rows)
    assert dict(re.findall(r"`(\w+)`,? with `Retry-After: (\d+)`", text)) == {
        name: str(seconds) for name, seconds in RETRY_AFTER.items()
    }


def test_every_type_of_toxic_is_listed_with_all_its_attributes() -> None:
    rows = table("docs/break.md", "Toxics", "Type")
    listed = {names(cell)[0]: set(names(attributes)) for cell, attributes in rows}
    assert listed == {name: set(effect.__struct_encode_fields__) for name, effect in TYPES.items()}


def test_the_faults_of_the_page_exist() -> None:
    text = section("docs/break.md", "Faults that a request asks for")
    (written,) = re.findall(r"X-OAGW-Mock-Fault: ([^`]+?)\"", text)
    assert [toxic.name for toxic in faults(f"{written}; toxicity=0.5")] == ["latency", "slicer"]
    for name in re.findall(r"`([A-Z_]{10,})`", text):
        assert len(faults(name)) == 1


def test_the_faults_of_a_stub_are_all_listed() -> None:
    listed = re.findall(r"`([A-Z_]{10,})`", section("docs/break.md", "Faults of a stub"))
    assert sorted(listed) == sorted(SCHEMAS["ResponseDefinition"]["properties"]["fault"]["enum"])


def refused() -> list[str]:
    return [text for cell, _ in table("docs/wiremock.md", "Refused", "Refused") for text in names(cell)]


@pytest.mark.parametrize("text", refused())
def test_what_is_said_to_be_refused_is_refused_by_name(text: str, oagw_gateway: MockGateway) -> None:
    with oagw_gateway.sandbox() as sandbox, pytest.raises(Refused) as caught:
        sandbox.admin("POST", "/mappings", json.loads(text))
    member = str(caught.value).partition(":")[0].strip("/").split("/")
    assert all(name in text or name.isdecimal() for name in member), caught.value
