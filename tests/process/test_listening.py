import json
import resource
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from launched import PATIENCE, Launched, free_port, ipv6

from oagw import __version__

BURST = 1000

needs_ipv6 = pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6")


def test_standard_output_is_two_lines_of_json_that_say_where_it_listens_and_that_it_is_ready() -> None:
    with Launched("0") as server:
        about = {
            "url": f"http://127.0.0.1:{server.port}",
            "host": "127.0.0.1",
            "port": server.port,
            "pid": server.process.pid,
            "version": __version__,
        }
        assert server.event == {"event": "listening", **about}
        assert json.loads(server.line(b".*")[0]) == {"event": "ready", **about}
        assert server.get()[0] == 200
        assert server.stop() == 0
        assert server.rest() == b""


def test_when_a_server_is_ready_next_to_nothing_is_left_to_do_for_an_answer() -> None:
    def processor_time() -> int:
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    with Launched("0") as server, server.connect() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\n\r\n")
        server.line(b'"ready"')
        until_ready = processor_time()
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        assert processor_time() - until_ready < until_ready / 4


def test_standard_error_is_one_line_for_people() -> None:
    with Launched("0") as server:
        server.get()
        assert server.stop() == 0
        assert server.said().count("\n") == 1
        assert server.event["url"] in server.said()


def test_a_given_port_is_taken_and_zero_finds_a_free_one() -> None:
    port = free_port()
    with Launched(str(port)) as given, Launched("0") as one, Launched("0") as other:
        assert given.port == port
        assert len({given.port, one.port, other.port, 0}) == 4
        assert [server.get()[0] for server in (given, one, other)] == [200] * 3


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("::1", "http://[::1]:{}", marks=needs_ipv6),
        pytest.param("::", "http://[::1]:{}", marks=needs_ipv6),
        ("0.0.0.0", "http://127.0.0.1:{}"),
        ("127.0.0.2", "http://127.0.0.2:{}"),
    ],
)
def test_the_url_leads_to_the_server_whatever_it_listens_on(host: str, url: str) -> None:
    with Launched("0", "--host", host) as server:
        assert server.event["host"] == host
        assert server.event["url"] == url.format(server.port)
        server.host = server.event["url"].removeprefix("http://").rpartition(":")[0].strip("[]")
        assert server.get()[0] == 200


def test_localhost_is_a_host() -> None:
    with Launched("0", "--host", "localhost") as server:
        assert server.event["host"] in ("127.0.0.1", "::1")
        server.host = "localhost"
        assert server.get()[0] == 200


def test_one_address_is_listened_on_and_no_other() -> None:
    with Launched("0") as server:
        server.get()
        server.host = "127.0.0.2"
        assert not server.accepts()


def test_the_backlog_is_4096() -> None:
    if shutil.which("ss") is None:
        pytest.skip("ss is not installed")
    with open("/proc/sys/net/core/somaxconn") as file:
        expected = min(4096, int(file.read()))
    with Launched("0") as server:
        for moment in ("early", "ready"):
            report = subprocess.run(
                ["ss", "-Hltn", f"sport = :{server.port}"], capture_output=True, text=True, timeout=PATIENCE
            )
            assert report.stdout.split()[2] == str(expected), moment
            server.get()


def test_a_thousand_clients_connect_before_anyone_is_answered() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(BURST + 500, hard), hard))
    clients: list[socket.socket] = []
    try:
        with Launched("0") as server:
            server.get()
            server.process.send_signal(signal.SIGSTOP)
            for _ in range(BURST):
                # Where the backlog is full, the first try is lost and the next comes a second later.
                clients.append(server.connect(patience=0.9))
            server.process.send_signal(signal.SIGCONT)
            for client in clients:
                client.settimeout(PATIENCE)
                client.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\n\r\n")
            assert {client.recv(15) for client in clients} == {b"HTTP/1.1 200 OK"}
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_listens_again_at_once_where_one_with_open_connections_stopped() -> None:
    with Launched("0") as first:
        port = first.port
        with first.stream(), first.stream():
            assert first.stop() == 0
        with Launched(str(port)) as second:
            assert second.get()[0] == 200
