"""/__admin/settings: what is set is shown, what is not supported is refused."""

from tests.support.wire_case import WireTestCase


class SettingsTests(WireTestCase):
    def shown(self, token: str | None = None) -> object:
        return self.wire.admin("GET", "/settings", token=token).json()["settings"]

    def test_what_is_set_is_shown_until_the_next_time(self) -> None:
        self.assertEqual(self.shown(), {"proxyPassThrough": False})
        for method in ("POST", "PUT"):
            self.assertEqual(self.wire.admin(method, "/settings", {"fixedDelay": 500}).status, 200)
            self.assertEqual(self.shown(), {"fixedDelay": 500, "proxyPassThrough": False})
            uniform = {"type": "uniform", "lower": 1, "upper": 2}
            self.wire.admin(method, "/settings", {"delayDistribution": uniform})
            self.assertEqual(self.shown(), {"delayDistribution": uniform, "proxyPassThrough": False})

    def test_what_is_not_supported_is_refused_by_name_and_changes_nothing(self) -> None:
        self.wire.admin("POST", "/settings", {"fixedDelay": 500})
        for settings, pointer in (
            ({"proxyPassThrough": True}, "/proxyPassThrough"),
            ({"extended": {"a": 1}}, "/extended"),
            ({"fixedDelay": -1}, "/fixedDelay"),
            ({"fixDelay": 1}, "/fixDelay"),
        ):
            answer = self.wire.admin("POST", "/settings", settings)
            self.assertEqual(answer.status, 422, settings)
            self.assertEqual(answer.json()["errors"][0]["source"]["pointer"], pointer)
        self.assertEqual(self.shown(), {"fixedDelay": 500, "proxyPassThrough": False})

    def test_what_wiremocks_clients_send_back_is_taken(self) -> None:
        self.assertEqual(
            self.wire.admin("POST", "/settings", {"extended": {}, "proxyPassThrough": False}).status, 200
        )

    def test_those_of_a_sandbox_are_its_own(self) -> None:
        token = self.wire.admin("POST", "/sandboxes").json()["token"]
        self.wire.admin("POST", "/settings", {"fixedDelay": 500}, token=token)
        self.assertEqual(self.shown(), {"proxyPassThrough": False})
        self.assertEqual(self.shown(token), {"fixedDelay": 500, "proxyPassThrough": False})
        self.wire.admin("DELETE", f"/sandboxes/{token.split('-')[1]}")
