"""Entries as WireMock's JSON: its shapes, and no secret in them."""

import json
from typing import Any
from uuid import UUID

from oagw.model.document import converted
from oagw.model.entry import CLIENT_LEFT, STUB
from oagw.stubs.mapping import StubMapping
from oagw.stubs.stub import Stub
from oagw.verify.serve_event import logged_request, serve_event
from tests.support.entries import CHAT, Entries

ID = "8f6b0a5e-2ea1-4a56-8a4f-4a1c2e7a3b11"

# The members that WireMock 3.13.2 gives; those of the request it can read without, but people cannot.
EVENT = {"id", "request", "responseDefinition", "response", "wasMatched", "timing", "subEvents"}
REQUEST = {
    "url",
    "absoluteUrl",
    "method",
    "clientIp",
    "headers",
    "cookies",
    "browserProxyRequest",
    "loggedDate",
    "bodyAsBase64",
    "body",
    "protocol",
    "scheme",
    "host",
    "port",
    "loggedDateString",
    "queryParams",
    "formParams",
}


def event(*args: Any, **more: Any) -> dict[str, Any]:
    entries = Entries()
    entries.add(*args, **more)
    shown: dict[str, Any] = json.loads(json.dumps(serve_event(entries[0])))
    return shown


def test_the_members_are_those_of_wiremock_and_ours_stand_in_the_request() -> None:
    shown = event()
    assert shown.keys() == EVENT
    assert shown["request"].keys() == REQUEST | {"oagw"}
    assert shown["timing"].keys() == {
        "addedDelay",
        "processTime",
        "responseSendTime",
        "serveTime",
        "totalTime",
    }
    UUID(shown["id"])


def test_a_request_is_shown_in_wiremocks_words() -> None:
    shown = event(0.25, "POST", CHAT + "?q=1&q=2&r=a%20b", "X-A: 1", "x-a: 2", body=b'{"a": 1}')["request"]
    assert shown["url"] == CHAT + "?q=1&q=2&r=a%20b"
    assert shown["absoluteUrl"] == f"http://gateway{CHAT}?q=1&q=2&r=a%20b"
    assert shown["headers"] == {"Host": "gateway", "X-A": ["1", "2"], "Authorization": "Bearer ****"}
    assert shown["queryParams"] == {
        "q": {"key": "q", "values": ["1", "2"]},
        "r": {"key": "r", "values": ["a b"]},
    }
    assert (shown["body"], shown["bodyAsBase64"]) == ('{"a": 1}', "eyJhIjogMX0=")
    assert (shown["loggedDate"], shown["loggedDateString"]) == (1700000000250, "2023-11-14T22:13:20.250Z")
    assert (shown["scheme"], shown["host"], shown["port"]) == ("http", "gateway", 80)
    assert (shown["protocol"], shown["clientIp"]) == ("HTTP/1.1", "127.0.0.1")


def test_the_port_of_the_host_is_apart() -> None:
    entries = Entries()
    entries.add().head = b"Host: localhost:8765"
    shown = logged_request(entries[0])
    assert (shown["host"], shown["port"]) == ("localhost", 8765)
    entries[0].head = b""
    shown = logged_request(entries[0])
    assert (shown["absoluteUrl"], shown["port"]) == (f"http://127.0.0.1:8765{CHAT}", 8765)
    entries[0].head = b"Host: [::1]:80"
    shown = logged_request(entries[0])
    assert (shown["host"], shown["port"]) == ("[::1]", 80)


def test_an_answer_is_shown_with_its_times_in_milliseconds() -> None:
    shown = event(answer=("A: 1", "a: 2", "Set-Cookie: sid=secret; Path=/"), took=1.5)
    assert shown["response"] == {
        "status": 200,
        "headers": {"A": ["1", "2"], "Set-Cookie": "sid=****; Path=/"},
    }
    assert shown["responseDefinition"] == {"status": 200}
    assert shown["timing"]["processTime"] == 1500
    assert shown["timing"]["totalTime"] == 1500


def test_what_has_no_answer_is_shown_without_one() -> None:
    shown = event(status=None, ended=CLIENT_LEFT)
    assert (shown["response"], shown["responseDefinition"]) == ({}, {})
    assert shown["request"]["oagw"]["ended"] == CLIENT_LEFT
    assert shown["timing"]["totalTime"] == 0


def test_what_nobody_was_there_to_answer_is_told_as_wiremock_tells_it() -> None:
    shown = event(status=404, matched=False)
    assert shown["responseDefinition"] == {"status": 404, "fromConfiguredStub": False}
    assert shown["wasMatched"] is False


def test_what_a_stub_answered_is_shown_with_it() -> None:
    stub = Stub(converted({"request": {"method": "GET"}}, StubMapping), ID, {})
    entries = Entries()
    entry = entries.add(answered_by=STUB, stub=stub.id)
    shown = serve_event(entry, stub.json())
    assert shown["stubMapping"] == stub.json()
    assert shown["request"]["oagw"]["stub"] == stub.id


def test_what_we_know_besides_is_there() -> None:
    ours = event(2, took=0.5, connection=7, sent=12, events=3, toxics=("slow",))["request"]["oagw"]
    assert ours["time"] == 1_700_000_002
    assert ours["firstByte"] - ours["time"] == 0.5
    wanted = {
        "connection": 7,
        "turn": 1,
        "alias": "openai",
        "answeredBy": "service",
        "status": 200,
        "bytesSent": 12,
        "eventsSent": 3,
        "ended": "complete",
        "toxics": ["slow"],
        "bodySize": 0,
    }
    assert {name: ours[name] for name in wanted} == wanted


def test_forms_are_shown_as_fields() -> None:
    form = b"grant_type=client_credentials&client_secret=hunter22&a=1&a=2"
    shown = event(0, "POST", CHAT, "Content-Type: application/x-www-form-urlencoded", body=form)["request"]
    assert shown["formParams"]["a"] == {"key": "a", "values": ["1", "2"]}
    assert shown["formParams"]["client_secret"]["values"] == ["****"]
    assert "hunter22" not in json.dumps(shown)


def test_no_secret_is_shown_wherever_it_stands() -> None:
    secrets = ["token-abcdefgh", "apikey-ijklmnop", "cookie-qrst", "param-uvwxyz12"]
    shown = event(
        0,
        "POST",
        f"{CHAT}?access_token={secrets[3]}&again={secrets[0]}",
        f"X-Api-Key: {secrets[1]}",
        f"Cookie: sid={secrets[2]}",
        f"X-Copy: {secrets[0]}",
        body=f'{{"key": "{secrets[0]}", "other": "{secrets[1]} {secrets[3]}"}}'.encode(),
        answer=(f"X-Echo: {secrets[0]}", f"Set-Cookie: sid={secrets[2]}"),
        authorization=f"Bearer {secrets[0]}",
    )
    text = json.dumps(shown)
    for secret in secrets:
        assert secret not in text
    assert shown["request"]["cookies"] == {"sid": "****"}


def test_a_body_that_is_no_text_is_whole_in_base64() -> None:
    shown = event(body=b"\xff\x00\x01")["request"]
    assert shown["bodyAsBase64"] == "/wAB"
    assert shown["body"] == "�\x00\x01"
