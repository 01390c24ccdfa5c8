"""docs/control-plane.md: its commands run as they are written there, its tables are what there is."""

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from twisted.web.resource import IResource

from oagw.admin.node import AdminNode
from oagw.client import fixtures
from oagw.model.entry import ENDINGS
from oagw.model.problem import CATEGORIES, RETRY_AFTER
from oagw.model.secret import is_secret
from oagw.testing import MockGateway, Refused, pattern
from oagw.toxics.mock_fault import faults
from oagw.toxics.types import TYPES
from oagw.verify.report.retries import _DELAY_FOR_REQUEST, _DELAY_FOR_URL, _GITHUB_FINAL, _RETRYABLE
from oagw.verify.report.rules import RULES
from tests.support.wire import Wire

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "control-plane.md").read_text()

PATIENCE = 30


def rows(heading: str) -> dict[str, str]:
    """The table below ``heading``: its first column, and its second."""
    table = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.MULTILINE))


def calls() -> list[tuple[str, str]]:
    """Method and path of all calls that the page lists."""
    found = []
    for cell in rows("What there is"):
        methods: list[str] = []
        for method, path in re.findall(r"`([A-Z]+)(?: (/[^`]*))?`", cell):
            methods.append(method)
            if path:
                found += [(method, path) for method in methods]
                methods = []
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_are_answered_one_after_the_other() -> None:
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    with MockGateway(options=["--clock", "manual"]) as gateway:
        script = (
            "set -euo pipefail\n"
            'curl() { command curl -sS --fail-with-body -m 10 "$@"; }\n'
            f"OAGW={gateway.base_url} AUTH='Authorization: Bearer {gateway.token}'\n"
            'curl -H "$AUTH" "$OAGW/api/oagw/v1/proxy/weather/current?city=Oslo"  # as in the README\n'
            f"{commands}"
        )
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        (sandbox,) = re.findall(r'"requests":0,"open":', done.stdout)
        assert sandbox
        assert '"verified":true' in done.stdout


def test_every_call_that_is_listed_is_there() -> None:
    wire = Wire()
    for method, path in calls():
        allowed = wire.admin("OPTIONS", path).headers["allow"][0]
        assert method in allowed.split(", "), (method, path)


def test_every_call_that_is_there_is_listed() -> None:
    def walk(node: IResource, path: str) -> Iterator[str]:
        if isinstance(node, AdminNode):
            if node._renders:
                yield path
            for name, child in node.children.items():
                yield from walk(child, f"{path}/{name.decode()}")

    listed = {path for _, path in calls()}
    assert set(walk(Wire().gateway._admin()._wrapped, "")) - listed == {""}


def test_every_type_of_toxic_is_listed_with_all_its_attributes() -> None:
    table = rows("Toxics")
    assert {name.strip("`") for name in table} == set(TYPES)
    for name, effect in TYPES.items():
        explained = set(re.findall("`(.*?)`", table[f"`{name}`"]))
        assert explained == set(effect.__struct_encode_fields__), name


def test_the_problems_that_are_named_exist() -> None:
    (named,) = re.findall(r'`"(\w+)"`', rows("Stubs")["`response.problem`"])
    assert named in CATEGORIES


def test_all_categories_of_problems_are_listed_with_their_status() -> None:
    table = PAGE.partition("| Categories |\n")[2].partition("\n\n")[0]
    listed = {}
    for line in table.splitlines()[1:]:
        statuses = [int(status) for status in re.findall(r"\d+", line.split("|")[1])]
        names = re.findall(r"`(\w+)`", line)
        listed |= dict(zip(names, statuses if len(statuses) > 1 else statuses * len(names), strict=True))
    assert listed == {name: status for name, (status, _, _) in CATEGORIES.items()}
    assert dict(re.findall(r"`(\w+)`,? with `Retry-After: (\d+)`", table)) == {
        name: str(seconds) for name, seconds in RETRY_AFTER.items()
    }


def table(heading: str, column: str) -> list[list[str]]:
    """The rows of the table below ``heading`` whose first column has this name."""
    section = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    lines = section.partition(f"| {column} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [line.strip("| ").split(" | ") for line in lines]


def test_the_rules_of_the_report_card_are_those_of_the_code() -> None:
    written = {name.strip("`"): rest for name, *rest in table("The report", "Rule")}
    assert written == {name: [", ".join(one.severities), *one[1:]] for name, one in RULES.items()}
    described = Wire().admin("GET", "/openapi.json").json()["components"]["schemas"]["Finding"]
    assert described["properties"]["rule"]["enum"] == list(RULES)


def test_the_statuses_that_the_rules_name_are_those_of_the_code() -> None:
    def statuses(text: str) -> set[int]:
        return {int(status) for status in re.findall(r"\b[45]\d\d\b", text)}

    assert statuses(RULES["retry-after-not-honoured"].needs) == (_DELAY_FOR_URL | _DELAY_FOR_REQUEST) - {503}
    assert statuses(RULES["client-error-retried"].needs) == _RETRYABLE | {404}
    (github,) = re.findall(r"retry a 4xx other than (.+?)\. ", PAGE)
    assert statuses(github) == _GITHUB_FINAL


def test_the_values_of_ended_are_those_of_the_code() -> None:
    assert [name.strip("`") for name, _ in table("Requests", "`ended` | The answer")] == list(ENDINGS)


def test_the_members_of_oagw_are_those_of_an_answer() -> None:
    wire = Wire()
    wire.ask("GET", "/oagw/v1/proxy/weather/current?city=Oslo")
    (event,) = wire.admin("GET", "/requests").json()["requests"]
    written = dict(table("Requests", "Member"))
    assert [name.strip("`") for name in written] == list(event["request"]["oagw"])
    schema = wire.admin("GET", "/openapi.json").json()["components"]["schemas"]["Ours"]
    for name, described in schema["properties"].items():
        assert described["description"] == written[f"`{name}`"]


def test_the_members_of_oagw_stand_where_the_page_says() -> None:
    anything: dict[str, object] = {}
    bodies = {
        "/verify": {"request": {"urlPath": "/y"}},
        "/requests/remove-by-metadata": {"matchesJsonPath": "$.a"},
    }
    stub = {"request": {"urlPath": "/x"}, "metadata": {"a": 1}}

    def found(value: object, place: str = "") -> Iterator[str]:
        """Where there is a member ``oagw`` in ``value``."""
        if isinstance(value, list):
            for one in value:
                yield from found(one, place + "[]")
        elif isinstance(value, dict):
            for name, one in value.items():
                if name == "oagw":
                    yield f"{place}.oagw".lstrip(".")
                yield from found(one, f"{place}.{name}")

    rows = table("Requests", "Answer of")
    written = {call.strip("`"): re.findall("`(.+?)`", place)[0] for call, place in rows}
    answered = {}
    paths = Wire().admin("GET", "/openapi.json").json()["paths"]
    del paths["/openapi.json"]  # it describes the member, but has none
    for path, item in paths.items():
        for method in {"get", "post"} & item.keys():
            wire = Wire()
            wire.admin("POST", "/mappings", stub)
            for url in ("/x", "/api/oagw/v1/proxy/nobody/x"):
                wire.ask("GET", url)
            (event, *_) = wire.admin("GET", "/requests").json()["requests"]
            sent = bodies.get(path, anything) if method == "post" else None
            answer = wire.admin(method.upper(), path.replace("{id}", event["id"]), sent)
            has_json = answer.body and answer.type == "application/json"
            places = set(found(json.loads(answer.body))) if has_json else set()
            if places:
                (answered[f"{method.upper()} {path}"],) = places
    assert answered == written


def test_what_is_said_to_be_masked_is() -> None:
    masked, _, never = PAGE.partition("\nMasked are ")[2].partition("\n\nThese names are never masked:\n")
    anywhere, between = masked.split("\n- ")[1:]
    counts, ends, *others = never.partition("\n\nThe credentials ")[0].split("\n- ")[1:]
    names = [name for name in re.findall("`(.+?)`", anywhere) if name != "_"]
    assert len(names) == 9
    assert all(is_secret(f"X{name}X".upper()) for name in names)
    assert is_secret("ApiKey")
    assert is_secret("access_key")
    for name in re.findall("`(.+?)`", between):
        assert (is_secret(f"X-{name}-X"), is_secret(f"X{name}X")) == (True, False), name
    tokens, *words = re.findall("`(.+?)`", counts)
    for name in [*(f"{word}_{tokens}" for word in words), *re.findall("`(.+?)`", " ".join(others))]:
        assert not is_secret(name.replace("*", "Key")), name
    for end in re.findall("`(.+?)`", ends):
        assert not is_secret(f"token_{end}"), end


def test_the_fault_of_the_page_is_one() -> None:
    (written,) = re.findall(r"such as `(.+?)`;\n`toxicity", PAGE)
    assert [toxic.name for toxic in faults(f"{written}; toxicity=0.5")] == ["latency", "reset_peer"]


def test_the_example_in_python_runs_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    def call(method: str, url: str, token: str) -> None:
        with contextlib.suppress(httpx.RemoteProtocolError):  # one of them is cut
            httpx.request(method, url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)

    example, fixture = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "control-plane.md", "exec"), {"call": call})
    printed = capsys.readouterr().out
    assert "1 finding" in printed
    assert "/response/colour: " in printed
    names = {"pytest": pytest}
    exec(compile(fixture, "control-plane.md", "exec"), names)
    assert names.keys() & vars(fixtures).keys() == {"pytest", "oagw_options", "__builtins__"}


def test_a_request_in_a_word_stands_for_what_the_page_says() -> None:
    table = rows("From Python")
    assert len(table) == 5
    for written, meaning in table.items():
        method, member = pattern(written.strip('`"'))
        assert (method, f"`{member}`") == ("method", re.split("[:,]", meaning)[0])


def refused() -> list[str]:
    return [
        text for cell in rows("What WireMock has and this refuses") for text in re.findall("`(.*?)`", cell)
    ]


@pytest.mark.parametrize("text", refused())
def test_what_is_said_to_be_refused_is_refused_by_name(text: str, oagw_gateway: MockGateway) -> None:
    with oagw_gateway.sandbox() as sandbox, pytest.raises(Refused) as caught:
        sandbox.admin("POST", "/mappings", json.loads(text))
    member = str(caught.value).partition(":")[0].strip("/").split("/")
    assert all(name in text or name.isdecimal() for name in member), caught.value
