"""The URLs that need no token: the index, as JSON or as a page, and the probes."""

from html.parser import HTMLParser

from oagw.services import UpstreamNode
from tests.support.wire_case import WireTestCase

FIREFOX = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Links(HTMLParser):
    """The targets of links, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


class RootTests(WireTestCase):
    def page(self, *fields: str) -> Links:
        answer = self.wire.ask("GET", "/", FIREFOX, *fields, token=None)
        self.assertEqual((answer.status, answer.source), (200, ["gateway"]))
        self.assertEqual(answer.type, "text/html; charset=utf-8")
        self.assertEqual(answer.headers["vary"], ["Accept"])
        return Links(answer.body.decode())

    def test_a_browser_gets_a_page_that_says_what_is_mocked(self) -> None:
        page = self.page()
        for alias, tree in self.wire.gateway._upstreams.items():
            self.assertIn(alias, page.text)
            assert isinstance(tree, UpstreamNode)
            for path in tree.paths:
                self.assertIn(path, page.text)
        self.assertIn("/api/oagw/v1/proxy/ALIAS/PATH", page.text)

    def test_its_links_lead_somewhere_and_stay_here(self) -> None:
        targets = self.page().targets
        self.assertGreater(len(targets), 5)
        for target in targets:
            self.assertTrue(target.startswith("/"), target)
            if target.startswith("/__admin"):
                answer = self.wire.admin("GET", target.removeprefix("/__admin"))
            else:
                answer = self.wire.ask("GET", target, token=None)
            self.assertEqual(answer.status, 200, target)

    def test_it_shows_the_upstreams_of_stubs_as_text(self) -> None:
        for alias in ("stripe", "<script>", "weather"):
            path = f"/api/oagw/v1/proxy/{alias}/v1"
            self.assertEqual(self.wire.admin("POST", "/mappings", {"request": {"urlPath": path}}).status, 201)
        answer = self.wire.ask("GET", "/", FIREFOX)
        self.assertIn(b"<b>stripe</b>", answer.body)
        self.assertNotIn(b"<script", answer.body)
        for number in range(150):
            path = f"/api/oagw/v1/proxy/up{number}/v1"
            self.wire.admin("POST", "/mappings", {"request": {"urlPath": path}})
        text = self.page().text
        self.assertIn("52 more with stubs", text)
        self.assertLess(len(text), 10_000)

    def test_a_host_is_shown_as_text(self) -> None:
        body = b'GET / HTTP/1.1\r\nHost: a<b>"&c\r\nAccept: text/html\r\n\r\n'
        connection = self.wire.connect()
        self.assertNotIn(b"a<b>", connection.send(body))
        connection.leave()

    def test_any_other_client_gets_json(self) -> None:
        for accept in (
            None,
            "*/*",
            "application/json",
            "application/json, text/html",
            "text/html;q=0.5, application/json",
            "text/html;q=0",
            "text/html;q=no",
            "image/png",
            "",
            "text/html, application/json;q=1",
        ):
            fields = () if accept is None else (f"Accept: {accept}",)
            answer = self.wire.ask("GET", "/", *fields, token=None)
            self.assertEqual(answer.json()["service"], "oagw-mock-server", accept)
            self.assertEqual(answer.headers["vary"], ["Accept"])

    def test_who_prefers_html_in_another_way_gets_it(self) -> None:
        for accept in (
            "text/html",
            "TEXT/HTML",
            "text/*",
            "text/html;level=1;q=0.2, */*;q=0.1",
            "*/*, text/html",
        ):
            answer = self.wire.ask("GET", "/", f"Accept: {accept}", token=None)
            self.assertEqual(answer.type, "text/html; charset=utf-8", accept)
        self.assertEqual(
            self.wire.ask("GET", "/", "Accept: application/json", "Accept: text/html").type,
            "application/json",
        )

    def test_head_has_the_same_fields(self) -> None:
        for fields in ((), (FIREFOX,)):
            get, head = (self.wire.ask(method, "/", *fields) for method in ("GET", "HEAD"))
            self.assertEqual(head.body, b"")
            self.assertEqual(
                [head.headers[name] for name in ("content-length", "content-type", "vary")],
                [get.headers[name] for name in ("content-length", "content-type", "vary")],
            )

    def test_the_probes_say_ok(self) -> None:
        for path in ("/healthz", "/readyz"):
            answer = self.wire.ask("GET", path, token=None)
            self.assertEqual((answer.status, answer.body, answer.source), (200, b"ok", ["gateway"]))
            self.assertEqual(answer.type, "text/plain; charset=utf-8")
            self.assertEqual(self.wire.ask("POST", path, token=None).status, 405)
