"""The adapters in examples/exam take a few situations, and docs/exam.md has the marks of all of them.

Go, Rust and aiohttp are optional. Node and its packages are there on CI, where their absence is a failure.
"""

import contextlib
import os
from pathlib import Path

import pytest

from examples.exam.marks import BEGIN, CLIENTS, END, HERE, PAGE, Client, Mark, NotHere, page, runnable
from oagw.client.exam.taking import Exam
from oagw.testing import MockGateway

# A situation of each kind that takes no time.
SITUATIONS = {"token-sent": "call", "complete": "stream", "pages-followed": "pages"}

# What a client supports besides calls, or instead of them.
KINDS = {
    "with_httpx_sse.py": {"stream"},
    "with_eventsource.mjs": {"stream"},
    "with_openai.py": {"call", "stream"},
    "with_openai.mjs": {"call", "stream"},
    "with_pygithub.py": {"call", "pages"},
    "with_octokit.mjs": {"call", "pages"},
    "with_got.mjs": {"call", "pages"},
}


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.adapter)
def test_an_adapter_passes_what_the_client_supports(
    client: Client, oagw_gateway: MockGateway, tmp_path: Path
) -> None:
    try:
        command, _ = runnable(client, tmp_path)
    except NotHere as missing:
        if client.adapter.endswith(".mjs") and os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))

    with contextlib.closing(Exam(oagw_gateway, [str(part) for part in command], print)) as exam:
        verdicts = {taken.name: taken.judgement["verdict"] for taken in exam.take([*SITUATIONS], jobs=1)}

    supported = KINDS.get(client.adapter, {"call"})
    assert verdicts == {
        name: "passed" if kind in supported else "not judged" for name, kind in SITUATIONS.items()
    }


def test_the_page_has_the_marks_of_all_adapters() -> None:
    _, begin, rest = PAGE.read_text().partition(BEGIN)
    marks, end, _ = rest.partition(END)
    assert begin
    assert end
    adapters = {file.name for file in HERE.glob("with_*.*")}
    assert {client.adapter for client in CLIENTS} == adapters
    assert {name for name in adapters if f"](../examples/exam/{name}) |" in marks} == adapters


def test_a_mark_is_shown() -> None:
    def situation(name: str, verdict: str, text: str, kind: str = "call") -> dict[str, str]:
        return {"name": name, "group": "retry", "kind": kind, "verdict": verdict, "text": text}

    unsupported = "The client does not support this."
    situations = [
        situation("a", "passed", "Fine."),
        situation("b", "failed", 'The client returns {"id": "chatcmpl-exam", "x": "y...;\n <b> *x*'),
        situation("c", "not judged", "The client does not retry."),
        situation("d", "not judged", unsupported, "stream"),
        situation("e", "not judged", unsupported, "stream"),
    ]
    client = Client("some client", "with_some.py")
    lines = list(page([Mark(client, ["1.2"], situations), Mark(client, (), None, "Go is not installed")]))
    assert "| [some client](../examples/exam/with_some.py) | 1.2 | 1 · 1 · 3 | 1 · 1 · 3 |" in lines
    assert "Where a retry is optional, a client that reports the error without one passes." in lines
    assert "\nNot taken here: some client, because Go is not installed." in lines
    assert "- `b`: The client returns the complete answer; &lt;b&gt; \\*x\\*" in lines
    assert "- `c`: The client does not retry." in lines
    assert "- all of the kind `stream`: The client does not support this." in lines
