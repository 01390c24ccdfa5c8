import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from launched import EVENTS, PATIENCE, ROOT, TOKEN, TWISTD, Launched, ended, read_to_end, until

PLUGIN = (*TWISTD, "oagw")
WEB = (*TWISTD, "web", "--class=oagw.tap.root", "--listen", "tcp:0:interface=127.0.0.1")
BEARER = f"Bearer {TOKEN}"


@pytest.fixture
def place(tmp_path: Path) -> dict[str, Any]:
    """Where twistd finds the plugin, and a directory that it may write to."""
    return {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}


def test_the_plugin_takes_the_server_s_options_and_announces_itself(place: dict[str, Any]) -> None:
    with Launched("0", "--token", "other", "--access-log", command=PLUGIN, **place) as server:
        assert server.event["pid"] == server.process.pid
        assert server.event["url"] == f"http://127.0.0.1:{server.port}"
        assert json.loads(server.line(rb'\{"event".*\}')[0]) == {**server.event, "event": "ready"}
        assert server.get("/api/oagw/v1/status", Authorization="Bearer other")[0] == 200
        assert server.get("/api/oagw/v1/status", Authorization=BEARER)[0] == 403
        until(lambda: "GET /api/oagw/v1/status 403" in server.said())  # the answer is out before its line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_the_plugin_ends_open_streams_cleanly_at_a_signal(
    place: dict[str, Any], number: signal.Signals
) -> None:
    with Launched("0", "--stream-interval-scale", "1000", command=PLUGIN, **place) as server:
        streams = [server.stream() for _ in range(5)]
        server.stop(number)
        assert [read_to_end(stream) for stream in streams] == [b"0\r\n\r\n"] * 5
        assert not server.accepts()
        assert b"Traceback" not in server.rest()


def test_the_plugin_takes_over_an_inherited_socket(place: dict[str, Any]) -> None:
    script = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.execv(sys.argv[2], sys.argv[2:])"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        command = (PLUGIN[0], "-c", script, str(descriptor), *PLUGIN)
        place["env"]["LISTEN_FDS"] = "1"
        with Launched(command=command, pass_fds=[descriptor], **place) as server:
            assert server.port == listening.getsockname()[1]
            assert server.get()[0] == 200


def test_the_plugin_ends_with_its_standard_input_and_in_order(place: dict[str, Any]) -> None:
    with Launched("0", "--exit-with-parent", command=PLUGIN, stdin=subprocess.PIPE, **place) as server:
        assert server.get()[0] == 200
        server.process.stdin.close()
        assert server.process.wait(PATIENCE) == 0
        assert b"Traceback" not in server.rest()


def test_the_plugin_stops_in_order_while_it_watches_standard_input(place: dict[str, Any]) -> None:
    with Launched("0", "--exit-with-parent", command=PLUGIN, stdin=subprocess.PIPE, **place) as server:
        assert server.get()[0] == 200
        server.stop()
        assert b"Traceback" not in server.rest()


def test_the_plugin_says_in_one_line_that_a_port_is_in_use(place: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = ended(str(port), command=PLUGIN, **place)
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1, process.stderr
    assert f"port {port} of 127.0.0.1" in process.stderr
    assert "Traceback" not in process.stdout


def test_the_plugin_says_what_is_wrong_with_an_option(place: dict[str, Any]) -> None:
    process = ended("abc", command=PLUGIN, **place)
    assert process.returncode == 1
    said = process.stdout + process.stderr
    assert "a port is a number from 0 to 65535" in said
    assert "Traceback" not in said


def test_the_plugin_has_the_same_help_and_is_listed_by_twistd(place: dict[str, Any]) -> None:
    process = ended("--help", command=PLUGIN, **place)
    assert process.returncode == 0
    assert "--exit-with-parent" in process.stdout
    assert "oagw" in ended("--help", command=TWISTD, **place).stdout.split()


def test_the_tree_alone_is_served_by_the_web_plugin(place: dict[str, Any]) -> None:
    with Launched(command=WEB, announces=False, **place) as server:
        server.port = int(server.line(rb"Site starting on (\d+)")[1])
        assert server.get()[0] == 200
        assert server.get("/api/oagw/v1/status")[0] == 401
        path = "/api/oagw/v1/proxy/weather/current?city=Oslo"
        status, body = server.get(path, Authorization=BEARER)
        assert (status, b'"location":"Oslo"' in body) == (200, True)
        status, body = server.get(EVENTS, Authorization=BEARER)
        assert (status, body.count(b"\n\n")) == (200, 4)
        path = "/api/oagw/v1/proxy/calculator/add"
        server.ask("POST", path, b"not json", Authorization=BEARER)
        server.get("/nowhere/at/all")
        server.stop()
        until(lambda: not server.accepts())
        log = server.rest()
        assert b"Traceback" not in log
        assert re.search(rb'\[\d\d/\w{3}/20\d\d:.*"GET /nowhere/at/all HTTP/1.1" 404', log)
