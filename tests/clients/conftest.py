"""What speaks WireMock's admin API: our gateway and, with OAGW_WIREMOCK_JAR (the path of its standalone jar),
the real one, so that what is asserted of both is what WireMock does.
"""

import os
from collections.abc import Iterator

import pytest

from oagw.testing import MockGateway
from tests.wiremock.server import WireMock


@pytest.fixture(scope="module", params=["gateway", "wiremock"])
def wiremock_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a server with WireMock's admin API listens."""
    if request.param == "gateway":
        gateway: MockGateway = request.getfixturevalue("oagw_gateway")
        yield gateway.base_url
        return
    jar = os.environ.get("OAGW_WIREMOCK_JAR")
    if not jar:
        pytest.skip("OAGW_WIREMOCK_JAR does not name WireMock's jar")
    with WireMock(jar, journal=True) as wiremock:
        yield f"http://127.0.0.1:{wiremock.port}"
