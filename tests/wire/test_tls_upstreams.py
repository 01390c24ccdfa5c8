"""Upstreams behind TLS, with certificates of a private authority."""

import atexit
import contextlib
import json
import shutil
import ssl
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from unittest import SkipTest

from twisted.internet.error import ConnectionLost

from oagw.config import Config
from tests.support.upstreams import PROXY, Peer, UpstreamsTestCase
from tests.support.wire import BEARER, Connection, parse, request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@cache
def certificate() -> Path:
    """A file with a key and a certificate for api.vendor.example, which is its own authority."""
    if shutil.which("openssl") is None:
        raise SkipTest("openssl, which makes the certificate, is not installed")
    folder = mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "upstream.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=vendor"
    names = "subjectAltName=DNS:api.vendor.example,IP:127.0.0.1"
    command = ["openssl", *options.split(), "-addext", names, "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


class TlsPeer:
    """The upstream's end of a connection with TLS."""

    def __init__(self, peer: Peer) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate())
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.peer = peer
        self.received, self.sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.received, self.sent, server_side=True)

    def shake_hands(self) -> None:
        for _ in range(4):
            self._take()
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            self.give()

    def read(self) -> bytes:
        self._take()
        return self.tls.read(65536)

    def write(self, data: bytes) -> None:
        self.tls.write(data)
        self.give()

    def close(self) -> None:
        """Send TLS's own end."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        self.give()

    def give(self) -> None:
        self.peer.send(self.sent.read())

    def _take(self) -> None:
        self.received.write(self.peer.transport.value())
        self.peer.transport.clear()


class TlsTests(UpstreamsTestCase):
    def setUp(self) -> None:
        self.config = Config(seed=1, proxy_timeout=2.0, upstream_ca=str(certificate()))
        super().setUp()
        self.reactor.answer = lambda *_: None

    def called(self, alias: str = "lab") -> tuple[Connection, TlsPeer]:
        connection = self.wire.connect()
        self.addCleanup(connection.leave)
        connection.send(request(f"GET {PROXY}/{alias}/v1 HTTP/1.1", "Host: g", BEARER))
        self.wire.clock.advance(0)
        return connection, TlsPeer(self.reactor.peers[-1])

    def tearDown(self) -> None:
        self.doCleanups()
        super().tearDown()

    def test_a_call_over_tls(self) -> None:
        upstream = self.upstream(None, "api.vendor.example", scheme="https", port=443)
        self.route(upstream)
        connection, peer = self.called("api.vendor.example")
        peer.shake_hands()
        self.assertEqual(peer.tls.selected_alpn_protocol(), "http/1.1")
        self.assertTrue(peer.read().startswith(b"GET /v1 HTTP/1.1\r\nhost: api.vendor.example\r\n"))
        peer.write(HEAD + b"Content-Length: 200000\r\n\r\n")
        peer.write(b"x" * 200_000)
        answer, rest = parse(connection.take())
        self.assertEqual(
            (answer.status, answer.source, len(answer.body), rest), (200, ["upstream"], 200_000, b"")
        )
        self.assertTrue(peer.peer.transport.disconnected)

    def test_the_end_of_a_body_is_that_of_tls(self) -> None:
        self.registered(scheme="https", port=443)
        for closes in (True, False):
            connection, peer = self.called()
            peer.shake_hands()
            peer.read()
            peer.write(HEAD + b"\r\nhello")
            if closes:
                peer.close()
            peer.peer.end()
            answer, _ = parse(connection.take())
            self.assertEqual(answer.body[:5], b"hello")
            if closes:
                self.assertEqual(answer.body, b"hello")
            else:  # anybody could have cut the connection
                self.assertEqual(json.loads(answer.body[5:])["status"], 503)

    def refused(self, connection: Connection) -> None:
        answer, _ = parse(connection.take())
        self.assertEqual((answer.status, answer.source), (503, ["gateway"]))
        self.assertEqual(answer.json()["context"]["retry_after_seconds"], 5)

    def test_a_certificate_for_another_host_is_refused(self) -> None:
        self.route(self.upstream(None, "other.vendor.example", scheme="https", port=443))
        connection, peer = self.called("other.vendor.example")
        with contextlib.suppress(ssl.SSLError):
            peer.shake_hands()
        self.refused(connection)
        self.assertTrue(peer.peer.transport.disconnected)

    def test_a_certificate_of_an_unknown_authority_is_refused(self) -> None:
        self.config = Config(seed=1, proxy_timeout=2.0)
        UpstreamsTestCase.setUp(self)
        self.reactor.answer = lambda *_: None
        self.registered(scheme="https", port=443)
        connection, peer = self.called()
        with contextlib.suppress(ssl.SSLError):
            peer.shake_hands()
        self.refused(connection)

    def test_what_is_no_tls_is_refused(self) -> None:
        self.registered(scheme="https", port=443)
        for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\x15\x03\x01\x00\x02\x02\x28"):
            connection, peer = self.called()
            peer.peer.send(data)
            peer.peer.end(ConnectionLost())
            self.refused(connection)
