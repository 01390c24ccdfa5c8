"""PyGithub talks to the GitHub upstream and parses what it gets.

The gateway takes bearer tokens (RFC 6750) alone. Of PyGithub's constant tokens ``Auth.AppAuthToken`` is
sent as ``Bearer``; ``Auth.Token`` is sent as ``token``, GitHub's own scheme.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from github import Auth, Github, GithubException, UnknownObjectException

from oagw.testing import MockGateway


def connect(gateway: MockGateway, auth: Auth.Auth) -> Github:
    """A client of the gateway that asks once and at once."""
    return Github(auth=auth, base_url=gateway.alias_url("github"), retry=None, seconds_between_requests=0)


@pytest.fixture(scope="module")
def github(oagw_gateway: MockGateway) -> Iterator[Github]:
    with connect(oagw_gateway, Auth.AppAuthToken(oagw_gateway.token)) as github:
        yield github


def parsed(thing: Any) -> dict[str, Any]:
    """All members of the body as PyGithub parses them.

    Raises BadAttributeException for a member of a wrong type, AttributeError for one it does not know.
    """
    return {name: getattr(thing, name) for name in thing.raw_data}


def test_a_user_can_be_got(github: Github) -> None:
    user = github.get_user("octocat")

    assert user.login == "octocat"
    assert user.id == 583231
    assert user.name == "The Octocat"
    assert user.type == "User"
    assert user.site_admin is False
    assert user.created_at == datetime(2011, 1, 25, 18, 44, 36, tzinfo=UTC)


def test_every_member_of_a_user_is_of_the_type_that_pygithub_expects(github: Github) -> None:
    values = parsed(github.get_user("octocat"))

    assert {"login", "followers", "public_repos", "updated_at", "html_url"} <= values.keys()


def test_a_login_is_the_same_in_any_case(github: Github) -> None:
    assert github.get_user("OctoCat") == github.get_user("octocat")


def test_a_repository_can_be_got(github: Github) -> None:
    repository = github.get_repo("octocat/Hello-World")

    assert repository.full_name == "octocat/Hello-World"
    assert repository.name == "Hello-World"
    assert repository.private is False
    assert repository.default_branch == "main"
    assert repository.created_at == datetime(2011, 1, 26, 19, 1, 12, tzinfo=UTC)


def test_every_member_of_a_repository_is_of_the_type_that_pygithub_expects(github: Github) -> None:
    values = parsed(github.get_repo("octocat/Hello-World"))

    assert {"owner", "stargazers_count", "topics", "license", "pushed_at", "clone_url"} <= values.keys()


def test_the_owner_of_a_repository_is_the_user_of_that_name(github: Github) -> None:
    owner = github.get_repo("octocat/Hello-World").owner

    assert owner.login == "octocat"
    assert owner.id == github.get_user("octocat").id


def test_repositories_have_ids_of_their_own(github: Github) -> None:
    names = ["octocat/Hello-World", "octocat/Spoon-Knife", "hubot/Hello-World"]

    assert len({github.get_repo(name).id for name in names}) == 3
    assert github.get_repo(names[0]).id == github.get_repo(names[0]).id


@pytest.fixture(scope="module")
def linked() -> Iterator[Github]:
    """A client of a gateway whose links lead back to it."""
    with (
        MockGateway(options=["--github-links"]) as gateway,
        connect(gateway, Auth.AppAuthToken(gateway.token)) as github,
    ):
        yield github


def test_all_pages_of_the_issues_are_iterated(linked: Github) -> None:
    issues = linked.get_repo("octocat/Hello-World").get_issues(state="all")

    assert issues.totalCount == 42  # once they were iterated, PyGithub asks for this without the state
    assert [issue.number for issue in issues] == list(range(42, 0, -1))
    assert [issue.number for issue in issues.reversed] == list(range(1, 43))
    assert [issue.number for issue in issues.get_page(1)] == list(range(12, 0, -1))


def test_all_pages_of_the_pull_requests_are_iterated(linked: Github) -> None:
    repository = linked.get_repo("octocat/Hello-World")

    numbers = [pull.number for pull in repository.get_pulls()]

    assert numbers == [number for number in range(42, 0, -3) if number % 4]
    assert [pull.number for pull in repository.get_pulls(state="closed", direction="asc")] == [12, 24, 36]


def test_pages_are_as_small_as_the_client_likes(linked: Github) -> None:
    small = Github(
        auth=linked.requester.auth,
        base_url=linked.requester.base_url,
        per_page=4,
        retry=None,
        seconds_between_requests=0,
    )
    with small:
        commits = list(small.get_repo("octocat/Hello-World").get_commits())

    assert len({commit.sha for commit in commits}) == 35
    assert all(newer.parents[0].sha == older.sha for newer, older in pairwise(commits))


def test_what_a_list_has_can_be_got_and_leads_on(linked: Github) -> None:
    repository = linked.get_repo("octocat/Hello-World")
    issue, pull, commit = repository.get_issue(3), repository.get_pull(12), repository.get_commit("main")

    assert issue.pull_request is not None
    assert issue.as_pull_request().number == 3
    assert issue.repository.full_name == "octocat/Hello-World"
    assert (pull.merged, pull.as_issue().state) == (True, "closed")
    assert pull.user.name == "The Octocat"  # which is not in the list, but behind its link
    assert commit.parents[0].commit.message == "Change the README, part 34"
    assert commit.files[0].filename == "README.md"
    assert pull.base.sha == commit.sha


@pytest.mark.parametrize("kind", ["issue", "pull", "commit"])
def test_every_member_of_an_item_is_of_the_type_that_pygithub_expects(linked: Github, kind: str) -> None:
    repository = linked.get_repo("octocat/Hello-World")
    listed = {"issue": repository.get_issues, "pull": repository.get_pulls, "commit": repository.get_commits}
    single = {"issue": repository.get_issue, "pull": repository.get_pull, "commit": repository.get_commit}
    for item in (*listed[kind]()[:4], single[kind]("main" if kind == "commit" else 12)):
        for name in item.raw_data.keys() - {"_links", "assignee"}:  # the second is deprecated
            getattr(item, name)


def test_the_rate_limit_is_told(linked: Github) -> None:
    linked.get_user("octocat")
    remaining, limit = linked.rate_limiting

    assert (limit, 0 < remaining < 5000) == (5000, True)
    left = linked.rate_limiting_resettime - datetime.now(UTC).timestamp()
    assert 0 < left <= 3600


def test_an_unknown_user_is_an_unknown_object(github: Github) -> None:
    with pytest.raises(UnknownObjectException) as caught:
        github.get_user("nobody")

    assert caught.value.status == 404
    assert caught.value.data["message"] == "Not Found"
    assert caught.value.data["documentation_url"].startswith("https://docs.github.com/")
    assert caught.value.headers["x-oagw-error-source"] == "upstream"


@pytest.mark.parametrize("name", ["octocat/missing", "octocat/no such name"])
def test_an_unknown_repository_is_an_unknown_object(github: Github, name: str) -> None:
    with pytest.raises(UnknownObjectException) as caught:
        github.get_repo(name)

    assert caught.value.status == 404
    assert caught.value.headers["x-oagw-error-source"] == "upstream"


def test_a_part_of_the_api_that_is_not_mocked_is_an_unknown_object(github: Github) -> None:
    with pytest.raises(UnknownObjectException):
        github.get_organization("github")


def test_a_wrong_token_is_refused_by_the_gateway(oagw_gateway: MockGateway) -> None:
    with (
        connect(oagw_gateway, Auth.AppAuthToken("wrong")) as github,
        pytest.raises(GithubException) as caught,
    ):
        github.get_user("octocat")

    assert caught.value.status == 403
    assert caught.value.headers["x-oagw-error-source"] == "gateway"


def test_the_scheme_token_is_not_a_bearer_token(oagw_gateway: MockGateway) -> None:
    """``Authorization: token ...`` is GitHub's; the gateway in front of it knows ``Bearer`` alone."""
    with (
        connect(oagw_gateway, Auth.Token(oagw_gateway.token)) as github,
        pytest.raises(GithubException) as caught,
    ):
        github.get_user("octocat")

    assert caught.value.status == 401
    assert caught.value.headers["www-authenticate"] == "Bearer"
    assert caught.value.headers["x-oagw-error-source"] == "gateway"
