"""docs/verify.md: its tables are those of the code, and a failure reads as it says."""

import re

import httpx
import pytest

from oagw.model.entry import ENDINGS
from oagw.testing import Sandbox
from oagw.verify.report.retries import DELAY_FOR_REQUEST, DELAY_FOR_URL, GITHUB_FINAL, RETRYABLE
from oagw.verify.report.rules import RULES
from tests.docs.pages import PAGES, blocks, table
from tests.support.wire import Wire

PAGE = "docs/verify.md"


def test_a_failure_reads_as_printed(oagw_sandbox: Sandbox) -> None:
    url = oagw_sandbox.alias_url("weather") + "/current?city=Oslo"
    httpx.get(url, headers={"Authorization": f"Bearer {oagw_sandbox.token}"})
    with pytest.raises(AssertionError) as failed:
        oagw_sandbox.verify("GET weather/current?city=Bergen")
    (printed,) = blocks(PAGE, "text")

    def without_id(text: str) -> str:
        return re.sub(r"id [0-9a-f-]{36}", "id", text).strip()

    assert without_id(str(failed.value)) == without_id(printed)


def test_the_rules_of_the_report_card_are_those_of_the_code() -> None:
    written = {name.strip("`"): rest for name, *rest in table(PAGE, "The report", "Rule")}
    assert written == {name: [", ".join(one.severities), *one[1:]] for name, one in RULES.items()}
    described = Wire().admin("GET", "/openapi.json").json()["components"]["schemas"]["Finding"]
    assert described["properties"]["rule"]["enum"] == list(RULES)


def test_the_statuses_that_the_rules_name_are_those_of_the_code() -> None:
    def statuses(text: str) -> set[int]:
        return {int(status) for status in re.findall(r"\b[45]\d\d\b", text)}

    assert statuses(RULES["retry-after-not-honoured"].needs) == (DELAY_FOR_URL | DELAY_FOR_REQUEST) - {503}
    assert statuses(RULES["client-error-retried"].needs) == RETRYABLE | {404}
    (github,) = re.findall(r"retry a 4xx other than (.+?)\.\n", PAGES[PAGE])
    assert statuses(github) == GITHUB_FINAL


def test_the_values_of_ended_are_those_of_the_code() -> None:
    assert [name.strip("`") for name, _ in table(PAGE, "The journal", "`ended`")] == list(ENDINGS)


def test_the_members_of_oagw_are_those_of_an_answer() -> None:
    wire = Wire()
    wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Oslo")
    (event,) = wire.admin("GET", "/requests").json()["requests"]
    written = dict(table(PAGE, "The journal", "Member"))
    assert [name.strip("`") for name in written] == list(event["request"]["oagw"])
    schema = wire.admin("GET", "/openapi.json").json()["components"]["schemas"]["RequestDetails"]
    for name, described in schema["properties"].items():
        assert described["description"] == written[f"`{name}`"]
