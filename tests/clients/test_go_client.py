"""The client for Go, ``clients/go``: its own tests, the examples of its README, what a failing test prints,
and that no server outlives the tests. Without Go they are skipped.
"""

import shutil
from pathlib import Path

import pytest
from toolchain import CARD, ROOT, assert_gone, example, run, url_of_killed

from tests.docs.pages import words

CLIENT = ROOT / "clients" / "go"

GO_TESTS = """
package weather_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"oagw.test/oagw"
)

func TestFails(t *testing.T) {
	sandbox := oagw.NewSandbox(t)
	sandbox.Stub("GET stripe/v1/charges", oagw.Response{})
	request, _ := http.NewRequest("GET", sandbox.AliasURL("stripe")+"/v1/chargez", nil)
	request.Header.Set("Authorization", "Bearer "+sandbox.Token)
	if _, err := http.DefaultClient.Do(request); err != nil {
		panic(err)
	}
	sandbox.Verify("GET stripe/v1/charges")
}

func TestLasts(t *testing.T) {
	fmt.Println(oagw.NewSandbox(t).URL)
	time.Sleep(time.Minute)
}
"""

STUB, TOXIC, VERIFY, REQUESTS = words("Go")
WORDS = f"""
package weather_test

import (
	"net/http"
	"testing"
	"time"

	"oagw.test/oagw"
)

func TestWords(t *testing.T) {{
	sandbox, current := oagw.NewSandbox(t), "GET weather/current"
	{STUB}
	{TOXIC}
	for _, status := range []int{{429, 200}} {{
		request, _ := http.NewRequest("GET", sandbox.AliasURL("weather")+"/current?city=Oslo", nil)
		request.Header.Set("Authorization", "Bearer "+sandbox.Token)
		if answer, err := http.DefaultClient.Do(request); err != nil || answer.StatusCode != status {{
			t.Fatal(answer, err)
		}}
	}}
	{VERIFY}
	{REQUESTS}
	if len(requests) != 2 || requests[0].OAGW.Status != 429 {{
		t.Fatal(requests)
	}}
}}
"""


@pytest.fixture(scope="module")
def go() -> str:
    path = shutil.which("go")
    if path is None:
        pytest.skip("Go is not installed")
    return path


@pytest.fixture(scope="module")
def go_tests(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with the README's example, the words of docs/first-test.md, and tests that fail and last."""
    folder = tmp_path_factory.mktemp("go")
    (folder / "go.mod").write_text("module example.test/example\n\ngo 1.18\n")
    (folder / "readme_test.go").write_text(example(CLIENT, "go"))
    (folder / "exam_test.go").write_text(example(CLIENT, "go", 1))
    (folder / "other_test.go").write_text(GO_TESTS)
    (folder / "words_test.go").write_text(WORDS)
    for command in (
        ["mod", "edit", "-replace", f"oagw.test/oagw={CLIENT}"],
        ["mod", "tidy"],
        ["test", "-c", "-o", "tests", "."],
    ):
        run([go, *command], folder, passes=True)
    return folder / "tests"


def test_the_go_client_passes_its_tests(go: str) -> None:
    assert run([Path(go).with_name("gofmt"), "-l", "."], CLIENT, passes=True) == ""
    run([go, "vet", "./..."], CLIENT, passes=True)
    run([go, "test", "-count=1", "."], CLIENT, passes=True)


def test_the_example_in_the_go_readme_and_the_words_work(go_tests: Path) -> None:
    printed = run([go_tests, "-test.v", "-test.run=Weather|Words"], go_tests.parent, passes=True)
    assert "--- PASS: TestTheWeatherIsAskedForOnce" in printed
    assert "--- PASS: TestWords" in printed
    assert "what the gateway saw" not in printed


def test_the_exam_in_the_go_readme_is_taken(go_tests: Path) -> None:
    chosen = "TheExam/(not-retried-403|no-content)$"
    printed = run([go_tests, "-test.v", f"-test.run={chosen}"], go_tests.parent, passes=True)
    assert "--- PASS: TestTheExam/not-retried-403" in printed
    assert "--- PASS: TestTheExam/no-content" in printed


def test_a_failing_test_in_go_prints_what_the_gateway_saw(go_tests: Path) -> None:
    printed = run([go_tests, "-test.run=Fails"], go_tests.parent, passes=False)
    assert all(part in printed for part in CARD), printed
    # Both are attributed to the test's own lines.
    assert "other_test.go:21: oagw: Expected at least 1 request" in printed
    assert "other_test.go:14: what the gateway saw" in printed


def test_no_server_outlives_a_go_process(go_tests: Path) -> None:
    assert_gone(url_of_killed([go_tests, "-test.run=Lasts"], go_tests.parent))
