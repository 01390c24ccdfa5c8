"""Take the exam with all adapters in this folder, and write their marks into docs/exam.md:

    pip install -r examples/exam/requirements.txt
    npm ci --prefix examples/exam
    python examples/exam/marks.py

It takes about five minutes. ``--folder F`` keeps the results in F, and takes only those that are not there.
Adapters whose language is not installed are left out, and named on the page.
"""

import argparse
import html
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "exam.md"

BEGIN = "<!-- marks: written by examples/exam/marks.py -->"
END = "<!-- end of marks -->"

# In the order of the columns and lists.
VERDICTS = ("passed", "failed", "not judged")

# The longest text of a verdict on the page, in characters.
LONGEST = 180

# The answer that situations send, as it is quoted in texts.
ANSWER = re.compile(r'\{"id": "chatcmpl-exam".*?\.\.\.')

UNSUPPORTED = "The client does not support this."


class Client(NamedTuple):
    """A client: its name, its adapter, and the packages whose versions are shown; a toolchain has none."""

    name: str
    adapter: str
    packages: Sequence[str] = ()


CLIENTS = (
    Client("httpx", "with_httpx.py", ["httpx"]),
    Client("requests, urllib3", "with_requests.py", ["requests", "urllib3"]),
    Client("aiohttp", "with_aiohttp.py", ["aiohttp"]),
    Client("httpx-sse", "with_httpx_sse.py", ["httpx-sse"]),
    Client("openai for Python", "with_openai.py", ["openai"]),
    Client("PyGithub", "with_pygithub.py", ["PyGithub"]),
    Client("openai for Node", "with_openai.mjs", ["openai"]),
    Client(
        "Octokit",
        "with_octokit.mjs",
        [
            "@octokit/core",
            "@octokit/plugin-retry",
            "@octokit/plugin-throttling",
            "@octokit/plugin-paginate-rest",
        ],
    ),
    Client("fetch of Node", "with_fetch.mjs"),
    Client("undici, RetryAgent", "with_undici.mjs", ["undici"]),
    Client("got", "with_got.mjs", ["got"]),
    Client("ky", "with_ky.mjs", ["ky"]),
    Client("eventsource", "with_eventsource.mjs", ["eventsource"]),
    Client("net/http of Go", "with_net_http.go"),
    Client("oagw-mock for Rust", "with_std.rs", ["oagw-mock"]),
)


class Mark(NamedTuple):
    """The results of a client; None if it could not take the exam here, for the reason ``why``."""

    client: Client
    versions: Sequence[str]
    situations: Sequence[Mapping[str, Any]] | None
    why: str = ""


class NotHere(Exception):
    """An adapter cannot run here; the message says what is missing."""


def main() -> None:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0] + ".")
    parser.add_argument("--folder", type=Path, help="keep the results here, and take only what is missing")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        marks = [taken(client, folder or Path(temporary), Path(temporary)) for client in CLIENTS]
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n".join([before + BEGIN, *page(marks), END]) + after)


def taken(client: Client, folder: Path, builds: Path) -> Mark:
    """Take the exam with ``client``, unless its results are in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / f"{client.adapter}.json"
    try:
        command, versions = runnable(client, builds)
        if not results.exists():
            print(f"{client.name} ...", flush=True)
            exam = [sys.executable, ROOT / "server.py", "exam", "--json", results, "--", *command]
            done = subprocess.run(exam, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            if done.returncode not in (0, 1):
                sys.exit(f"The exam of {client.name} ended with status {done.returncode}")
            print(done.stdout.rstrip().rpartition("\n")[2], flush=True)
    except NotHere as error:
        return Mark(client, (), None, str(error))
    return Mark(client, versions, json.loads(results.read_text())["situations"])


def runnable(client: Client, builds: Path) -> tuple[list[str | Path], list[str]]:
    """Return the command that runs the adapter, and the versions. Raises NotHere."""
    source = HERE / client.adapter
    match source.suffix:
        case ".py":
            try:
                return [sys.executable, source], [version(name) for name in client.packages]
            except PackageNotFoundError as missing:
                raise NotHere(f"{missing.name} is not installed") from None
        case ".mjs":
            modules = HERE / "node_modules"
            if not modules.exists():
                raise NotHere("npm ci --prefix examples/exam was not run")
            node = tool("node")
            manifests = [(modules / name / "package.json").read_text() for name in client.packages]
            versions = [json.loads(manifest)["version"] for manifest in manifests]
            return [node, source], versions or [node_version()]
        case ".go":
            program = builds / source.stem
            built(tool("go"), "build", "-o", program, source)
            return [program], [output("go", "env", "GOVERSION").removeprefix("go")]
    built(tool("cargo"), "build", "--offline", "--quiet", "--target-dir", builds / "target")
    manifest = (ROOT / "clients" / "rust" / "Cargo.toml").read_text()
    return [builds / "target" / "debug" / source.stem], re.findall(r'^version = "(.*)"', manifest, re.M)


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise NotHere(f"{name} is not installed")
    return path


def built(*command: str | Path) -> None:
    subprocess.run(command, check=True, cwd=HERE)


def node_version() -> str:
    return output("node", "--version").removeprefix("v") if shutil.which("node") else "none"


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def page(marks: Sequence[Mark]) -> Iterator[str]:
    """Yield the lines between BEGIN and END."""
    here = [mark for mark in marks if mark.situations is not None]
    groups = list(dict.fromkeys(one["group"] for mark in here for one in mark.situations or ()))
    yield ""
    yield f"Each field has the numbers of situations {', '.join(VERDICTS[:-1])} and {VERDICTS[-1]}."
    yield "Where a retry is optional, a client that reports the error without one passes."
    yield f"Taken with Python {platform.python_version()} and Node {node_version()}."
    yield ""
    yield f"| Client | Version | {' | '.join(groups)} | all |"
    yield f"|---|---|{'---|' * (len(groups) + 1)}"
    for mark in here:
        link = f"[{mark.client.name}](../examples/exam/{mark.client.adapter})"
        columns = [
            link,
            ", ".join(versions(mark)),
            *(counts(mark, [group]) for group in groups),
            counts(mark, groups),
        ]
        yield f"| {' | '.join(columns)} |"
    yield from (f"\nNot taken here: {mark.client.name}, because {mark.why}." for mark in marks if mark.why)
    for mark in here:
        yield from details(mark)
    yield ""


def versions(mark: Mark) -> Sequence[str]:
    packages = mark.client.packages
    if len(packages) < 2:
        return mark.versions
    return [f"{name} {version}" for name, version in zip(packages, mark.versions, strict=True)]


def counts(mark: Mark, groups: Sequence[str]) -> str:
    number = Counter(one["verdict"] for one in mark.situations or () if one["group"] in groups)
    return " · ".join(str(number[verdict]) for verdict in VERDICTS)


def details(mark: Mark) -> Iterator[str]:
    """Yield what the client fails or is not judged in, and why."""
    situations = mark.situations or ()
    yield ""
    yield f"#### {mark.client.name}"
    failed = [one for one in situations if one["verdict"] not in ("passed", "not judged")]
    if failed:
        yield ""
        yield f"Failed ({len(failed)} of {len(situations)}):"
        yield ""
        for one in failed:
            yield f"- `{one['name']}`: {shown(one['text'])}"
    reasons: dict[str, list[str]] = {}
    for one in situations:
        if one["verdict"] == "not judged":
            reasons.setdefault(one["text"], []).append(one["name"])
    kinds = Counter(one["kind"] for one in situations)
    if reasons:
        yield ""
        yield "Not judged:"
        yield ""
        for reason, names in reasons.items():
            whole = [
                kind
                for kind in kinds
                if kinds[kind] == sum(one["name"] in names and one["kind"] == kind for one in situations)
            ]
            rest = [one["name"] for one in situations if one["name"] in names and one["kind"] not in whole]
            shortened = [f"all of the kind `{kind}`" for kind in whole if reason == UNSUPPORTED]
            listed = rest if shortened else names
            yield f"- {', '.join([*shortened, *(f'`{name}`' for name in listed)])}: {shown(reason)}"


def shown(text: str) -> str:
    """Return ``text`` in one line, shortened, and without Markdown's meaning."""
    line = ANSWER.sub("the complete answer", " ".join(text.split()))
    line = line if len(line) <= LONGEST else line[:LONGEST] + "..."
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(line, quote=False))


if __name__ == "__main__":
    main()
