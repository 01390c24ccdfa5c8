"""GitHub, beyond what PyGithub and Octokit prove in ``tests/clients``."""

from twisted.trial.unittest import SynchronousTestCase

from tests.support.wire import Answer, Wire


class GitHubTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def get(self, path: str) -> Answer:
        return self.wire.ask("GET", "/api/oagw/v1/proxy/github" + path)

    def test_octocat_is_the_octocat(self) -> None:
        answer = self.get("/users/octocat")
        self.assertEqual((answer.status, answer.source, answer.type), (200, ["upstream"], "application/json"))
        user = answer.json()
        expected = {
            "login": "octocat",
            "id": 583231,
            "type": "User",
            "name": "The Octocat",
            "company": "GitHub",
            "blog": "https://github.blog",
            "url": "https://api.github.com/users/octocat",
        }
        self.assertEqual(user, user | expected)

    def test_a_login_is_matched_in_any_case(self) -> None:
        self.assertEqual(self.get("/users/OctoCat").json()["login"], "octocat")

    def test_every_repository_exists(self) -> None:
        for owner, name in (("octocat", "Hello-World"), ("rust-lang", "rust"), ("a", "_.-9")):
            repo = self.get(f"/repos/{owner}/{name}").json()
            self.assertEqual((repo["name"], repo["full_name"]), (name, f"{owner}/{name}"))
            self.assertEqual(repo["owner"]["login"], owner)
            self.assertEqual(repo["html_url"], f"https://github.com/{owner}/{name}")
            self.assertIs(repo["private"], False)
            self.assertTrue(repo["description"])

    def test_octocats_repositories_are_octocats(self) -> None:
        owner = self.get("/repos/octocat/Hello-World").json()["owner"]
        user = self.get("/users/octocat").json()
        self.assertEqual(owner, {name: user[name] for name in owner})

    def test_a_repository_has_the_same_id_every_time_and_others_have_others(self) -> None:
        ids = [self.get(path).json()["id"] for path in ("/repos/a/b", "/repos/A/B", "/repos/a/c")]
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])

    def test_what_is_not_there_is_githubs_404(self) -> None:
        for path in (
            "",
            "/users",
            "/users/nobody",
            "/users/octocat/repos",
            "/users/%00",
            "/users/%ff",
            "/repos/octocat",
            "/repos/octocat/missing",
            "/repos/octocat/a%2Fb",
            "/repos/octocat/..%2f",
            "/repos/octocat/%2e%2e",
            "/repos/-x/y",
            "/repos/x--y/z",
            "/repos/octocat/Hello-World/issues",
            "/orgs/github",
        ):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.source), (404, ["upstream"]), path)
            self.assertEqual(
                answer.json(),
                {
                    "message": "Not Found",
                    "documentation_url": "https://docs.github.com/rest",
                    "status": "404",
                },
            )

    def test_a_405_has_githubs_shape_too(self) -> None:
        answer = self.wire.ask("DELETE", "/oagw/v1/proxy/github/users/octocat")
        self.assertEqual((answer.status, answer.json()["status"]), (405, "405"))
        self.assertIn("DELETE", answer.json()["message"])
