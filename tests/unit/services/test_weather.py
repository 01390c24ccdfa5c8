"""The weather. What is wrong with its query is in ``tests/unit/web/test_body.py``."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Wire


class WeatherTests(SynchronousTestCase):
    def test_it_is_sunny_everywhere(self) -> None:
        answer = Wire().ask("GET", "/api/oagw/v1/proxy/weather/current?city=San+Francisco")
        self.assertEqual((answer.status, answer.source, answer.type), (200, ["upstream"], "application/json"))
        self.assertEqual(
            answer.json(),
            {
                "location": "San Francisco",
                "temperature": 72,
                "unit": "fahrenheit",
                "condition": "sunny",
                "humidity": 45,
                "wind_speed": 8,
            },
        )

    def test_an_unknown_path_is_its_own_404(self) -> None:
        for path in ("", "/", "/forecast", "/current/tomorrow"):
            answer = Wire().ask("GET", "/api/oagw/v1/proxy/weather" + path)
            self.assertEqual((answer.status, answer.source), (404, ["upstream"]), path)
            self.assertEqual(list(answer.json()), ["error"])
