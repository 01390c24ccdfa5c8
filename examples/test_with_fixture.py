"""The mock gateway in pytest: the fixture ``oagw_gateway`` starts one for the whole session.

    python3 -m pytest examples/test_with_fixture.py

The installed package brings the fixture along. From a checkout, say ``-p oagw.pytest_plugin``; the
checkout's own pyproject.toml does.
"""

import json
from urllib.request import Request, urlopen

from oagw.testing import MockGateway


def test_weather_in_oslo(oagw_gateway: MockGateway) -> None:
    url = oagw_gateway.alias_url("weather") + "/current?city=Oslo"
    request = Request(url, headers={"Authorization": f"Bearer {oagw_gateway.token}"})
    with urlopen(request, timeout=10) as answer:
        assert answer.headers["X-OAGW-Error-Source"] == "upstream"
        assert json.load(answer)["location"] == "Oslo"
