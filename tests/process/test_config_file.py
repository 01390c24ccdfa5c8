"""A server that is started with a file that is wrong."""

import os
from pathlib import Path

import pytest
from launched import ROOT, SERVER, TWISTD, ended

TEXT = """
port = 0
clok = "real"

[[tokens]]
token_env = "A_TOKEN"

[[tokens]]
token = "a-very-secret-token"

[[upstreams]]
alias = "lab"
protocol = "http"
server.endpoints = [{ host = "127.0.0.1", port = 70000 }]
"""


@pytest.mark.parametrize("command", [SERVER, (*TWISTD, "oagw")], ids=["server.py", "twistd"])
def test_it_says_all_that_is_wrong_and_does_not_start(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(TEXT)
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OAGW_CONFIG": "gateway.toml",
        "A_TOKEN": "a-very-secret-token",
    }
    process = ended(command=command, cwd=tmp_path, env=environ)
    assert process.returncode != 0
    assert "listening" not in process.stdout
    said = process.stdout + process.stderr
    for line in (
        'gateway.toml: clok: unknown key, did you mean "clock"?',
        "gateway.toml: tokens[1].token: is the same as tokens[0].token_env",
        "gateway.toml: upstreams[0].server.endpoints[0].port: expected an integer <= 65535",
    ):
        assert said.count(line) == 1, said
    assert "a-very-secret-token" not in said
    if command is SERVER:
        assert (process.returncode, process.stdout, said.count("\n")) == (2, "", 3)
        assert all(line.startswith("server.py: gateway.toml: ") for line in said.splitlines())
