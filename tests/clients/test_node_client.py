"""The client for Node, ``clients/node``: its own tests, the examples of its README, its types, what a failing
test prints, and that no server outlives the tests. Without Node or the packages they are skipped, not in CI.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from toolchain import CARD, ENVIRONMENT, GONE, ROOT, assert_gone, example, run, url_of_killed

from tests.docs.pages import words

CLIENT = ROOT / "clients" / "node"
PACKAGES = ROOT / "tests" / "clients" / "node" / "node_modules"
INSTALL = "npm ci --prefix tests/clients/node"

CALLS_WRONGLY = """
  await sandbox.stub("GET stripe/v1/charges");
  const headers = { Authorization: `Bearer ${sandbox.token}` };
  await fetch(`${sandbox.aliasUrl("stripe")}/v1/chargez`, { headers });
"""

FAILING_TESTS = f"""
import {{ test }} from "node:test";
import {{ inSandbox, start }} from "oagw-mock-client";

const gateway = await start();

test("fails", {{ timeout: 20_000 }}, async (t) => {{
  const sandbox = await gateway.sandbox(t);
  {CALLS_WRONGLY}
  await sandbox.verify("GET stripe/v1/charges");
}});
test("is strict", async (t) => {{
  const sandbox = await gateway.sandbox(t, {{ strict: true }});
  {CALLS_WRONGLY}
}});
test("is too slow", {{ timeout: 1000 }}, inSandbox(gateway, async (sandbox, t) => {{
  {CALLS_WRONGLY}
  const timer = setInterval(() => {{}}, 1000);
  t.signal.addEventListener("abort", () => clearInterval(timer));
  await new Promise(() => {{}});
}}));
await inSandbox(gateway, async (sandbox) => {{
  {CALLS_WRONGLY}
  await sandbox.check();
}})().catch(({{ message }}) => console.log(message));
"""

STUB, TOXIC, VERIFY, REQUESTS = words("Node")
WORDS = f"""
test("the words", async (t) => {{
  const [sandbox, current] = [await gateway.sandbox(t), "GET weather/current"];
  {STUB}
  {TOXIC}
  const headers = {{ Authorization: `Bearer ${{sandbox.token}}` }};
  for (const status of [429, 200]) {{
    const answer = await fetch(`${{sandbox.aliasUrl("weather")}}/current?city=Oslo`, {{ headers }});
    assert.equal(answer.status, status);
  }}
  {VERIFY}
  {REQUESTS}
  assert.deepEqual(requests.map(({{ oagw }}) => oagw.toxics.length), [1, 1]);
}});
"""

VITEST_CONFIGURATION = """
export default { test: { globalSetup: ["oagw-mock-client"] } };
"""

VITEST_TESTS = f"""
import {{ connect, sandboxFixture }} from "oagw-mock-client";
import {{ inject, test as base }} from "vitest";

const test = base.extend({{ sandbox: sandboxFixture(inject("oagw")) }});
const strict = base.extend({{ sandbox: sandboxFixture(inject("oagw"), {{ strict: true }}) }});

test("fails", async ({{ sandbox }}) => {{
  {CALLS_WRONGLY}
  await sandbox.verify("GET stripe/v1/charges");
}});
strict("is strict", async ({{ sandbox }}) => {{
  {CALLS_WRONGLY}
}});
base("an exam", {{ timeout: 20_000 }}, async (context) => {{
  const [situation] = await connect(inject("oagw")).situations("cut-inside-event");
  await situation.take(context, () => ({{ outcome: "unsupported" }}));
  throw new Error("it was not skipped");
}});
base("has a context", async (context) => {{
  const sandbox = await connect(inject("oagw")).sandbox(context);
  {CALLS_WRONGLY}
  await sandbox.verify("GET stripe/v1/charges");
}});
"""


@pytest.fixture(scope="module")
def node() -> str:
    """The path of Node, if it and the packages are here."""
    path = shutil.which("node")
    if path is not None and (PACKAGES / "oagw-mock-client").exists():
        return path
    reason = f"Node or its packages are not installed: `{INSTALL}`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def with_packages(tmp_path: Path) -> Path:
    """A folder where Node finds the packages."""
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    return tmp_path


def test_the_node_client_passes_its_tests(node: str) -> None:
    run([node, "--test", "oagw.test.mjs", "exam.test.mjs", "examples/first_test.mjs"], CLIENT, passes=True)


def test_the_example_in_the_node_readme_and_the_words_work(node: str, with_packages: Path) -> None:
    (with_packages / "readme.mjs").write_text(example(CLIENT, "js") + WORDS)
    printed = run([node, "--test", "--test-reporter=tap", "readme.mjs"], with_packages, passes=True)
    assert "ok 1 - the weather is asked for once" in printed
    assert "ok 2 - the words" in printed
    assert "what the gateway saw" not in printed


def test_the_exam_in_the_node_readme_is_taken(
    node: str, with_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (with_packages / "exam.mjs").write_text(example(CLIENT, "js", 2))
    monkeypatch.setitem(ENVIRONMENT, "OAGW_EXAM", "not-retried-403,no-content,cut-inside-event")
    printed = run([node, "--test", "--test-reporter=tap", "exam.mjs"], with_packages, passes=True)
    reason = "SKIP not judged: The client does not support this."
    for line in ("not-retried-403", f"cut-inside-event # {reason}", "no-content"):
        assert re.search(rf"^ *ok \d - {line}$", printed, re.MULTILINE), printed


def test_a_failing_test_in_node_prints_what_the_gateway_saw(node: str, with_packages: Path) -> None:
    (with_packages / "failing.mjs").write_text(FAILING_TESTS)
    printed = run([node, "--test-reporter=tap", "failing.mjs"], with_packages, passes=False)
    for name in ("fails", "is strict", "is too slow"):
        assert f" - {name}\n" in printed
        card = printed.partition(f" - {name}\n")[2].partition("# Subtest")[0]
        assert all(part in card for part in CARD), printed
    # The last one is no test of the runner.
    plain = [line for line in printed.splitlines() if not line.startswith("#")]
    assert all(any(part in line for line in plain) for part in CARD), printed
    assert "strict:\nunused stub GET stripe/v1/charges" in printed


def test_vitest_shares_a_gateway_and_prints_what_it_saw(node: str, with_packages: Path) -> None:
    (with_packages / "vitest.config.mjs").write_text(VITEST_CONFIGURATION)
    (with_packages / "readme.test.js").write_text(example(CLIENT, "js", 1))
    (with_packages / "failing.test.js").write_text(VITEST_TESTS)
    vitest = [node, PACKAGES / "vitest" / "vitest.mjs", "run", "--reporter=json", "--outputFile=done.json"]
    printed = run([*vitest, "--reporter=basic"], with_packages, passes=False)
    done = json.loads((with_packages / "done.json").read_text())
    assert {
        test["fullName"]: test["status"] for file in done["testResults"] for test in file["assertionResults"]
    } == {
        "a reset is noticed": "passed",
        "fails": "failed",
        "is strict": "failed",
        "an exam": "skipped",
        "has a context": "failed",
    }, printed
    for name in ("fails", "is strict", "has a context"):
        card = printed.partition(f"failing.test.js > {name}\n")[2].partition("stderr |")[0]
        assert all(part in card for part in CARD), printed


def test_the_types_of_the_node_client_hold(node: str) -> None:
    run(
        [node, PACKAGES / "typescript" / "bin" / "tsc", "--project", "."],
        PACKAGES.parent / "types",
        passes=True,
    )


@pytest.mark.parametrize("lasts", ["true", "false"])
def test_no_server_outlives_a_node_process(node: str, with_packages: Path, lasts: str) -> None:
    program = with_packages / "program.mjs"
    program.write_text(
        'import { start } from "oagw-mock-client";\n'
        "console.log((await start()).url);\n"
        f"if ({lasts}) setInterval(() => {{}}, 1000);\n"
    )
    if lasts == "true":
        url = url_of_killed([node, program], with_packages)
    else:  # the server does not keep it alive
        url = run([node, program], with_packages, passes=True, timeout=GONE).strip()
    assert_gone(url)
