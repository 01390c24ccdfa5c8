"""docs/exam.md: the adapter takes the exam, alone and in pytest, and the tables list what there is."""

import re
import subprocess
import sys
from pathlib import Path
from statistics import mode

import pytest

from oagw.client.exam import taking
from oagw.client.exam.command import HELP, main
from oagw.client.exam.reports import _MEMBERS
from oagw.client.exam.results import VERDICTS
from oagw.exam.catalogue import SITUATIONS
from oagw.testing import MockGateway
from tests.docs.pages import HOME, TIMEOUT, blocks, names, section, table

PAGE = "docs/exam.md"


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """The adapter of the page, as a file."""
    file = tmp_path / "adapter.py"
    file.write_text(blocks(PAGE, "python")[0])
    return file


def test_the_adapter_takes_the_exam(
    adapter: Path, gateway: MockGateway, capfd: pytest.CaptureFixture[str]
) -> None:
    # The second needs more than one connection, of which the first was open before.
    options = ("--url", gateway.base_url, "--only", "retry-after-seconds,connection-close", "--jobs", "1")
    assert main([*options, "--", sys.executable, str(adapter)]) == 0
    out, err = capfd.readouterr()
    assert re.search(
        r"^retry +retry-after-seconds  passed +The client does not retry\.$", out, re.MULTILINE
    ), out
    assert re.search(r"^connections +connection-close +passed$", out, re.MULTILINE), out
    assert err == ""


def test_the_test_of_the_page_runs(adapter: Path, gateway: MockGateway) -> None:
    (adapter.parent / "test_exam.py").write_text(blocks(PAGE, "python")[1])
    options = ("-q", "-p", "no:cacheprovider", "-p", "oagw.pytest_plugin", "--oagw-url", gateway.base_url)
    said = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--oagw-exam=retry-after-seconds", "test_exam.py"],
        cwd=adapter.parent,
        env={"PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    ).stdout
    assert "1 passed in " in said, said


def test_the_tables_list_what_there_is() -> None:
    options = {name.split()[0] for cell, _ in table(PAGE, "Take it", "Option") for name in names(cell)}
    assert options == set(re.findall(r"^  (--\w+)", HELP, re.MULTILINE)) - {"--help"}
    assert {row[0] for row in table(PAGE, "Take it", "Verdict")} == set(VERDICTS)
    reports = [names(row[0])[0] for row in table(PAGE, "A report", "Report")]
    assert set(re.findall('"outcome": "(.*?)"', "".join(reports))) == _MEMBERS.keys()
    listed = {names(row[0])[0] for row in table(PAGE, "A report", "Member")}
    assert listed == _MEMBERS["error"][1] - {"cancelled"}


def test_the_time_limits_are_those_of_the_page() -> None:
    deadlines = [one.deadline for one in SITUATIONS.values()]
    said = section(PAGE, "A process")
    assert f"usually {mode(deadlines):g} s, at most {max(deadlines):g} s." in said
    assert f"It has {taking.START:g} s," in said
    assert f"End within {taking.END:g} s when" in said


def test_a_call_has_the_members_of_the_page(gateway: MockGateway) -> None:
    examination = gateway.admin("POST", "/exam/retry-after-seconds")
    listed = {name for row in table(PAGE, "A call", "Member") for name in names(row[0])}
    assert listed | {"base_url", "path"} == examination["calls"][0].keys()
    assert "`base_url` + `path`" in section(PAGE, "A call")
