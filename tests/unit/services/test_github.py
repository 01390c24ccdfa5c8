"""GitHub, beyond what PyGithub and Octokit prove in ``tests/clients``."""

import re
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.services.github import rate
from tests.support.wire import TOKEN, Answer, Wire, parse


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
            "/repos/octocat/Hello-World/branches",
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

    def test_a_repository_counts_the_open_issues_that_there_are(self) -> None:
        repo = self.get("/repos/octocat/Hello-World").json()
        issues = self.get("/repos/octocat/Hello-World/issues?per_page=100").json()
        self.assertEqual(repo["open_issues_count"], len(issues))
        self.assertEqual(repo["open_issues"], len(issues))


REPOSITORY = "/repos/octocat/Hello-World"
LISTS = ("issues", "pulls", "commits")


class GitHubHeaderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire(start=1_700_000_000.5)

    def get(self, path: str, *headers: str, method: str = "GET", token: str = TOKEN) -> Answer:
        return self.wire.ask(method, "/api/oagw/v1/proxy/github" + path, *headers, token=token)

    def field(self, answer: Answer, name: str) -> str:
        (value,) = answer.headers[name]
        return value

    def test_every_answer_has_githubs_fields(self) -> None:
        for number, (path, status) in enumerate(
            [
                ("/users/octocat", 200),
                ("/users/nobody", 404),
                ("/orgs/github", 404),
                ("/repos/octocat/missing", 404),
                (REPOSITORY, 200),
                *((f"{REPOSITORY}/{name}", 200) for name in LISTS),
                (f"{REPOSITORY}/pulls/3", 200),
                (f"{REPOSITORY}/pulls/1", 404),
            ],
            1,
        ):
            answer = self.get(path)
            self.assertEqual(answer.status, status, path)
            expected = {
                "x-github-media-type": ["github.v3; format=json"],
                "x-github-api-version-selected": ["2022-11-28"],
                "x-ratelimit-limit": ["5000"],
                "x-ratelimit-used": [str(number)],
                "x-ratelimit-remaining": [str(5000 - number)],
                "x-ratelimit-reset": ["1700003600"],
                "x-ratelimit-resource": ["core"],
            }
            self.assertEqual(answer.headers, answer.headers | expected, path)
            self.assertRegex(self.field(answer, "x-github-request-id"), r"^([0-9A-F]+:){4}6553F100$")
            if status == 200:
                self.assertEqual(self.field(answer, "cache-control"), "private, max-age=60, s-maxage=60")
                self.assertIn("Accept", self.field(answer, "vary").split(", "))
                self.assertRegex(self.field(answer, "etag"), r'^W/"[0-9a-f]{64}"$')

    def test_a_405_is_one_of_githubs_answers(self) -> None:
        answer = self.get("/users/octocat", method="DELETE")
        self.assertEqual((answer.status, self.field(answer, "x-ratelimit-used")), (405, "1"))

    def test_the_ids_of_requests_are_the_same_with_the_same_seed(self) -> None:
        def ids(seed: int) -> list[str]:
            wire = Wire(Config(seed=seed))
            path = "/api/oagw/v1/proxy/github/users/octocat"
            return [self.field(wire.ask("GET", path), "x-github-request-id") for _ in range(3)]

        self.assertEqual(ids(7), ids(7))
        self.assertEqual(len({*ids(7), *ids(8)}), 6)

    def test_the_limit_begins_anew_after_an_hour(self) -> None:
        self.get("/users/octocat")
        for seconds, used, reset in ((3599, "2", "1700003600"), (1, "1", "1700007200")):
            self.wire.clock.advance(seconds)
            answer = self.get("/users/octocat")
            self.assertEqual(self.field(answer, "x-ratelimit-used"), used)
            self.assertEqual(self.field(answer, "x-ratelimit-reset"), reset)

    def test_each_sandbox_has_a_limit_of_its_own(self) -> None:
        made = self.wire.admin("POST", "/sandboxes", {}).json()
        for _ in range(2):
            self.get("/users/octocat")
        answer = self.get("/users/octocat", token=made["token"])
        self.assertEqual(self.field(answer, "x-ratelimit-used"), "1")
        self.wire.admin("DELETE", f"/sandboxes/{made['id']}")

    def test_the_limit_is_shown_and_never_used_up(self) -> None:
        self.patch(rate, "LIMIT", 3)
        answers = [self.get("/users/octocat") for _ in range(5)]
        self.assertEqual([answer.status for answer in answers], [200] * 5)
        self.assertEqual(
            [self.field(answer, "x-ratelimit-remaining") for answer in answers], ["2", "1", "1", "1", "1"]
        )

    def test_what_the_client_has_already_is_a_304_that_does_not_count(self) -> None:
        for path in ("/users/octocat", REPOSITORY, f"{REPOSITORY}/issues?page=2", f"{REPOSITORY}/pulls/3"):
            first = self.get(path)
            tag, used = self.field(first, "etag"), self.field(first, "x-ratelimit-used")
            for method in ("GET", "HEAD"):
                again = self.get(path, f"If-None-Match: {tag}", method=method)
                self.assertEqual((again.status, again.phrase, again.body), (304, "Not Modified", b""))
                for name in ("etag", "cache-control", "vary", "x-ratelimit-used"):
                    self.assertEqual(again.headers[name], first.headers[name], name)
                self.assertEqual(again.headers.get("link"), first.headers.get("link"))
                self.assertNotIn("content-type", again.headers)
                self.assertEqual(again.source, ["upstream"])
            self.assertEqual(self.field(again, "x-ratelimit-used"), used)

    def test_tags_are_compared_as_the_rfc_has_it(self) -> None:
        tag = self.field(self.get("/users/octocat"), "etag")
        strong = tag.removeprefix("W/")
        other = '"a,b"'
        for values, status in (
            ([strong], 304),
            (["*"], 304),
            ([f"{other}, {tag}"], 304),
            ([f'W/"x" ,, "", {strong} '], 304),
            ([other, tag], 304),  # two fields are one list
            ([other], 200),
            ([tag.upper()], 200),
            ([f"w/{strong}"], 200),
            ([strong.strip('"')], 200),
            ([f'"x{strong[1:]}'], 200),
            ([f"{other} {tag}"], 200),
            ([f"*, {tag}"], 200),
            ([""], 200),
            ([" " * 9_000 + "x"], 200),
        ):
            answer = self.get("/users/octocat", *(f"If-None-Match: {value}" for value in values))
            self.assertEqual(answer.status, status, values)

    def test_what_is_not_there_is_not_unmodified(self) -> None:
        self.assertEqual(self.get("/users/nobody", "If-None-Match: *").status, 404)

    def test_pages_and_links_have_tags_of_their_own(self) -> None:
        tags = {self.field(self.get(f"{REPOSITORY}/issues?page={n}"), "etag") for n in (1, 2)}
        self.assertEqual(len(tags), 2)

    def test_the_media_type_is_the_one_that_is_accepted(self) -> None:
        for accept, told in (
            ("*/*", "github.v3; format=json"),
            ("application/json", "github.v3; format=json"),
            ("application/vnd.github+json", "github.v3; format=json"),
            ("application/vnd.github.v3+json", "github.v3; format=json"),
            ("text/html, application/vnd.github.full+json", "github.v3; param=full; format=json"),
            ("application/vnd.github.v3.raw", "github.v3; param=raw"),
            ("application/vnd.github.mercy-preview+json", "github.mercy-preview; format=json"),
        ):
            answer = self.get("/users/octocat", f"Accept: {accept}")
            self.assertEqual(self.field(answer, "x-github-media-type"), told)

    def test_the_version_is_the_one_that_is_asked_for(self) -> None:
        answer = self.get("/users/octocat", "X-GitHub-Api-Version: 2026-03-10")
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.field(answer, "x-github-api-version-selected"), "2026-03-10")
        answer = self.get("/users/octocat", "X-GitHub-Api-Version: 2020-01-01")
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.json()["message"], "2020-01-01 is not a supported version of the REST API")


class GitHubListTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()

    def get(self, path: str) -> Answer:
        return self.wire.ask("GET", f"/api/oagw/v1/proxy/github{REPOSITORY}/{path}")

    def numbers(self, path: str) -> list[int]:
        answer = self.get(path)
        self.assertEqual(answer.status, 200, path)
        return [one["number"] for one in answer.json()]

    def test_issues_and_pull_requests_are_numbered_together(self) -> None:
        issues = self.get("issues?state=all&per_page=100").json()
        self.assertEqual([one["number"] for one in issues], list(range(42, 0, -1)))
        pulls = [one["number"] for one in issues if "pull_request" in one]
        self.assertEqual(self.numbers("pulls?state=all&per_page=100"), pulls)
        self.assertEqual(pulls, list(range(42, 0, -3)))

    def test_the_open_ones_are_listed_and_the_state_can_be_chosen(self) -> None:
        for name in ("issues", "pulls"):
            states = {}
            for state in ("open", "closed", "all"):
                items = self.get(f"{name}?state={state}&per_page=100").json()
                states[state] = [one["number"] for one in items]
                self.assertEqual({one["state"] for one in items}, {state} - {"all"} or {"open", "closed"})
            self.assertEqual(self.numbers(f"{name}?per_page=100"), states["open"])
            self.assertEqual(sorted(states["open"] + states["closed"]), states["all"][::-1])

    def test_filters_and_orders(self) -> None:
        everything = self.numbers("issues?state=all&per_page=100")
        for query, expected in (
            ("direction=asc", everything[::-1]),
            ("sort=updated&direction=desc", everything),
            ("sort=comments", everything),
            ("labels=bug", [n for n in everything if n % 3 == 1]),
            ("labels=bug,documentation", []),
            ("creator=Octocat", everything),
            ("creator=nobody", []),
            ("assignee=none&milestone=none", everything),
            ("assignee=octocat", []),
            ("mentioned=octocat", []),
            ("milestone=*", []),
            ("since=2026-01-21T15:00:00Z", [42, 41, 40]),
            ("since=2026-01-21T15:00:00.000Z", [42, 41, 40]),
            ("since=2026-01-21T17:00:01%2B02:00", [42, 41]),
            ("since=2026-01-22", [42, 41]),
            ("since=2026-01-22T04:00", [42]),
        ):
            found = self.numbers(f"issues?state=all&per_page=100&{query}")
            self.assertEqual(found, expected, query)
        pulls = self.numbers("pulls?state=all")
        for query, expected in (
            ("sort=created&direction=asc", pulls[::-1]),
            ("sort=updated", pulls[::-1]),  # GitHub's default: ascending, unless by creation
            ("sort=popularity&direction=desc", pulls),
            ("head=octocat:change-6", [6]),
            ("head=change-6", []),
            ("base=main", pulls),
            ("base=other", []),
        ):
            self.assertEqual(self.numbers(f"pulls?state=all&{query}"), expected, query)

    def test_a_value_that_github_does_not_take_is_a_422(self) -> None:
        for path, resource, field, value in (
            ("issues?state=new", "Issue", "state", "new"),
            ("pulls?state=", "PullRequest", "state", ""),
            ("pulls?sort=comments", "PullRequest", "sort", "comments"),
            ("issues?direction=up", "Issue", "direction", "up"),
            ("issues?since=yesterday", "Issue", "since", "yesterday"),
            ("commits?until=%FF", "Commit", "until", "\ufffd"),
        ):
            answer = self.get(path)
            self.assertEqual(answer.status, 422, path)
            self.assertEqual(answer.json()["message"], "Validation Failed")
            error = {"value": value, "resource": resource, "field": field, "code": "invalid"}
            self.assertEqual(answer.json()["errors"], [error])

    def test_commits_are_a_line_with_parents(self) -> None:
        commits = self.get("commits?per_page=100").json()
        self.assertEqual(len({one["sha"] for one in commits}), 35)
        for newer, older in pairwise(commits):
            self.assertEqual([one["sha"] for one in newer["parents"]], [older["sha"]])
            self.assertGreater(newer["commit"]["author"]["date"], older["commit"]["author"]["date"])
        self.assertEqual(commits[-1]["parents"], [])
        third = commits[2]["sha"]
        for query, expected in (
            (f"sha={third}", commits[2:]),
            ("sha=main", commits),
            ("path=README.md", commits),
            ("path=other", []),
            ("author=octocat@github.com", commits),
            ("author=nobody", []),
            (f"since={commits[1]['commit']['author']['date']}", commits[:2]),
            (f"until={third and commits[-2]['commit']['author']['date']}", commits[-2:]),
        ):
            found = self.get(f"commits?per_page=100&{query}").json()
            self.assertEqual(found, expected, query)
        self.assertEqual(self.get("commits?sha=none").status, 404)

    def test_each_item_can_be_got_with_what_its_list_says_of_it(self) -> None:
        for name, id, more in (
            ("issues", "number", {"closed_by"}),
            ("pulls", "number", {"merged", "mergeable", "commits", "additions", "changed_files"}),
            ("commits", "sha", {"stats", "files"}),
        ):
            for listed in self.get(f"{name}?state=all&per_page=100").json():
                single = self.get(f"{name}/{listed[id]}").json()
                self.assertEqual({key: single[key] for key in listed}, listed)
                self.assertLessEqual(more, single.keys() - listed.keys())

    def test_a_commit_is_found_by_the_start_of_its_hash_and_by_branch(self) -> None:
        newest = self.get("commits").json()[0]["sha"]
        for ref in (newest, newest[:7], newest.upper(), "main", "HEAD"):
            self.assertEqual(self.get(f"commits/{ref}").json()["sha"], newest)

    def test_an_item_that_is_not_there(self) -> None:
        for path in ("issues/43", "issues/0", "issues/x", "issues/%D9%A1", "pulls/1", "pulls/" + "9" * 5000):
            self.assertEqual(self.get(path).status, 404, path[:20])
        answer = self.get("commits/0000000")
        self.assertEqual((answer.status, answer.json()["message"]), (422, "No commit found for SHA: 0000000"))
        self.assertEqual(self.get("issues/1/comments").status, 404)

    def test_every_repository_has_its_own(self) -> None:
        hashes = {
            self.wire.ask("GET", f"/oagw/v1/proxy/github/repos/{name}/commits").json()[0]["sha"]
            for name in ("a/b", "a/c", "A/B")
        }
        self.assertEqual(len(hashes), 2)

    def pages(self, path: str) -> tuple[int, dict[str, str]]:
        """How many items there are, and the links by their rel."""
        answer = self.get(path)
        (value,) = answer.headers.get("link", [""])
        return len(answer.json()), {
            rel: url.removeprefix(f"https://api.github.com{REPOSITORY}/")
            for url, rel in re.findall(r'<([^>]*)>; rel="([a-z]+)"', value)
        }

    def test_pages_are_linked(self) -> None:
        self.assertEqual(self.pages("commits"), (30, {"next": "commits?page=2", "last": "commits?page=2"}))
        self.assertEqual(
            self.pages("commits?page=2"), (5, {"prev": "commits?page=1", "first": "commits?page=1"})
        )
        self.assertEqual(
            self.pages("commits?per_page=10&page=2"),
            (
                10,
                {
                    "prev": "commits?per_page=10&page=1",
                    "next": "commits?per_page=10&page=3",
                    "last": "commits?per_page=10&page=4",
                    "first": "commits?per_page=10&page=1",
                },
            ),
        )
        self.assertEqual(self.pages("commits?per_page=35"), (35, {}))
        self.assertEqual(self.pages("pulls"), (11, {}))
        self.assertEqual(self.pages("issues?creator=nobody"), (0, {}))
        self.assertEqual(
            self.pages("issues?labels=bug&state=all&per_page=7&x=a%26b")[1]["next"],
            "issues?labels=bug&state=all&per_page=7&x=a%26b&page=2",
        )

    def test_following_the_links_gets_all_of_it_once(self) -> None:
        path, seen = "issues?per_page=5&state=all", list[int]()
        while path:
            seen += self.numbers(path)
            path = self.pages(path)[1].get("next", "")
        self.assertEqual(seen, list(range(42, 0, -1)))

    def test_bad_pages_are_taken_as_github_takes_them(self) -> None:
        for text in ("0", "-1", "x", "", "1.5", "%20"):
            self.assertEqual(self.pages(f"commits?per_page={text}")[0], 30, text)
            self.assertEqual(self.pages(f"commits?page={text}")[0], 30, text)
        for text in ("101", "9" * 5000):
            self.assertEqual(self.pages(f"commits?per_page={text}")[0], 35, text[:9])
        for text in ("3", "9" * 5000):
            count, links = self.pages(f"commits?page={text}")
            self.assertEqual(
                (count, links), (0, {"prev": "commits?page=2", "first": "commits?page=1"}), text[:9]
            )


class GitHubLinkTests(SynchronousTestCase):
    GATEWAY = "http://gateway:8080/api/oagw/v1/proxy/github"

    def setUp(self) -> None:
        self.wire = Wire(Config(seed=1, github_links=True))

    def get(self, path: str, host: str = "gateway:8080", version: str = "1.1") -> Answer:
        lines = [f"GET {path} HTTP/{version}", f"Host: {host}", f"Authorization: Bearer {TOKEN}"]
        if not host:
            del lines[1]
        connection = self.wire.connect()
        written = connection.send("\r\n".join([*lines, "", ""]).encode())
        connection.leave()
        return parse(written)[0]

    def test_no_link_leads_to_github_but_those_of_its_site(self) -> None:
        for path in ("", *(f"/{name}" for name in LISTS), "/issues/3", "/pulls/3", "/commits/main"):
            for prefix in ("/api/oagw/v1", "/oagw/v1"):
                body = self.get(f"{prefix}/proxy/github{REPOSITORY}{path}").body.decode()
                self.assertNotIn("api.github.com", body)
                self.assertIn(f'"{self.GATEWAY}{REPOSITORY}', body)

    def test_links_to_lists_and_their_items_can_be_followed(self) -> None:
        repository = self.get(f"/oagw/v1/proxy/github{REPOSITORY}").json()
        followed = [repository["url"], repository["owner"]["url"]]
        for member in ("issues_url", "pulls_url", "commits_url"):
            url = repository[member].partition("{")[0]
            for item in self.get(url.removeprefix("http://gateway:8080")).json()[:3]:
                followed += [url, item["url"]]
                followed += [parent["url"] for parent in item.get("parents", [])]
                followed += [item["pull_request"]["url"]] if "pull_request" in item else []
                followed += [item["issue_url"]] if "issue_url" in item else []
        self.assertGreater(len(followed), 20)
        for url in followed:
            answer = self.get(url.removeprefix("http://gateway:8080"))
            self.assertEqual(answer.status, 200, url)
            if isinstance(answer.json(), dict):
                self.assertEqual(answer.json()["url"], url)

    def test_pages_are_linked_on_the_gateway(self) -> None:
        answer = self.get(f"/oagw/v1/proxy/github{REPOSITORY}/commits")
        self.assertEqual(
            answer.headers["link"],
            [
                f'<{self.GATEWAY}{REPOSITORY}/commits?page=2>; rel="next", '
                f'<{self.GATEWAY}{REPOSITORY}/commits?page=2>; rel="last"'
            ],
        )

    def test_the_host_is_that_of_the_request(self) -> None:
        path = "/oagw/v1/proxy/github/users/octocat"
        for host in ("localhost:1", "[::1]:8765", "oagw.example"):
            url = self.get(path, host).json()["url"]
            self.assertEqual(url, f"http://{host}/api/oagw/v1/proxy/github/users/octocat")

    def test_without_a_host_it_is_the_address_that_was_called(self) -> None:
        path = "/oagw/v1/proxy/github/users/octocat"
        address = self.wire.connect().transport.getHost()
        url = self.get(path, host="", version="1.0").json()["url"]
        self.assertEqual(url, f"http://{address.host}:{address.port}/api/oagw/v1/proxy/github/users/octocat")
