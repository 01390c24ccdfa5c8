"""The pytest fixtures ``oagw_gateway`` and ``oagw_sandbox``, and ``oagw_options`` to configure the gateway.

They are installed with the package. In a checkout, use ``-p oagw.client.fixtures``.
"""

from collections.abc import Iterator, Sequence

import pytest

from oagw.client.mock_gateway import MockGateway, RunningGateway, Sandbox


@pytest.fixture(scope="session")
def oagw_options() -> Sequence[str]:
    """The command-line options of ``oagw_gateway``: none. Override this fixture in a conftest.py:

    >>> @pytest.fixture(scope="session")
    ... def oagw_options():
    ...     return ["--clock", "manual"]
    """
    return ()


@pytest.fixture(scope="session")
def oagw_gateway(oagw_options: Sequence[str]) -> Iterator[MockGateway]:
    """A running MockGateway, shared by the whole test session. Stubs that a test adds remain.

    >>> def test_weather(oagw_gateway):
    ...     url = oagw_gateway.alias_url("weather") + "/current?city=Oslo"
    ...     headers = {"Authorization": f"Bearer {oagw_gateway.token}"}
    ...     assert httpx.get(url, headers=headers).json()["location"] == "Oslo"
    """
    with MockGateway(options=oagw_options) as gateway:
        yield gateway


@pytest.fixture
def oagw_sandbox(oagw_gateway: RunningGateway) -> Iterator[Sandbox]:
    """A sandbox of ``oagw_gateway`` for one test, with its own stubs, toxics and journal.

    >>> def test_charge(oagw_sandbox):
    ...     oagw_sandbox.stub("POST stripe/v1/charges", status=201, json={"id": "ch_1"})
    ...     headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
    ...     answer = httpx.post(oagw_sandbox.alias_url("stripe") + "/v1/charges", headers=headers)
    ...     assert answer.json() == {"id": "ch_1"}
    ...     oagw_sandbox.verify("POST stripe/v1/charges", times=1)
    """
    with oagw_gateway.sandbox() as sandbox:
        yield sandbox
