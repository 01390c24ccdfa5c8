import socket
import sys
import tempfile
from typing import Any

import pytest
from launched import SERVER, Launched, ended, ipv6

# Takes the place of the server with the descriptor named first as number 3, as a service manager does.
HAND_DOWN = """
import os, sys
if sys.argv[1] != "none":
    os.dup2(int(sys.argv[1]), 3)
else:
    os.closerange(3, 10)
os.environ["LISTEN_PID"] = sys.argv[2] or str(os.getpid())
if sys.argv[2] == "unset":
    del os.environ["LISTEN_PID"]
os.environ["LISTEN_FDS"] = sys.argv[3]
os.execv(sys.argv[4], sys.argv[4:])
"""


def handing_down(descriptor: int | str, pid: str = "", count: str = "1") -> tuple[str, ...]:
    return (sys.executable, "-c", HAND_DOWN, str(descriptor), pid, count, *SERVER)


@pytest.mark.parametrize("pid", ["", "unset"], ids=["meant for it", "meant for nobody in particular"])
def test_a_listening_socket_is_inherited(pid: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        with Launched("1", command=handing_down(descriptor, pid), pass_fds=[descriptor]) as server:
            assert server.port == listening.getsockname()[1]
            listening.close()
            assert server.get()[0] == 200
            assert server.stop() == 0
            assert not server.accepts()


@pytest.mark.skipif(not ipv6(), reason="this machine has no IPv6")
def test_an_inherited_socket_may_be_of_ipv6() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        descriptor = listening.fileno()
        with Launched(command=handing_down(descriptor), pass_fds=[descriptor]) as server:
            assert server.event["url"] == f"http://[::1]:{listening.getsockname()[1]}"
            assert server.get()[0] == 200


def test_a_socket_that_is_meant_for_another_process_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        with Launched("0", command=handing_down(descriptor, pid="1"), pass_fds=[descriptor]) as server:
            assert server.port != listening.getsockname()[1]
            assert server.get()[0] == 200


def bound_only() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


@pytest.mark.parametrize(
    "make",
    [
        bound_only,
        lambda: socket.socket(type=socket.SOCK_DGRAM),
        lambda: socket.socket(socket.AF_UNIX),
        tempfile.TemporaryFile,
    ],
    ids=["bound only", "udp", "unix", "file"],
)
def test_what_is_inherited_and_does_not_listen_is_refused_in_one_line(make: Any) -> None:
    with make() as given:
        process = ended("0", command=handing_down(given.fileno()), pass_fds=[given.fileno()])
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1
    assert "descriptor 3 is not a" in process.stderr


@pytest.mark.parametrize("count", ["1", "0", "x", "-1", "²", ""])
def test_a_count_of_sockets_without_a_socket_is_refused_in_one_line(count: str) -> None:
    process = ended("0", command=handing_down("none", count=count))
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.count("\n") == 1, process.stderr
    assert "LISTEN_FDS" in process.stderr
