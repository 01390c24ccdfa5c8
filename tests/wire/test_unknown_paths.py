"""404s say what may have been meant: paths of the service, the nearest stub, resources of /__admin."""

import re

import pytest

from oagw.services import UpstreamNode
from oagw.web.resource import Node
from tests.support.wire import Wire
from tests.support.wire_case import WireTestCase

PROXY = "/api/oagw/v1/proxy/"
SERVICES = Wire().gateway._upstreams

# A pull request, which is an issue as well.
PULL = Wire().ask("GET", f"{PROXY}github/repos/x/x/pulls").json()[0]["number"]

# What stands for the parts of paths in braces.
PARTS = {
    "name": "crlf",
    "model": "gpt-4",
    "username": "octocat",
    "ref": "main",
    "number": str(PULL),
    "status": "204",
}


def below(alias: str, tree: Node, path: str = "") -> list[str]:
    """The paths of static resources that answer a method."""
    found = [path] if tree._renders else []
    for name, child in tree.children.items():
        if isinstance(child, Node):
            found += below(alias, child, f"{path}/{name.decode()}")
    return found


@pytest.mark.parametrize("alias", SERVICES)
def test_the_paths_of_a_service_are_those_that_it_answers(alias: str) -> None:
    tree = SERVICES[alias]
    assert isinstance(tree, UpstreamNode)
    assert tree.paths
    for method, path in (text.split() for text in tree.paths):
        real = re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], "x"), path)
        answer = Wire().ask(method.replace("ANY", "PATCH"), f"{PROXY}{alias}{real}")
        assert answer.status not in (404, 405), (method, real)
    listed = [re.split(r" |\?|/\{", text)[1] for text in tree.paths]
    assert set(below(alias, tree)) <= {*listed, "/users/octocat"}


class UnknownPathTests(WireTestCase):
    def test_an_unknown_path_below_an_alias_lists_the_paths_of_the_service(self) -> None:
        answer = self.wire.ask("GET", f"{PROXY}weather/curent?city=Oslo")
        hint = "The paths of weather are GET /current?city={city}"
        self.assertEqual((answer.status, answer.source), (404, ["upstream"]))
        self.assertEqual(answer.json(), {"error": f"Unknown path: {PROXY}weather/curent. {hint}"})
        self.assertEqual(answer.headers["x-oagw-mock-hint"], [hint])

    def test_the_nearest_comes_first(self) -> None:
        (hint,) = self.wire.ask("POST", f"{PROXY}stream-test/case").headers["x-oagw-mock-hint"]
        self.assertTrue(hint.startswith("The paths of stream-test are GET /cases, GET /cases/{name}, "), hint)

    def test_the_errors_of_real_apis_stay_theirs(self) -> None:
        answer = self.wire.ask("GET", f"{PROXY}github/user/octocat")
        self.assertEqual(answer.json()["message"], "Not Found")
        self.assertEqual(set(answer.json()), {"message", "documentation_url", "status"})
        (hint,) = answer.headers["x-oagw-mock-hint"]
        self.assertTrue(hint.startswith("The paths of github are GET /users/{username}, "), hint)
        for path in ("v1/chat/completion", "v1", ""):
            answer = self.wire.ask("POST", f"{PROXY}openai/{path}")
            self.assertEqual(answer.status, 404)
            error = answer.json()["error"]
            self.assertTrue(error["message"].startswith("Unknown path: "))
            self.assertNotIn("/v1/embeddings", error["message"])
            (hint,) = answer.headers["x-oagw-mock-hint"]
            self.assertIn("POST /v1/chat/completions", hint)

    def test_what_the_api_itself_does_not_have_has_no_hint(self) -> None:
        for path in ("github/users/nobody", "openai/v1/models/none", "weather/current?city=Oslo"):
            answer = self.wire.ask("GET", PROXY + path)
            self.assertNotIn("x-oagw-mock-hint", answer.headers)

    def test_the_journal_has_the_hint(self) -> None:
        self.wire.ask("GET", f"{PROXY}weather/curent")
        (event,) = self.wire.admin("GET", "/requests").json()["requests"]
        self.assertIn("The paths of weather", event["response"]["headers"]["X-Oagw-Mock-Hint"])

    def test_stubs_of_the_same_upstream_are_named(self) -> None:
        mapping = {"name": "rain", "request": {"method": "POST", "urlPath": f"{PROXY}weather/curent"}}
        self.wire.admin("POST", "/mappings", mapping)
        error = self.wire.ask("GET", f"{PROXY}weather/curent").json()["error"]
        self.assertTrue(error.endswith(". The nearest is rain: method: expected POST, received GET"), error)
        self.assertNotIn("rain", self.wire.ask("GET", f"{PROXY}calculator/x").json()["error"])

    def test_a_hint_is_one_line_without_secrets(self) -> None:
        mapping = {
            "name": "zwölf\nLinien",
            "request": {
                "urlPath": f"{PROXY}weather/x",
                "headers": {"Authorization": {"equalTo": "Bearer abc-secret"}},
            },
        }
        self.wire.admin("POST", "/mappings", mapping)
        (hint,) = self.wire.ask("GET", f"{PROXY}weather/x").headers["x-oagw-mock-hint"]
        self.assertIn("zw\\xf6lf Linien", hint)
        self.assertNotIn("secret", hint)

    def test_with_stubs_every_404_outside_of_the_proxy_names_the_nearest(self) -> None:
        paths = (
            "/nothing",
            "/health/x",
            "/api/oagw/v2",
            "/api/oagw/v1/charges",
            "/oagw/v1/proxy",
            "/oagw/v1/proxy/",
        )
        for path in paths:
            self.assertEqual(self.wire.ask("GET", path).json()["context"], {}, path)
        self.wire.admin("POST", "/mappings", {"name": "charges", "request": {"url": "/stripe/v1/charges"}})
        for path in paths:
            answer = self.wire.ask("GET", path)
            self.assertEqual((answer.status, answer.json()["error"]), (404, f"Unknown path: {path}"))
            start = f"The nearest is charges: url: expected /stripe/v1/charges, received {path}. "
            self.assertTrue(answer.json()["context"]["hint"].startswith(start), path)

    def test_an_unknown_path_of_the_control_plane_lists_its_resources(self) -> None:
        self.wire.admin("POST", "/mappings", {"name": "charges", "request": {"url": "/stripe/v1/charges"}})
        for path, said in (
            ("/mapings", 'Unknown path: /__admin/mapings, did you mean "mappings"? There are mappings, '),
            ("/mappings/x/y", "Unknown path: /__admin/mappings/x/y"),
            ("/clock/advanse", 'did you mean "advance"? There is advance'),
        ):
            answer = self.wire.admin("GET", path)
            detail = answer.json()["errors"][0]["detail"]
            self.assertEqual(answer.status, 404)
            self.assertIn(said, detail)
            self.assertNotIn("charges", detail)
