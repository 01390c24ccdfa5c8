"""docs/streams.md: its programs run as they are written there, its table is what the catalogue records."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oagw.testing import MockGateway
from tests.docs.pages import HOME, PAGES
from tests.parsers.survey import catalogue, table
from tests.support.stream_cases import Case
from tests.support.wire import Wire

PAGE = PAGES["docs/streams.md"]
RUST = HOME / "tests" / "support" / "rust"

# Seconds that a program gets to run or to be compiled.
PATIENCE = 100


@pytest.fixture(scope="module")
def cases(oagw_gateway: MockGateway) -> dict[str, Case]:
    """The catalogue by name."""
    return {case["name"]: case for case in catalogue(oagw_gateway)}


def block(language: str) -> str:
    """The page's one program in ``language``."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def run(*command: str | Path) -> list[str]:
    """The names of the cases that a program prints."""
    ended = subprocess.run(command, check=True, cwd=HOME, capture_output=True, text=True, timeout=PATIENCE)
    return [line.partition(":")[0] for line in ended.stdout.splitlines()]


def test_the_loop_in_python_prints_the_cases_in_which_the_events_of_httpx_sse_deviate(
    cases: dict[str, Case],
) -> None:
    deviating = {
        name
        for name, case in cases.items()
        if any(deviation["parser"].startswith("httpx-sse") for deviation in case["deviations"])
    }
    in_the_reconnection_time = {"retry-signs", "retry-spaces"}

    printed = run(sys.executable, "-c", block("python"))

    assert set(printed) == deviating - in_the_reconnection_time


def test_the_loop_in_rust_compiles_and_prints_the_cases_that_a_client_fails(
    cases: dict[str, Case], oagw_gateway: MockGateway, tmp_path: Path
) -> None:
    rustc = shutil.which("rustc")
    if rustc is None:
        pytest.skip("rustc is not installed, so the loop in Rust is not run")
    (tmp_path / "main.rs").write_text(block("rust"))
    shutil.copy(RUST / "my_client.rs", tmp_path)
    crate, program = tmp_path / "libserde_json.rlib", tmp_path / "main"
    run(rustc, "--edition=2021", "--crate-type=rlib", "-o", crate, RUST / "serde_json.rs")
    run(rustc, "--edition=2021", "-o", program, "--extern", f"serde_json={crate}", tmp_path / "main.rs")

    printed = run(program, oagw_gateway.base_url.removeprefix("http://"))

    # The client knows neither CR nor ids nor byte-order marks.
    assert {"cr", "crlf", "id-kept", "bom"} <= set(printed) < set(cases)
    assert not {"lf", "error-object", "8-mib-line", "10000-events-in-one-write"}.intersection(printed)


def test_the_table_is_what_the_catalogue_records(cases: dict[str, Case]) -> None:
    recorded = table(cases.values())
    assert recorded in PAGE, f"docs/streams.md is to have this table:\n{recorded}"


def explained(heading: str) -> set[str]:
    """The names in the first column of the table below ``heading``."""
    table = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall("`(.*?)`", row)}


def test_every_member_of_a_case_is_explained(cases: dict[str, Case]) -> None:
    members = {member for case in cases.values() for member in case}
    members |= {f"expected.{member}" for case in cases.values() for member in case["expected"]}
    assert members - {"expected"} == explained("What a case is")


def test_every_parameter_that_is_explained_is_known() -> None:
    names = explained("Events to measure")
    assert len(names) > 10
    for name in names:
        answer = Wire().ask("HEAD", f"/oagw/v1/proxy/stream-test/events?{name}=1")
        assert (answer.status == 200) != (name == "then"), name
