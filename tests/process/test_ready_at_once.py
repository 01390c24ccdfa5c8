import contextlib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from launched import PATIENCE, ROOT, SERVER, Launched, ended, free_port

pytestmark = pytest.mark.alone

RUNS = 5

# The least that a site on Twisted can be.
BARE = """
import sys
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Site
class Health(Resource):
    isLeaf = True
    def render_GET(self, request):
        return b"healthy"
reactor.listenTCP(int(sys.argv[1]), Site(Health()), interface="127.0.0.1")
reactor.run()
"""


def started(*command: str) -> tuple[float, float]:
    """Seconds from the start of a process until a client is connected, and until it has its answer."""
    port = free_port()
    begin = time.perf_counter()
    with Launched(str(port), command=command, announces=False, stdout=subprocess.DEVNULL) as server:
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                connection = server.connect()
                if connection.getsockname() != connection.getpeername():  # by chance connected to itself
                    break
                connection.close()
            assert time.perf_counter() - begin < PATIENCE
            time.sleep(0.001)
        connected = time.perf_counter() - begin
        with connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\n\r\n")
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
            return connected, time.perf_counter() - begin


def test_clients_connect_far_earlier_than_to_a_bare_site_and_are_answered_about_as_early(
    record_property: Callable[[str, object], None],
) -> None:
    # In turns, so that a loaded machine slows both down.
    runs = [(started(*SERVER), started(sys.executable, "-c", BARE)) for _ in range(RUNS)]
    connected, bare_connected = (statistics.median(run[i][0] for run in runs) for i in (0, 1))
    answered, bare_answered = (statistics.median(run[i][1] for run in runs) for i in (0, 1))
    record_property("seconds to connect and to an answer", (connected, answered))
    record_property("seconds for a bare site", (bare_connected, bare_answered))
    assert connected < bare_connected * 0.6
    assert answered < bare_answered * 1.6


def imported(*command: str) -> list[str]:
    """The modules that Python imports, in order, with the lines that the process itself writes."""
    process = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return [line.rpartition("|")[2].strip() for line in process.stderr.splitlines()]


def test_nothing_but_the_standard_library_is_imported_before_it_listens() -> None:
    with Launched("0", command=(sys.executable, "-X", "importtime", *SERVER[1:])) as server:
        assert server.get()[0] == 200
        assert server.stop() == 0
        lines = [line.rpartition("|")[2].strip() for line in server.said().splitlines()]
    listens = next(i for i, line in enumerate(lines) if line.startswith("oagw-mock-server listens"))
    by_python_itself = set(imported("-c", "pass"))
    early = {name.partition(".")[0] for name in set(lines[:listens]) - by_python_itself}
    late = {name.partition(".")[0] for name in lines[listens:]}
    assert early - sys.stdlib_module_names == {"oagw"}
    assert {"twisted", "msgspec"} <= late


@pytest.mark.parametrize(
    "module",
    [
        "oagw.admin",
        "oagw.gateway.management",
        "oagw.model.upstream",
        "oagw.policies.buckets",
        "oagw.registry",
        "oagw.secrets",
        "oagw.timing.manual_clock",
        "twisted.internet.asyncioreactor",
        "twisted.internet.endpoints",
        "twisted.trial",
        "twisted.web.client",
        "twisted.web.distrib",
        "twisted.web.static",
        "twisted.web.template",
        "twisted.web.websocket",
        "unittest",
    ],
)
def test_what_the_server_never_needs_is_not_loaded(module: str, loaded: list[str]) -> None:
    assert module not in loaded


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules of a process that has answered a request."""
    with Launched("0", command=(sys.executable, "-X", "importtime", *SERVER[1:])) as server:
        assert server.get()[0] == 200
        assert server.stop() == 0
        return {line.rpartition("|")[2].strip() for line in server.said().splitlines()}


def test_the_composition_root_installs_no_reactor() -> None:
    script = "import sys, oagw.app; print('twisted.internet.reactor' in sys.modules)"
    process = ended("-c", script, command=(sys.executable,), cwd=ROOT)
    assert (process.stdout, process.stderr) == ("False\n", "")


def test_a_client_that_connects_before_twisted_is_there_waits_and_is_answered() -> None:
    port = free_port()
    with (
        socket.socket() as client,
        Launched(str(port), announces=False, stdout=subprocess.DEVNULL) as server,
    ):
        client.settimeout(PATIENCE)
        while client.connect_ex((server.host, port)):
            assert server.process.poll() is None, server.said()
        client.sendall(b"GET /health HTTP/1.1\r\nHost: mock\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
