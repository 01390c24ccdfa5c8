"""The fixtures ``oagw_gateway`` and ``oagw_sandbox``, and ``oagw_options`` to have that gateway otherwise.

Installed with the package; in a checkout: ``-p oagw.client.fixtures``.
"""

from collections.abc import Iterator, Sequence

import pytest

from oagw.client.mock_gateway import MockGateway, RunningGateway, Sandbox


@pytest.fixture(scope="session")
def oagw_options() -> Sequence[str]:
    """The options of ``oagw_gateway``: none, unless a conftest.py has a fixture of this name in its place.

    >>> @pytest.fixture(scope="session")
    ... def oagw_options():
    ...     return ["--clock", "manual"]
    """
    return ()


@pytest.fixture(scope="session")
def oagw_gateway(oagw_options: Sequence[str]) -> Iterator[MockGateway]:
    """A running MockGateway, one for the whole test session; what a test stubs in it stays.

    >>> def test_weather(oagw_gateway):
    ...     url = oagw_gateway.alias_url("weather") + "/current?city=Oslo"
    ...     headers = {"Authorization": f"Bearer {oagw_gateway.token}"}
    ...     assert httpx.get(url, headers=headers).json()["location"] == "Oslo"
    """
    with MockGateway(options=oagw_options) as gateway:
        yield gateway


@pytest.fixture
def oagw_sandbox(oagw_gateway: RunningGateway) -> Iterator[Sandbox]:
    """A sandbox of that gateway for one test alone, with stubs, toxics and a journal of its own.

    >>> def test_charge(oagw_sandbox):
    ...     oagw_sandbox.stub("POST stripe/v1/charges", status=201, json={"id": "ch_1"})
    ...     headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
    ...     answer = httpx.post(oagw_sandbox.alias_url("stripe") + "/v1/charges", headers=headers)
    ...     assert answer.json() == {"id": "ch_1"}
    ...     oagw_sandbox.verify("POST stripe/v1/charges", times=1)
    """
    with oagw_gateway.sandbox() as sandbox:
        yield sandbox
