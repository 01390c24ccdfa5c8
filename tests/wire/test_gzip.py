"""--gzip: bodies are compressed for clients that accept it, as bytes."""

import gzip
from typing import Any

from oagw.config import Config
from oagw.web.accept import accepts_gzip
from oagw.web.gzip import MAX_SIZE
from tests.support.wire import BEARER, Answer, Wire, parse, request
from tests.support.wire_case import WireTestCase

PATH = "/oagw/v1/proxy/stripe/x"
WEATHER = "/oagw/v1/proxy/weather/current?city=Oslo"
ACCEPT = "Accept-Encoding: gzip, deflate"
TEXT = b"word " * 1000


class GzipTestCase(WireTestCase):
    def setUp(self) -> None:
        self.wire = Wire(Config(seed=1, gzip=True))
        self.connection = self.wire.connect()

    def stub(self, **response: Any) -> None:
        document = {"request": {"urlPath": PATH}, "response": response}
        self.assertEqual(self.wire.admin("POST", "/mappings", document).status, 201)

    def raw(self, method: str, path: str, *fields: str) -> bytes:
        return self.connection.send(request(f"{method} {path} HTTP/1.1", "Host: gateway", BEARER, *fields))

    def get(self, path: str = PATH, *fields: str) -> Answer:
        answer, rest = parse(self.raw("GET", path, ACCEPT, *fields))
        self.assertEqual(rest, b"")
        return answer

    def assert_coded(self, answer: Answer, body: bytes) -> None:
        self.assertEqual(answer.headers["content-encoding"], ["gzip"])
        self.assertEqual(answer.headers["vary"], ["Accept-Encoding"])
        self.assertEqual(gzip.decompress(answer.body), body)

    def assert_plain(self, answer: Answer, body: bytes) -> None:
        self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(answer.body, body)


class CodedTests(GzipTestCase):
    def test_a_stub_is_compressed(self) -> None:
        self.stub(body=TEXT.decode())
        answer = self.get()
        self.assert_coded(answer, TEXT)
        self.assertEqual(answer.headers["content-length"], [str(len(answer.body))])
        self.assertLess(len(answer.body), 100)

    def test_a_service_and_an_error_are_compressed(self) -> None:
        plain = self.wire.ask("GET", WEATHER)
        self.assertEqual(plain.headers["vary"], ["Accept-Encoding"])
        self.assert_plain(plain, plain.body)
        self.assert_coded(self.get(WEATHER), plain.body)
        missing = self.get("/oagw/v1/proxy/nobody/x")
        self.assertEqual(missing.status, 404)
        self.assertIn(b"Unknown alias: nobody", gzip.decompress(missing.body))

    def test_the_answer_to_head_has_the_fields_of_get(self) -> None:
        self.stub(body=TEXT.decode(), headers={"ETag": '"a"'})
        get = self.get()
        head, rest = parse(self.raw("HEAD", PATH, ACCEPT), head_only=True)
        self.assertEqual(rest, b"")
        volatile = ("date", "x-request-id")
        fields = [
            {name: values for name, values in one.headers.items() if name not in volatile}
            for one in (get, head)
        ]
        self.assertEqual(*fields)

    def test_a_strong_etag_becomes_a_weak_one_only_where_it_is_compressed(self) -> None:
        for given, coded in (('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')):
            self.stub(body="x", headers={"ETag": given})
            self.assertEqual(self.get().headers["etag"], [coded])
            self.assertEqual(self.wire.ask("GET", PATH).headers["etag"], [given])

    def test_a_304_has_the_fields_of_the_200(self) -> None:
        repository = "/oagw/v1/proxy/github/users/octocat"
        first = self.get(repository)
        (etag,) = first.headers["etag"]
        self.assertTrue(etag.startswith("W/"))
        again = self.get(repository, f"If-None-Match: {etag}")
        self.assertEqual((again.status, again.body), (304, b""))
        for name in ("etag", "vary"):
            self.assertEqual(again.headers[name], first.headers[name])
        self.assertNotIn("content-encoding", again.headers)

    def test_vary_keeps_what_a_stub_says(self) -> None:
        for given, sent in (("Origin", "Origin, Accept-Encoding"), ("accept-encoding", "accept-encoding")):
            self.stub(body="x", headers={"Vary": given})
            self.assertEqual(self.get().headers["vary"], [sent])
        self.stub(body="x", headers={"Vary": "*"})
        self.assertEqual(self.get().headers["vary"], ["*"])

    def test_a_body_in_pieces_is_compressed_as_a_whole(self) -> None:
        self.stub(body=TEXT.decode(), headers={"Transfer-Encoding": "chunked"})
        self.assert_coded(self.get(), TEXT)
        self.stub(body=TEXT.decode(), chunkedDribbleDelay={"numberOfChunks": 3, "totalDuration": 30})
        data = self.raw("GET", PATH, ACCEPT)
        for _ in range(10):
            self.wire.clock.advance(0.01)
            data += self.connection.take()
        self.assert_coded(parse(data)[0], TEXT)

    def test_trailers_follow_a_compressed_body(self) -> None:
        self.stub(body=TEXT.decode(), trailers={"X-Checksum": "abc"})
        data = self.raw("GET", PATH, ACCEPT)
        self.assertIn(b"\r\nContent-Encoding: gzip\r\n", data)
        self.assertTrue(data.endswith(b"\r\n0\r\nX-Checksum: abc\r\n\r\n"))

    def test_toxics_act_on_the_compressed_bytes(self) -> None:
        self.stub(body=TEXT.decode())
        whole = self.raw("GET", PATH, ACCEPT)
        document = {"type": "limit_data", "attributes": {"bytes": len(whole) - 5}}
        self.wire.admin("POST", "/toxics", document)
        cut = self.raw("GET", PATH, ACCEPT)
        self.assertEqual((len(cut), cut[-20:]), (len(whole) - 5, whole[-25:-5]))
        (event, _) = self.wire.admin("GET", "/requests").json()["requests"]
        size = len(whole.partition(b"\r\n\r\n")[2])
        self.assertEqual(event["request"]["oagw"]["bytesSent"], size - 5)

    def test_the_same_body_gives_the_same_bytes(self) -> None:
        self.stub(body=TEXT.decode())
        first = self.get().body
        self.wire.clock.advance(5)
        self.assertEqual(self.get().body, first)

    def test_each_of_several_answers_on_a_connection_is_coded_by_itself(self) -> None:
        self.stub(body=TEXT.decode())
        self.assert_coded(self.get(), TEXT)
        self.assert_plain(parse(self.raw("GET", PATH))[0], TEXT)
        self.assert_coded(self.get(), TEXT)


class PlainTests(GzipTestCase):
    def test_what_the_client_does_not_accept_is_sent_as_it_is(self) -> None:
        self.stub(body=TEXT.decode())
        for accept in ("", "identity", "gzip;q=0", "br", "*;q=0", "gzip;q=0.5, identity"):
            answer, _ = parse(self.raw("GET", PATH, f"Accept-Encoding: {accept}"))
            self.assert_plain(answer, TEXT)
            self.assertEqual(answer.headers["vary"], ["Accept-Encoding"])

    def test_a_stream_of_events_is_sent_as_it_is(self) -> None:
        self.stub(sse=[{"data": "a"}, {"data": "b"}])
        answer = self.get()
        self.assert_plain(answer, b"data: a\n\ndata: b\n\n")
        self.stub(body="data: a\n\n", headers={"Content-Type": "text/event-stream; charset=utf-8"})
        self.assert_plain(self.get(), b"data: a\n\n")

    def test_what_has_a_coding_of_its_own_is_sent_as_it_is(self) -> None:
        self.stub(body="not gzip at all", headers={"Content-Encoding": "gzip"})
        self.assertEqual(self.get().body, b"not gzip at all")
        self.stub(body="x", headers={"Content-Encoding": "br"})
        answer = self.get()
        self.assertEqual((answer.headers["content-encoding"], answer.body), (["br"], b"x"))

    def test_what_is_not_to_be_changed_is_sent_as_it_is(self) -> None:
        self.stub(body="x", headers={"Cache-Control": "private, no-transform"})
        self.assert_plain(self.get(), b"x")
        self.stub(body="x", status=206, headers={"Content-Range": "bytes 0-0/9"})
        self.assert_plain(self.get(), b"x")

    def test_an_empty_body_has_no_coding(self) -> None:
        self.stub(headers={"ETag": '"a"'})
        answer = self.get()
        self.assert_plain(answer, b"")
        self.assertEqual(answer.headers["etag"], ['"a"'])
        self.stub(status=204)
        self.assertNotIn("content-encoding", self.get().headers)

    def test_a_body_that_takes_long_is_sent_as_it_is(self) -> None:
        self.stub(body="x" * MAX_SIZE)
        self.assertEqual(len(gzip.decompress(self.get().body)), MAX_SIZE)
        self.stub(body="x" * (MAX_SIZE + 1))
        self.assertEqual(len(self.get().body), MAX_SIZE + 1)

    def test_a_wrong_length_stays_wrong(self) -> None:
        self.stub(body=TEXT.decode(), headers={"Content-Length": "9999"})
        data = self.raw("GET", PATH, ACCEPT)
        self.assertIn(b"\r\nContent-Length: 9999\r\n", data)
        self.assertTrue(data.endswith(b"\r\n\r\n" + TEXT))

    def test_the_control_plane_is_sent_as_it_is(self) -> None:
        answer, _ = parse(
            self.connection.send(request("GET /__admin/version HTTP/1.1", "Host: localhost", ACCEPT))
        )
        self.assertIn("version", answer.json())


class OffTests(WireTestCase):
    def test_without_the_option_nothing_is_compressed(self) -> None:
        answer = self.wire.ask("GET", WEATHER, ACCEPT)
        self.assertNotIn("vary", answer.headers)
        self.assertEqual(answer.json()["location"], "Oslo")


def test_what_accepts_gzip() -> None:
    for value in ("gzip", "GZIP", "x-gzip", "*", "br, gzip;q=0.1", "gzip;q=1.0;x=y", "identity;q=0.5, gzip"):
        assert accepts_gzip(value.encode()), value
    for value in ("", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=x", "*, gzip;q=0", "gzipped"):
        assert not accepts_gzip(value.encode()), value
