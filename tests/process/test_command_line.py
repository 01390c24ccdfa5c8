import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launched import EVENTS, ROOT, SERVER, TOKEN, Launched, ended

STATUS = "/api/oagw/v1/status"
MODULE = (sys.executable, "-m", "oagw")
SECRET = "tok-6f1d-never-shown"


def refused(process: subprocess.CompletedProcess[str]) -> str:
    """The one line that a server which does not start says."""
    assert process.returncode != 0
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1, process.stderr
    assert process.stderr.endswith("\n")
    return process.stderr


def test_help_lists_every_option_and_says_nothing_else() -> None:
    process = ended("--help")
    assert (process.returncode, process.stderr) == (0, "")
    for option in (
        "PORT",
        "--host",
        "--token",
        "--seed",
        "--access-log",
        "--stream-interval-scale",
        "--exit-with-parent",
        "--version",
    ):
        assert option in process.stdout


@pytest.mark.parametrize("command", [SERVER, MODULE], ids=["script", "module"])
def test_the_version_is_the_package_s(command: list[str]) -> None:
    from oagw import __version__

    process = ended("--version", command=command, cwd=ROOT)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == f"oagw-mock-server {__version__}\n"


def test_the_script_runs_from_any_directory(tmp_path: Path) -> None:
    with Launched("0", cwd=tmp_path) as server:
        assert server.get()[0] == 200
        assert list(tmp_path.iterdir()) == []


def test_the_package_runs_as_a_module_with_the_same_options() -> None:
    with Launched("0", "--token", SECRET, command=MODULE, cwd=ROOT) as server:
        assert server.event["pid"] == server.process.pid
        assert server.get(STATUS, Authorization=f"Bearer {SECRET}")[0] == 200
        assert server.stop() == 0


def test_every_token_is_accepted_and_the_usual_one_is_not_any_more() -> None:
    with Launched("0", "--token", "one", "--token=two", "--token=-three") as server:
        shown = ["one", "two", "-three", TOKEN]
        assert [server.get(STATUS, Authorization=f"Bearer {t}")[0] for t in shown] == [200, 200, 200, 403]


def test_the_usual_token_is_accepted_where_none_is_given() -> None:
    with Launched("0") as server:
        assert server.get(STATUS, Authorization=f"Bearer {TOKEN}")[0] == 200


def test_servers_with_the_same_seed_give_the_same_ids_and_others_do_not() -> None:
    def id_with(*options: str) -> str:
        with Launched("0", *options) as server:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
            path = "/api/oagw/v1/proxy/openai/v1/chat/completions"
            headers = {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}
            status, answer = server.ask("POST", path, json.dumps(body).encode(), **headers)
            assert status == 200, answer
            return json.loads(answer)["id"]

    assert id_with("--seed", "7") == id_with("--seed", "7")
    assert len({id_with("--seed", "7"), id_with("--seed", "8"), id_with(), id_with()}) == 4


@pytest.mark.alone
def test_a_scale_of_zero_sends_streams_without_waiting() -> None:
    with Launched("0", "--stream-interval-scale", "0") as server:
        server.get()
        started = time.monotonic()
        for _ in range(10):  # three seconds in real time
            status, body = server.get(EVENTS, Authorization=f"Bearer {TOKEN}")
            assert (status, body.count(b"\n\n")) == (200, 4)
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["abc"], "a port is a number from 0 to 65535"),
        (["-1"], "a port is a number from 0 to 65535"),
        (["65536"], "a port is a number from 0 to 65535, not 65536"),
        (["0x50"], "a port is a number from 0 to 65535"),
        (["0", "1"], "more than one PORT"),
        (["0", "--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["0", "--access"], "unrecognized arguments: --access"),
        (["0", "--seed", "x"], "a seed is a whole number"),
        (["0", "--stream-interval-scale", "-1"], "a factor is a number, 0 or greater"),
        (["0", "--stream-interval-scale", "nan"], "a factor is a number, 0 or greater"),
        (["0", "--host"], "--host: expected one argument"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_one_line(args: list[str], said: str) -> None:
    process = ended(*args)
    assert process.returncode == 2
    line = refused(process)
    assert line.startswith("server.py: ")
    assert said in line
    assert "--help" in line


def test_a_port_too_long_to_be_a_number_is_refused_in_one_line() -> None:
    process = ended("9" * 5000)
    assert process.returncode == 2
    assert "a port is a number from 0 to 65535" in refused(process)


@pytest.mark.parametrize(
    "token", [f"{SECRET} x", f" {SECRET}", f"{SECRET}é", f"{SECRET}\n", f"-{SECRET}", f"{SECRET}\x7f"]
)
def test_a_bad_token_is_refused_without_being_repeated(token: str) -> None:
    line = refused(ended("0", "--token", token))
    assert "--token" in line
    assert SECRET not in line


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "192.0.2.1", "", "a" * 70 + ".example", ".example", "[::1]", "ho st"]
)
def test_a_host_that_is_none_of_ours_is_refused_in_one_line(host: str) -> None:
    line = refused(ended("0", "--host", host))
    assert line.startswith("server.py: cannot listen on ")
    assert "Traceback" not in line


def test_a_port_in_use_is_refused_in_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(ended(str(port)))
    assert f"port {port} of 127.0.0.1" in line
    assert "already in use" in line
    assert "choose another port" in line


def test_a_second_server_on_the_port_is_refused_and_the_first_goes_on() -> None:
    with Launched("0") as server:
        assert "already in use" in refused(ended(str(server.port)))
        assert server.get()[0] == 200


def copy_of_the_server(folder: Path) -> Path:
    """A folder with the server, and no environment beside it."""
    shutil.copytree(ROOT / "oagw", folder / "oagw", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "server.py", folder)
    return folder


@pytest.mark.parametrize("missing", ["twisted", "msgspec", "twisted and msgspec"])
def test_a_missing_package_is_named_in_one_line_that_says_how_to_install_it(
    missing: str, tmp_path: Path
) -> None:
    server = copy_of_the_server(tmp_path / "home") / "server.py"
    for package in ("twisted", "msgspec"):
        if package not in missing:
            (tmp_path / package).symlink_to(Path(str(importlib.util.find_spec(package).origin)).parent)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    line = refused(ended("0", command=(sys.executable, "-S", str(server)), env=env))
    assert f"the package {missing.split()[0]} is not installed" in line
    assert f"{sys.executable} -m pip install" in line


@pytest.mark.parametrize("arguments", [("server.py", "0"), ("-m", "oagw", "0")], ids=["server.py", "module"])
def test_a_missing_package_points_to_the_environment_beside_the_server(
    tmp_path: Path, arguments: list[str]
) -> None:
    home = copy_of_the_server(tmp_path / "home")
    folder = home / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    line = refused(ended(*arguments, command=(sys.executable, "-S"), cwd=home))
    assert f"the package twisted is not installed for {sys.executable}" in line
    assert line.endswith(f"run the server with the environment beside it: {folder / 'python'}\n")
    # That interpreter has no other to point to.
    line = refused(ended(*arguments, command=(str(folder / "python"), "-S"), cwd=home))
    assert f"run: {folder / 'python'} -m pip install -r requirements.txt" in line


def test_tokens_never_show_in_the_output_even_with_an_access_log() -> None:
    with Launched("0", "--access-log", "--token", SECRET) as server:
        for path in (STATUS, EVENTS, f"{STATUS}?token={SECRET}", "/api/oagw/v1/proxy/none/x"):
            for shown in (SECRET, f"{SECRET}-wrong"):
                server.get(path, Authorization=f"Bearer {shown}")
        with server.connect() as connection:
            connection.sendall(
                f"GET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\nnot a header\r\n\r\n".encode()
            )
            assert b" 400 " in connection.recv(65536)
        assert server.stop() == 0
        assert f"GET {STATUS} 200" in server.said()
        assert SECRET not in server.said() + server.rest().decode() + json.dumps(server.event)


def test_each_answered_request_is_a_line_of_the_access_log_and_of_no_other() -> None:
    for options, lines in ((["--access-log"], 3), ([], 0)):
        with Launched("0", *options) as server:
            for path in ("/health", "/health?city=Oslo", "/nowhere"):
                server.get(path)
            assert server.stop() == 0
            assert server.said().count(" GET /") == lines
            assert "Oslo" not in server.said()
