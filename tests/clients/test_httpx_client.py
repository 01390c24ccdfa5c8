"""httpx talks to the gateway, buffered and streamed, and httpx-sse reads its event streams."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse, connect_sse

from oagw.testing import MockGateway

# Type, data and id of what stream-test sends.
EVENTS = [
    ("message", "First event", "1"),
    ("update", "Second event", "2"),
    ("message", "Third event with\nmultiple lines", "3"),
    ("complete", "Final event", "4"),
]


def settings(gateway: MockGateway) -> dict[str, Any]:
    """What makes an httpx client one of the gateway."""
    return {
        "base_url": gateway.base_url + "/api/oagw/v1/proxy",
        "headers": {"Authorization": f"Bearer {gateway.token}"},
        "timeout": 20,
    }


@pytest.fixture(scope="module")
def client(oagw_gateway: MockGateway) -> Iterator[httpx.Client]:
    with httpx.Client(**settings(oagw_gateway)) as client:
        yield client


def fields(event: ServerSentEvent) -> tuple[str, str, str]:
    return event.event, event.data, event.id


def test_a_buffered_answer_is_json(client: httpx.Client) -> None:
    response = client.get("/weather/current", params={"city": "São Paulo"})

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-oagw-error-source"] == "upstream"
    assert response.json()["location"] == "São Paulo"


def test_a_posted_body_is_answered(client: httpx.Client) -> None:
    response = client.post("/calculator/calculate", json={"operation": "multiply", "a": 6, "b": 7})

    assert response.json() == {"operation": "multiply", "a": 6, "b": 7, "result": 42}


def test_head_has_the_header_of_get_and_no_body(client: httpx.Client) -> None:
    got = client.get("/weather/current", params={"city": "Oslo"})

    response = client.head("/weather/current", params={"city": "Oslo"})

    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["content-length"]) == len(got.content)
    for name in ("content-type", "x-oagw-error-source"):
        assert response.headers[name] == got.headers[name]


def test_head_of_a_stream_has_its_header_and_no_event(client: httpx.Client) -> None:
    """The client reads to the end of the answer, and its connection serves another request."""
    response = client.head("/stream-test/events")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.content == b""
    assert client.get("/weather/current", params={"city": "Oslo"}).status_code == 200


def test_a_stream_can_be_read_line_by_line(client: httpx.Client) -> None:
    with client.stream("GET", "/stream-test/events") as response:
        lines = list(response.iter_lines())

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-oagw-error-source"] == "upstream"
    assert lines.count("") == len(EVENTS)  # an empty line ends an event
    assert "data: First event" in lines


def test_a_stream_may_be_left_early(client: httpx.Client) -> None:
    with client.stream("GET", "/stream-test/events") as response:
        assert next(response.iter_lines())

    assert client.get("/weather/current", params={"city": "Oslo"}).status_code == 200


def test_httpx_sse_reads_every_event(client: httpx.Client) -> None:
    with connect_sse(client, "GET", "/stream-test/events") as source:
        events = [fields(event) for event in source.iter_sse()]

    assert events == EVENTS
    assert source.response.headers["x-oagw-error-source"] == "upstream"


def test_httpx_sse_reads_a_streamed_chat(client: httpx.Client) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}], "stream": True}

    with connect_sse(client, "POST", "/openai/v1/chat/completions", json=body) as source:
        *chunks, end = source.iter_sse()

    assert end.data == "[DONE]"
    assert all(chunk.json()["object"] == "chat.completion.chunk" for chunk in chunks)


def test_ten_parallel_streams_each_have_every_event(oagw_gateway: MockGateway) -> None:
    """All have read their first event before any reads its second, so that all ten are open at once."""

    async def read(client: httpx.AsyncClient, all_open: asyncio.Barrier) -> list[tuple[str, str, str]]:
        async with aconnect_sse(client, "GET", "/stream-test/events") as source:
            events = source.aiter_sse()
            seen = [fields(await anext(events))]
            await all_open.wait()
            return seen + [fields(event) async for event in events]

    async def read_all() -> list[list[tuple[str, str, str]]]:
        all_open = asyncio.Barrier(10)
        async with (
            httpx.AsyncClient(**settings(oagw_gateway)) as client,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(read(client, all_open)) for _ in range(10)]
        return [task.result() for task in tasks]

    assert asyncio.run(read_all()) == [EVENTS] * 10


def test_an_error_of_an_upstream_names_the_upstream_as_its_source(client: httpx.Client) -> None:
    response = client.get("/weather/current")

    assert response.status_code == 400
    assert response.headers["x-oagw-error-source"] == "upstream"


def test_an_error_of_the_gateway_names_the_gateway_as_its_source(client: httpx.Client) -> None:
    response = client.get("/no-such-alias/events")

    assert response.status_code == 404
    assert response.headers["x-oagw-error-source"] == "gateway"
    assert response.headers["content-type"] == "application/problem+json"


def test_a_stream_without_a_token_is_no_stream(oagw_gateway: MockGateway) -> None:
    with (
        httpx.Client(**settings(oagw_gateway) | {"headers": {}}) as stranger,
        connect_sse(stranger, "GET", "/stream-test/events") as source,
        pytest.raises(SSEError),
    ):
        next(source.iter_sse())

    assert source.response.status_code == 401
    assert source.response.headers["x-oagw-error-source"] == "gateway"
