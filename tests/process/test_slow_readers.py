"""Clients that do not read long listings take little memory, and the others do not wait for them."""

import time
from pathlib import Path

import pytest
from launched import PATIENCE, TOKEN, Launched

pytestmark = pytest.mark.alone

BODY = b"\xff" * 1_000_000
LIST = b"GET /__admin/requests HTTP/1.1\r\nHost: localhost\r\n\r\n"

# MiB that three clients may take which do not read.
MOST = 100


def resident(server: Launched) -> float:
    """The resident memory of ``server`` in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from")
def test_three_clients_that_do_not_read_take_little() -> None:
    with Launched("0") as server:
        path = f"POST /api/oagw/v1/proxy/weather/x HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {TOKEN}"
        head = f"{path}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
        with server.connect() as connection:
            for _ in range(64):
                connection.sendall(head + BODY)
                assert b" 404 " in connection.recv(65536)
        with server.connect() as connection:  # loads what a listing needs
            connection.sendall(LIST)
            assert connection.recv(12) == b"HTTP/1.1 200"
        before = resident(server)
        readers = [server.connect() for _ in range(3)]
        for reader in readers:
            reader.sendall(LIST)
            assert reader.recv(12) == b"HTTP/1.1 200"
        most = 0.0
        for _ in range(10):
            asked = time.monotonic()
            assert server.get()[0] == 200
            assert time.monotonic() - asked < PATIENCE
            most = max(most, resident(server))
        for reader in readers:
            reader.close()
    assert most - before < MOST, f"{most - before:.0f} MiB"
