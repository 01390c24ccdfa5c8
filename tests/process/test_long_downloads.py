"""A long download through the gateway by a client that reads slowly takes little memory of the gateway.

``OAGW_DOWNLOAD_MIB`` says how long it is, 64 MiB by default.
"""

import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from launched import PATIENCE, TOKEN, Launched

from oagw.testing import RunningGateway

SIZE = int(os.environ.get("OAGW_DOWNLOAD_MIB", "64")) << 20

# MiB that the download may add to the memory of the gateway.
MOST = 32

# How much the client reads at a time, before a short pause.
SIP = 4 << 20

PART = b"x" * (1 << 20)
HEADS = {
    "length": b"Content-Length: %d\r\n\r\n" % SIZE,
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n",
    "events": b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@contextmanager
def upstream() -> Iterator[int]:
    """Serve downloads, as fast as they are taken; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def accept(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            kind = connection.recv(65536).split(b" ")[1].decode().removeprefix("/")
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + HEADS[kind])
            part = PART if kind == "length" else b"%x\r\n%b\r\n" % (len(PART), PART)
            for _ in range(SIZE // len(PART)):
                connection.sendall(part)
            if kind != "length":
                connection.sendall(b"0\r\n\r\n")


def memory(server: Launched, name: str) -> float:
    """Return the resident memory of ``server`` in MiB: VmRSS, now, or VmHWM, the most so far."""
    found = re.search(rf"{name}:\s*(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from")
def test_a_slow_reader_of_a_long_download_takes_little_memory() -> None:
    with Launched("0") as server, upstream() as port:
        RunningGateway(f"http://{server.host}:{server.port}", TOKEN).upstream(
            "lab", f"http://127.0.0.1:{port}"
        )
        for kind in HEADS:
            before = memory(server, "VmRSS")
            Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # forget the most so far
            assert download(server, kind) >= SIZE
            added = memory(server, "VmHWM") - before
            print(f"{kind}: {added:.1f} MiB")
            assert added < MOST, f"{kind}: {added:.1f} MiB"


def download(server: Launched, kind: str) -> int:
    """Return how many bytes a slow client gets."""
    with server.connect() as client:
        head = f"GET /oagw/v1/proxy/lab/{kind} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer {TOKEN}\r\n"
        client.sendall(f"{head}Connection: close\r\n\r\n".encode())
        time.sleep(0.2)  # it does not read at all
        received, buffer = 0, bytearray(SIP)
        assert client.recv_into(buffer, 15, socket.MSG_PEEK | socket.MSG_WAITALL) == 15
        assert buffer.startswith(b"HTTP/1.1 200 OK")
        deadline = time.monotonic() + PATIENCE + SIZE / (4 << 20)
        while read := client.recv_into(buffer, SIP, socket.MSG_WAITALL):
            received += read
            time.sleep(0.005)
            assert time.monotonic() < deadline
        return received
