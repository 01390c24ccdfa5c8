"""The ``wiremock`` package from PyPI drives the control plane as it drives WireMock.

``conftest.py`` has the servers.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from requests.exceptions import JSONDecodeError
from wiremock import constants
from wiremock.client import (
    GlobalSetting,
    GlobalSettings,
    HttpMethods,
    Mapping,
    MappingRequest,
    MappingResponse,
    Mappings,
    NearMisses,
    NearMissMatchPatternRequest,
    NearMissMatchRequest,
    Requests,
    Scenarios,
    WireMockMatchers,
)
from wiremock.exceptions import InvalidInputException, NotFoundException

from oagw.testing import MockGateway

TOKEN = "test-integration-token"
PREFIX = "/api/oagw/v1/proxy/stripe"
CHARGES = f"{PREFIX}/v1/charges"


@pytest.fixture(autouse=True)
def _reset(wiremock_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As at the start, before and after each test; the client is told where to call."""
    monkeypatch.setattr(constants.Config, "base_url", f"{wiremock_url}/__admin")
    httpx.post(f"{wiremock_url}/__admin/reset").raise_for_status()
    yield
    httpx.post(f"{wiremock_url}/__admin/reset").raise_for_status()


@pytest.fixture
def client(wiremock_url: str) -> Iterator[httpx.Client]:
    """The client library that is tested, in a word."""
    with httpx.Client(base_url=wiremock_url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def stub(**values: Any) -> Mapping:
    """A stub that answers POST on the charges with 201."""
    values.setdefault("request", MappingRequest(method=HttpMethods.POST, url_path=CHARGES))
    values.setdefault("response", MappingResponse(status=201, json_body={"id": "ch_1"}))
    return Mapping(**values)


def test_its_launcher_would_find_it_ready(wiremock_url: str) -> None:
    """``wiremock.server.WireMockServer`` waits for this."""
    assert httpx.get(f"{wiremock_url}/__admin", follow_redirects=True).json()["mappings"] == []


def test_a_stub_answers_as_it_says(client: httpx.Client) -> None:
    made = Mappings.create_mapping(
        Mapping(
            priority=1,
            request=MappingRequest(
                method=HttpMethods.POST,
                url_path_pattern=f"{PREFIX}/v1/ch.*",
                headers={"Idempotency-Key": {WireMockMatchers.MATCHES: "[a-z]+"}},
                query_parameters={"expand": {WireMockMatchers.EQUAL_TO: "customer"}},
                body_patterns=[{WireMockMatchers.EQUAL_TO_JSON: {"amount": 7}, "ignoreExtraElements": True}],
            ),
            response=MappingResponse(
                status=418,
                status_message="Short and stout",
                headers={"X-Stubbed": "yes", "Content-Type": "application/json"},
                json_body={"id": "ch_1"},
                fixed_delay_milliseconds=10,
            ),
            persistent=False,
            metadata={"author": "me"},
        )
    )

    answer = client.post(
        f"{CHARGES}?expand=customer", json={"amount": 7, "x": 1}, headers={"Idempotency-Key": "abc"}
    )

    assert UUID(made.id)
    assert (answer.status_code, answer.reason_phrase) == (418, "Short and stout")
    assert answer.headers["X-Stubbed"] == "yes"
    assert answer.json() == {"id": "ch_1"}


def test_stubs_are_listed_read_replaced_and_deleted(client: httpx.Client) -> None:
    made = Mappings.create_mapping(stub())

    assert [mapping.id for mapping in Mappings.retrieve_all_mappings().mappings] == [made.id]
    assert Mappings.retrieve_all_mappings().meta.total == 1
    read = Mappings.retrieve_mapping(made.id)
    assert read.request.url_path == CHARGES
    read.response.status = 202
    assert Mappings.update_mapping(read).id == made.id
    assert client.post(CHARGES).status_code == 202
    assert Mappings.delete_mapping(made.id).status_code == 200
    assert client.post(CHARGES).status_code == 404
    with pytest.raises(NotFoundException):
        Mappings.retrieve_mapping(made.id)


def test_all_stubs_are_deleted_or_reset(client: httpx.Client) -> None:
    for forget in (Mappings.delete_all_mappings, Mappings.reset_mappings):
        Mappings.create_mapping(stub())
        assert forget().status_code == 200
        assert Mappings.retrieve_all_mappings().mappings == []


def test_stubs_are_deleted_by_their_metadata() -> None:
    kept = Mappings.create_mapping(stub(metadata={"author": "you"}))
    Mappings.create_mapping(stub(metadata={"author": "me"}))

    Mappings.delete_mapping_by_metadata({"matchesJsonPath": {"expression": "$.author", "equalTo": "me"}})

    assert [mapping.id for mapping in Mappings.retrieve_all_mappings().mappings] == [kept.id]


def test_a_stub_that_makes_no_sense_is_an_invalid_input() -> None:
    with pytest.raises(InvalidInputException) as caught:
        Mappings.create_mapping(
            stub(request=MappingRequest(url_path=CHARGES, body_patterns=[{"equalsTo": "x"}]))
        )

    assert "equalsTo" in str(caught.value)


@pytest.fixture
def paid(client: httpx.Client) -> None:
    """Two charges were made, and one refund, which no stub knows."""
    Mappings.create_mapping(stub())
    for amount in (7, 8):
        assert client.post(f"{CHARGES}?try={amount}", json={"amount": amount}).status_code == 201
    assert client.post(f"{PREFIX}/v1/refunds", json={}).status_code == 404


@pytest.mark.usefixtures("paid")
def test_requests_are_listed_the_newest_first() -> None:
    journal = Requests.get_all_received_requests()

    assert journal.meta.total == 3
    assert journal.request_journal_disabled is False
    first = journal.requests[-1]
    assert first.request.method == "POST"
    assert first.request.url == f"{CHARGES}?try=7"
    assert first.request.absolute_url.endswith(first.request.url)
    assert first.request.body.replace(" ", "") == '{"amount":7}'
    assert first.request.headers["Content-Type"] == "application/json"
    assert first.response_definition.status == 201
    assert Requests.get_request(first.id).request.url == first.request.url


@pytest.mark.usefixtures("paid")
def test_requests_are_counted_and_found() -> None:
    charges = NearMissMatchPatternRequest(method="POST", url_path=CHARGES)
    eight = NearMissMatchPatternRequest(
        url_path=CHARGES, method="POST", query_parameters={"try": {"equalTo": "8"}}
    )

    assert Requests.get_matching_request_count(charges).count == 2
    assert Requests.get_matching_request_count(eight).count == 1
    (found,) = Requests.get_matching_requests(eight).requests
    assert found.url == f"{CHARGES}?try=8"


@pytest.mark.usefixtures("paid")
def test_what_no_stub_answered_is_unmatched_and_has_near_misses() -> None:
    (unmatched,) = Requests.get_unmatched_requests().requests
    (near,) = Requests.get_unmatched_requests_near_misses().near_misses

    assert unmatched.url == f"{PREFIX}/v1/refunds"
    assert near.request.url == unmatched.url
    assert 0 < near.match_result.distance < 1


@pytest.mark.usefixtures("paid")
def test_near_misses_of_a_request_and_of_a_pattern_are_found() -> None:
    request = NearMissMatchRequest(url=CHARGES, method="GET", headers={}, absolute_url=f"http://a{CHARGES}")
    pattern = NearMissMatchPatternRequest(method="POST", url_path=f"{PREFIX}/v1/charge")

    (stub_missed,) = NearMisses.find_nearest_misses_by_request(request).near_misses
    missed = NearMisses.find_nearest_misses_by_request_pattern(pattern).near_misses

    assert stub_missed.request.url == CHARGES
    assert stub_missed.match_result.distance > 0
    assert missed[0].request.url.startswith(CHARGES)
    assert [near.match_result.distance for near in missed] == sorted(
        near.match_result.distance for near in missed
    )


@pytest.mark.parametrize("wiremock_url", ["gateway"], indirect=True)
@pytest.mark.usefixtures("paid")
def test_the_journal_is_forgotten_by_a_call_that_wiremock_3_no_longer_has() -> None:
    assert Requests.reset_request_journal().status_code == 200
    assert Requests.get_all_received_requests().requests == []


def test_a_scenario_moves_on_and_is_reset(client: httpx.Client) -> None:
    for state, then, status in (("Started", "tried", 503), ("tried", "tried", 201)):
        Mappings.create_mapping(
            stub(
                scenario_name="retry",
                required_scenario_state=state,
                new_scenario_state=then,
                response=MappingResponse(status=status),
            )
        )

    assert [client.post(CHARGES).status_code for _ in range(3)] == [503, 201, 201]
    assert Scenarios.reset_all_scenarios().status_code == 200
    assert client.post(CHARGES).status_code == 503


def test_a_global_delay_is_set(client: httpx.Client) -> None:
    """WireMock says nothing to this, and the client wants JSON."""
    Mappings.create_mapping(stub())

    with suppress(JSONDecodeError):
        GlobalSettings.update_global_settings(GlobalSetting(fixed_delay=300))

    with pytest.raises(httpx.ReadTimeout):
        client.post(CHARGES, timeout=0.1)
    with suppress(JSONDecodeError):
        GlobalSettings.update_global_settings(GlobalSetting(fixed_delay=0))
    assert client.post(CHARGES, timeout=5).status_code == 201


@pytest.mark.parametrize("fault", ["EMPTY_RESPONSE", "RANDOM_DATA_THEN_CLOSE", "CONNECTION_RESET_BY_PEER"])
def test_a_fault_breaks_the_answer(client: httpx.Client, fault: str) -> None:
    Mappings.create_mapping(stub(response=MappingResponse(fault=fault)))

    with pytest.raises(httpx.TransportError):
        client.post(CHARGES)


def test_a_stub_has_the_id_that_it_was_given() -> None:
    id = str(uuid4())

    assert Mappings.create_mapping(stub(id=id)).id == id
    assert Mappings.retrieve_mapping(id).id == id


@pytest.mark.parametrize("wiremock_url", ["gateway"], indirect=True)
def test_with_the_token_of_a_sandbox_it_works_in_that(
    oagw_gateway: MockGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oagw_gateway.sandbox() as sandbox:
        authorization = {"Authorization": f"Bearer {sandbox.token}"}
        monkeypatch.setattr(constants.Config, "headers", constants.Config.headers | authorization)
        Mappings.create_mapping(stub())

        assert httpx.post(oagw_gateway.base_url + CHARGES, headers=authorization).status_code == 201
        assert Requests.get_all_received_requests().meta.total == 1
        assert oagw_gateway.requests() == []
        assert oagw_gateway.admin("GET", "/mappings")["mappings"] == []
