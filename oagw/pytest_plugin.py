"""The fixture ``oagw_gateway``. Installed with the package; in a checkout: ``-p oagw.pytest_plugin``."""

from collections.abc import Iterator

import pytest

from oagw.testing import MockGateway


@pytest.fixture(scope="session")
def oagw_gateway() -> Iterator[MockGateway]:
    """A running MockGateway, one for the whole test session; it keeps nothing between requests.

    >>> def test_weather(oagw_gateway):
    ...     url = oagw_gateway.alias_url("weather") + "/current?city=Oslo"
    ...     headers = {"Authorization": f"Bearer {oagw_gateway.token}"}
    ...     assert httpx.get(url, headers=headers).json()["location"] == "Oslo"
    """
    with MockGateway() as gateway:
        yield gateway
