"""Upstreams that misbehave: the client gets an answer in any case, and nothing is left behind."""

import json
from collections.abc import Callable

from twisted.internet.error import ConnectionLost

from tests.support.upstreams import PROXY, Peer, UpstreamsTestCase
from tests.support.wire import BEARER, Answer, parse, request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CALL = request(f"GET {PROXY}/lab/v1 HTTP/1.1", "Host: g", BEARER)

Script = Callable[[Peer], None]


class HostileTestCase(UpstreamsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.registered()
        self.reactor.answer = lambda *_: None

    def called(self, script: Script, seconds: float = 0.0) -> bytes:
        """Call the upstream, which does what ``script`` says; returns what the client got."""
        connection = self.wire.connect()
        connection.send(CALL)
        self.wire.clock.advance(0)
        peer = self.reactor.peers[-1]
        script(peer)
        if seconds:
            self.wire.clock.advance(seconds)
        received = connection.take()
        self.assertTrue(peer.transport.disconnected or peer.ended)
        peer.send(b"more")  # which is not read
        peer.end(ConnectionLost())
        self.assertEqual(connection.take(), b"")
        connection.leave()
        return received

    def refused(self, script: Script, seconds: float = 0.0, status: int = 503) -> Answer:
        answer, rest = parse(self.called(script, seconds))
        self.assertEqual((answer.status, answer.source, rest), (status, ["gateway"], b""))
        return answer

    def broken_off(self, script: Script, begin: bytes, seconds: float = 0.0, status: int = 503) -> None:
        """The response is a success up to ``begin``; then comes the document."""
        answer, _ = parse(self.called(script, seconds))
        self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
        self.assertEqual(answer.body[: len(begin)], begin)
        self.assertEqual(json.loads(answer.body[len(begin) :])["status"], status)


def sends(*pieces: bytes, end: Exception | bool = False) -> Script:
    """Send ``pieces``, then end: with a FIN if ``end`` is True, or with an error."""

    def script(peer: Peer) -> None:
        for piece in pieces:
            peer.send(piece)
        if end and not peer.transport.disconnected:
            peer.end(None if end is True else ConnectionLost())

    return script


class GarbageTests(HostileTestCase):
    def test_what_is_no_response_is_a_503(self) -> None:
        for garbage in (
            b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 099 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA\x00: b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        ):
            self.assertEqual(self.refused(sends(garbage)).json()["context"]["retry_after_seconds"], 5)

    def test_control_characters_in_a_field_are_a_503(self) -> None:
        # RFC 9110 section 5.5: CR, LF and NUL must not be passed on, the others are invalid.
        for code in {*range(0x20), 0x7F} - {*b"\t\n"}:  # a tab is allowed, and a line feed ends the line
            for value in (b"a%cb", b"%cb", b"a%c"):
                field = b"X-Note: " + value % code
                answer = self.refused(sends(HEAD, field + b"\r\nContent-Length: 0\r\n\r\n"))
                self.assertEqual(answer.json()["context"]["retry_after_seconds"], 5, field)
                self.assertNotIn("x-note", answer.headers)

    def test_a_tab_and_bytes_above_ascii_pass(self) -> None:
        value = b"a\tb \x80\xe9\xff \xc3\xa9"
        received = self.called(sends(HEAD, b"X-Note:\t" + value + b" \r\nContent-Length: 0\r\n\r\n"))
        self.assertIn(b"X-Note: " + value + b"\r\n", received)

    def test_a_control_character_in_a_trailer_ends_the_response(self) -> None:
        chunked = (b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nhi\r\n", b"0\r\nX-Note: a\x01b\r\n\r\n")
        self.broken_off(sends(HEAD, *chunked), b"hi")

    def test_an_endless_head_is_cut_off(self) -> None:
        line = b"X-%d: " + b"y" * 1000 + b"\r\n"
        self.refused(sends(HEAD, *(line % number for number in range(100))))
        self.refused(sends(HEAD, b"X: ", *[b"y" * 1000] * 100))
        self.refused(sends(*[b"y" * 1000] * 100))

    def test_a_flood_of_informational_responses_is_cut_off(self) -> None:
        self.refused(sends(*[b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"] * 3000))
        informed = [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"]
        answer, _ = parse(self.called(sends(*informed, HEAD + b"Content-Length: 2\r\n\r\nok")))
        self.assertEqual((answer.status, answer.body, "a" in answer.headers), (200, b"ok", False))

    def test_malformed_chunks_break_off(self) -> None:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
        for chunks in (
            b"xyz\r\n",
            b"-1\r\n",
            b"2\r\nokay\r\n",
            b"fffffffff\r\n",
            b";" * 5000,
            b"0\r\nno colon\r\n\r\n",
            b"0\r\n" + b"A: " + b"x" * 4000 + b"\r\n" + b"B: c\r\n" * 30_000,
        ):
            self.broken_off(sends(head, chunks), b"ok")

    def test_more_than_announced_is_not_relayed(self) -> None:
        answer, rest = parse(
            self.called(sends(HEAD + b"Content-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\n\r\n"))
        )
        self.assertEqual((answer.body, rest), (b"ok", b""))

    def test_a_length_in_vain_is_no_body(self) -> None:
        for status in (b"204 No Content", b"304 Not Modified"):
            answer, rest = parse(
                self.called(sends(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nhello"))
            )
            self.assertEqual((answer.status, answer.body, rest), (int(status[:3]), b"", b""))


class EndingTests(HostileTestCase):
    RESPONSES = (
        HEAD + b"Content-Length: 5\r\n\r\nhello",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Last: 1\r\n\r\n",
        HEAD + b"\r\nhello",
    )

    def test_a_reset_after_each_byte(self) -> None:
        for response in self.RESPONSES:
            end_of_head = response.index(b"\r\n\r\n") + 4
            is_whole_at = len(response) if b"Content-Length" in response or b"chunked" in response else None
            for at in range(len(response) + 1):
                received = self.called(sends(response[:at], end=ConnectionLost()))
                answer, rest = parse(received) if b"Content-Length: 5" not in received else (None, b"")
                if at < end_of_head:
                    assert answer is not None
                    self.assertEqual(
                        (answer.status, answer.source, rest), (503, ["gateway"], b""), response[:at]
                    )
                elif answer is None:
                    # The document fills up the announced length.
                    body = received.partition(b"\r\n\r\n")[2]
                    self.assertEqual(body, (response[end_of_head:at] + b'{"type')[:5])
                else:
                    self.assertEqual((answer.status, answer.source), (200, ["upstream"]))
                    self.assertEqual(answer.body == b"hello", at == is_whole_at, response[:at])

    def test_a_close_after_each_byte(self) -> None:
        for response in self.RESPONSES[1:]:
            end_of_head = response.index(b"\r\n\r\n") + 4
            for at in range(len(response) + 1):
                answer, _ = parse(self.called(sends(response[:at], end=True)))
                if at < end_of_head:
                    self.assertEqual(answer.status, 503)
                elif b"chunked" in response:
                    self.assertEqual(answer.body == b"hello", at == len(response))
                else:  # the end of the connection is that of the body
                    self.assertEqual(answer.body, response[end_of_head:at])

    def test_byte_by_byte_is_as_good_as_at_once(self) -> None:
        for response in self.RESPONSES:
            pieces = [response[at : at + 1] for at in range(len(response))]
            answer, rest = parse(self.called(sends(*pieces, end=True)))
            self.assertEqual((answer.status, answer.body, rest), (200, b"hello", b""))

    def test_silence_at_any_point(self) -> None:
        for begin in (b"", b"HTTP/1.1 200 OK\r\n", HEAD):
            self.refused(sends(begin), seconds=2, status=504)
        self.broken_off(sends(HEAD + b"\r\n"), b"", seconds=2, status=504)
        self.broken_off(
            sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), b"hel", seconds=2, status=504
        )

    def test_a_trickle_of_a_head_does_not_hold_the_call(self) -> None:
        connection = self.wire.connect()
        connection.send(CALL)
        self.wire.clock.advance(0)
        for _ in range(3):
            self.reactor.peers[-1].send(b"H")
            self.wire.clock.advance(0.7)
        self.assertEqual(parse(connection.take())[0].status, 504)
        connection.leave()


class LeavingTests(HostileTestCase):
    def test_a_client_that_leaves_at_any_point_leaves_nothing(self) -> None:
        response = EndingTests.RESPONSES[1]
        for at in range(len(response)):
            connection = self.wire.connect()
            connection.send(CALL)
            self.wire.clock.advance(0)
            peer = self.reactor.peers[-1]
            peer.send(response[:at])
            connection.leave()
            self.assertTrue(peer.transport.disconnected)
            peer.end(ConnectionLost())
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_one_that_leaves_before_the_connection_is_made(self) -> None:
        connection = self.wire.connect()
        connection.send(CALL)
        connection.leave()
        self.wire.clock.advance(0)
        self.assertEqual(self.reactor.requests, [])
