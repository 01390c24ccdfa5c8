"""InMemoryGateway as the author of a test has it: real clients of Twisted, no socket, no waiting."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

import oagw
from oagw.testing import InMemoryGateway, Refused, RunningGateway

EVENTS = b"/events?count=0&interval=1&size=100"


class Body(Protocol):
    """Reads the body of ``response``; ``ended`` is why it ended."""

    ended: Failure | None = None

    def __init__(self, response: Any) -> None:
        self.data = b""
        response.deliverBody(self)

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended = reason


class Raw(Protocol):
    """A connection to the gateway in bytes."""

    lost: Failure | None = None

    def __init__(self) -> None:
        self.data = b""

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason

    @property
    def end(self) -> type[BaseException] | None:
        return None if self.lost is None else self.lost.type


class Connects(ClientFactory):
    """Makes the connection of one protocol."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self.made = protocol
        self.failed: list[Failure] = []

    def buildProtocol(self, addr: object) -> Protocol:
        return self.made

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:
        self.failed.append(reason)


@implementer(IBodyProducer)
class Upload:
    """A body that is sent in pieces of 16 KiB, as fast as the gateway reads."""

    length = UNKNOWN_LENGTH

    def __init__(self, pieces: int) -> None:
        self.left = pieces
        self.pauses = 0
        self.paused = False
        self.done: Deferred[None] = Deferred()

    def startProducing(self, consumer: Any) -> Deferred[None]:
        self._consumer = consumer
        self.resumeProducing()
        return self.done

    def resumeProducing(self) -> None:
        self.paused = False
        while self.left and not self.paused:
            self.left -= 1
            self._consumer.write(b"x" * 16384)
        if not self.left and not self.done.called:
            self.done.callback(None)

    def pauseProducing(self) -> None:
        self.pauses += 1
        self.paused = True

    def stopProducing(self) -> None:
        self.left = 0


class InMemoryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.gateway = InMemoryGateway()
        self.agent = self.gateway.agent()

    def request(
        self, path: bytes, method: bytes = b"GET", alias: str = "stripe", sandbox: Any = None, **more: Any
    ) -> Any:
        """The Deferred of a response."""
        headers = Headers({"Authorization": [f"Bearer {(sandbox or self.gateway).token}"]})
        agent = more.pop("agent", self.agent)
        url = self.gateway.alias_url(alias).encode() + path
        return agent.request(method, url, headers, more.get("body"))

    def raw(self, *fields: str, target: str = "/health") -> Raw:
        """A connection on which a request was sent."""
        raw = Raw()
        self.gateway.reactor.connectTCP("localhost", 8765, Connects(raw))
        self.gateway.pump()
        lines = [f"GET {target} HTTP/1.1", "Host: g", f"Authorization: Bearer {self.gateway.token}", *fields]
        raw.transport.write("\r\n".join([*lines, "", ""]).encode())
        self.gateway.pump()
        return raw


class CallTests(InMemoryCase):
    def test_a_call_is_answered_at_once(self) -> None:
        self.gateway.stub("POST stripe/charges", status=201, json={"id": 1})

        response = self.successResultOf(self.request(b"/charges", b"POST"))
        body = Body(response)

        self.assertEqual((response.code, body.data), (201, b'{"id":1}'))
        self.assertIs(body.ended.type, ResponseDone)
        self.assertEqual(self.gateway.verify("POST stripe/charges", times=1), 1)
        self.assertEqual(self.gateway.reactor.seconds(), 0)

    def test_sandboxes_and_the_report_are_there(self) -> None:
        self.assertIsInstance(self.gateway, RunningGateway)
        with self.assertRaises(AssertionError) as caught, self.gateway.sandbox() as sandbox:
            sandbox.stub("GET stripe/x", status=204)
            self.assertEqual(self.successResultOf(self.request(b"/x", sandbox=sandbox)).code, 204)
            self.assertEqual(self.successResultOf(self.request(b"/x")).code, 404)
            raise AssertionError("on purpose")
        (note,) = caught.exception.__notes__
        self.assertIn("GET /api/oagw/v1/proxy/stripe/x -> 204 from a stub", note)
        self.assertEqual(len(self.gateway.requests()), 1)

    def test_what_the_control_plane_refuses_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "color"):
            self.gateway.admin("POST", "/mappings", {"color": 1})

    def test_options_are_those_of_the_server(self) -> None:
        self.gateway = InMemoryGateway(token="mine", options=["--admin-token", "secret", "--port", "9"])
        self.assertEqual(self.gateway.base_url, "http://127.0.0.1:9")
        self.gateway.stub("GET stripe/x")
        response = self.request(b"/x", agent=self.gateway.agent())
        self.assertEqual(self.successResultOf(response).code, 200)
        for options, why in ((["--no-such"], "unrecognized"), (["--clock", "manual"], "advance()")):
            with self.assertRaisesRegex(ValueError, why):
                InMemoryGateway(options=options)

    def test_two_of_them_share_nothing(self) -> None:
        self.gateway.stub("GET stripe/x")
        other = InMemoryGateway()
        self.assertEqual(other.admin("GET", "/mappings")["mappings"], [])
        self.assertEqual(other.reactor.seconds(), 0)

    def test_a_pool_reuses_its_connection(self) -> None:
        agent = self.gateway.agent(pool=HTTPConnectionPool(self.gateway.reactor))
        for _ in range(2):
            Body(self.successResultOf(self.request(b"/current?city=Oslo", alias="weather", agent=agent)))
        one, other = self.gateway.requests()
        self.assertEqual([one["oagw"]["turn"], other["oagw"]["turn"]], [1, 2])

    def test_an_agent_of_the_clients_own_needs_a_pump(self) -> None:
        response = self.request(b"/current?city=Oslo", alias="weather", agent=Agent(self.gateway.reactor))
        self.assertNoResult(response)
        self.gateway.pump()
        self.assertEqual(self.successResultOf(response).code, 200)

    def test_where_nobody_listens_a_connection_is_refused(self) -> None:
        with self.assertRaises(ConnectionRefusedError):
            self.gateway.run(self.agent.request(b"GET", b"http://localhost:1/"))

    def test_an_agent_reaches_the_gateway_at_another_name_of_this_machine(self) -> None:
        response = self.gateway.run(self.agent.request(b"GET", b"http://localhost:8765/health"))
        self.assertEqual(response.code, 200)

    def test_a_client_that_cancels_its_call_has_left(self) -> None:
        self.gateway.stub("GET stripe/x", delay=5)
        response = self.request(b"/x")
        response.cancel()
        self.gateway.pump()
        self.failureResultOf(response, ResponseFailed)
        self.gateway.advance(5)
        (request,) = self.gateway.requests()
        self.assertEqual(request["oagw"]["ended"], "client_left")

    def test_its_module_is_light_until_it_is_used(self) -> None:
        script = "import sys, oagw.testing; print('twisted' in sys.modules, 'msgspec' in sys.modules)"
        home = Path(oagw.__file__).parents[1]
        said = subprocess.run([sys.executable, "-c", script], cwd=home, capture_output=True, text=True)
        self.assertEqual(said.stdout, "False False\n")


class TimeTests(InMemoryCase):
    def test_a_delay_takes_the_time_of_the_clock_alone(self) -> None:
        self.gateway.stub("GET stripe/x", delay=30)
        response = self.request(b"/x")
        self.gateway.advance(29.999)
        self.assertNoResult(response)
        self.gateway.advance(0.001)
        self.assertEqual(self.successResultOf(response).code, 200)

    def test_run_lets_time_pass_until_there_is_a_result(self) -> None:
        self.gateway.stub("GET stripe/x", status=200)
        self.gateway.stub(
            "GET stripe/x", problem={"category": "resource_exhausted", "retryAfter": 7}, times=2
        )

        async def patient() -> int:
            while (response := await self.request(b"/x")).code == 429:
                (seconds,) = response.headers.getRawHeaders("Retry-After")
                await deferLater(self.gateway.reactor, float(seconds))
            return int(response.code)

        self.assertEqual(self.gateway.run(patient()), 200)
        self.assertEqual(self.gateway.reactor.seconds(), 14)
        self.gateway.verify("GET stripe/x", after="GET stripe/x", times=2, not_sooner_than=7)
        self.assertEqual(self.gateway.report()["findings"], [])

    def test_run_ends_after_a_while_and_raises_what_fails(self) -> None:
        never: Deferred[None] = Deferred()
        with self.assertRaisesRegex(TimeoutError, "after 5 seconds"):
            self.gateway.run(never, seconds=5)

        async def failing() -> None:
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            self.gateway.run(failing())

    def test_events_of_a_stream_come_at_their_times(self) -> None:
        body = Body(self.successResultOf(self.request(EVENTS, alias="stream-test")))
        seen = []
        for _ in range(4):
            self.gateway.pump()
            seen.append(body.data.count(b"\n\n"))
            self.gateway.advance(0.9999)
            self.assertEqual(body.data.count(b"\n\n"), seen[-1])
            self.gateway.advance(0.0001)
        self.assertEqual(seen, [1, 2, 3, 4])

    def test_a_latency_toxic_delays_each_answer(self) -> None:
        self.gateway.toxic("latency", latency=1500)
        self.assertEqual(self.gateway.run(self.request(b"/current?city=Oslo", alias="weather")).code, 200)
        self.assertEqual(self.gateway.reactor.seconds(), 1.5)

    def test_a_verification_waits_in_the_time_of_the_clock(self) -> None:
        self.gateway.reactor.callLater(2, self.request, b"/x")
        self.assertEqual(self.gateway.verify("GET stripe/x", within=5), 1)
        self.assertEqual(self.gateway.reactor.seconds(), 2)
        with self.assertRaises(AssertionError):
            self.gateway.verify("GET stripe/y", within=5)
        self.assertEqual(self.gateway.reactor.seconds(), 7)

    def test_time_passes_until_nothing_is_pending(self) -> None:
        self.gateway.stub("GET stripe/x", delay=1000)
        with self.assertRaisesRegex(TimeoutError, "0 answers are pending, not 1"):
            self.gateway.wait_pending()
        response = self.request(b"/x")
        self.gateway.wait_pending()
        with self.assertRaisesRegex(TimeoutError, "1 answers are still pending"):
            self.gateway.advance_until_idle(999)
        self.assertEqual(self.gateway.reactor.seconds(), 999)
        self.gateway.advance_until_idle()
        self.assertEqual(self.successResultOf(response).code, 200)
        self.assertEqual(self.gateway.reactor.seconds(), 1000)

    def test_dates_pass_with_the_clock(self) -> None:
        def date() -> float:
            now: float = self.gateway.admin("GET", "/clock")["now"]
            return now

        began = date()
        self.gateway.advance(3600)
        self.assertEqual(date(), began + 3600)


class ConnectionTests(InMemoryCase):
    def test_a_reset_is_an_aborted_connection_after_what_was_sent(self) -> None:
        self.gateway.stub("GET stripe/x", body="x" * 1000)
        self.gateway.toxic("reset_peer", after_bytes=400)
        raw = self.raw(target="/api/oagw/v1/proxy/stripe/x")
        self.assertEqual(len(raw.data), 400)
        self.assertIs(raw.end, ConnectionAborted)
        self.assertTrue(issubclass(ConnectionAborted, ConnectionLost))

    def test_an_agent_tells_a_reset_from_a_cut(self) -> None:
        self.gateway.stub("GET stripe/x", body="x" * 1000)
        for toxic, ended in (("reset_peer", ConnectionAborted), ("limit_data", ConnectionDone)):
            attributes: dict[str, Any] = {"bytes" if toxic == "limit_data" else "after_bytes": 600}
            with self.gateway.toxic(toxic, **attributes):
                body = Body(self.successResultOf(self.request(b"/x")))
                self.gateway.pump()
                self.assertIs(body.ended.type, ResponseFailed)
                self.assertIn(ended, [reason.type for reason in body.ended.value.reasons])
                self.assertTrue(0 < len(body.data) < 600)

    def test_a_reset_before_the_answer_fails_the_request(self) -> None:
        self.gateway.stub("GET stripe/x", fault="CONNECTION_RESET_BY_PEER")
        failure = self.failureResultOf(self.request(b"/x"), ResponseFailed)
        self.assertEqual(failure.value.reasons[0].type, ConnectionAborted)

    def test_a_plain_end_is_a_plain_end(self) -> None:
        raw = self.raw("Connection: close")
        self.assertIn(b" 200 ", raw.data)
        self.assertIs(raw.end, ConnectionDone)

    def test_a_client_that_ends_its_side_is_still_answered(self) -> None:
        self.gateway.stub("GET stripe/x", delay=1, body="late")
        raw = self.raw(target="/api/oagw/v1/proxy/stripe/x")
        raw.transport.loseWriteConnection()
        self.gateway.advance(1)
        self.assertTrue(raw.data.endswith(b"late"))

    def test_an_exception_in_a_client_ends_its_connection_and_the_pump(self) -> None:
        raw = Raw()

        def broken(data: bytes) -> None:
            raise ZeroDivisionError

        raw.dataReceived = broken
        self.gateway.reactor.connectTCP("localhost", 8765, Connects(raw))
        self.gateway.pump()
        raw.transport.write(b"GET /health HTTP/1.1\r\nHost: g\r\n\r\n")
        with self.assertRaises(ZeroDivisionError):
            self.gateway.pump()
        self.assertIs(raw.end, ZeroDivisionError)

    def test_stop_closes_what_is_open(self) -> None:
        body = Body(self.successResultOf(self.request(EVENTS, alias="stream-test")))
        raw = self.raw()
        self.gateway.stop()
        self.assertIs(body.ended.type, ResponseDone)
        self.assertIs(raw.end, ConnectionDone)
        self.assertEqual(self.gateway.reactor.getDelayedCalls(), [])
        with self.assertRaises(ConnectionRefusedError):
            self.gateway.run(self.request(b"/x"))


class BackpressureTests(InMemoryCase):
    def test_a_client_that_does_not_read_makes_the_gateway_pause(self) -> None:
        many = b"/events?count=1000&interval=0.001&size=2000"
        response = self.successResultOf(self.request(many, alias="stream-test"))
        body = Body(response)
        self.gateway.pump()
        body.transport.pauseProducing()
        self.gateway.advance(10)
        (sent,) = (request["oagw"]["bytesSent"] for request in self.gateway.requests())
        self.assertTrue(100_000 < sent < 300_000, sent)
        self.assertTrue(len(body.data) < 10_000)

        body.transport.resumeProducing()
        self.gateway.advance(10)

        self.assertIs(body.ended.type, ResponseDone)
        ids = [line for line in body.data.split(b"\n") if line.startswith(b"id: ")]
        self.assertEqual(len(ids), 1000)
        self.assertEqual(len(set(ids)), 1000)

    def test_a_body_is_sent_as_fast_as_the_gateway_reads(self) -> None:
        self.gateway.stub("POST stripe/x", status=201)
        upload = Upload(pieces=60)
        response = self.successResultOf(self.request(b"/x", b"POST", body=upload))
        self.assertEqual(response.code, 201)
        self.assertTrue(upload.pauses > 5, upload.pauses)
        (request,) = self.gateway.requests()
        self.assertEqual(request["oagw"]["bodySize"], 60 * 16384)

    def test_a_body_from_a_file_is_read_in_turns_of_this_reactor(self) -> None:
        self.gateway.stub("POST stripe/x", status=201)
        body = FileBodyProducer(BytesIO(b"x" * 200_000))
        self.assertEqual(self.successResultOf(self.request(b"/x", b"POST", body=body)).code, 201)
        (request,) = self.gateway.requests()
        self.assertEqual(request["oagw"]["bodySize"], 200_000)
