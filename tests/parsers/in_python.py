"""Parsers in Python, fed by httpx: httpx-sse and sseclient-py."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from oagw.testing import MockGateway
from tests.parsers.observed import Observed
from tests.support.event_stream import Received
from tests.support.stream_cases import CASES, Case

# How many cases are read at a time, and seconds without a byte that are too many.
AT_A_TIME = 8
PATIENCE = 30


def httpx_sse(client: httpx.Client, url: str) -> Observed:
    """``connect_sse`` and ``iter_sse``."""
    from httpx_sse import SSEError, connect_sse

    events: list[Received] = []
    retry: int | None = None
    try:
        with connect_sse(client, "GET", url) as source:
            for event in source.iter_sse():
                events.append(Received(event.event, event.data, event.id))
                retry = event.retry if event.retry is not None else retry
    except (httpx.TransportError, SSEError, UnicodeError) as error:
        return Observed(events, retry, failure=repr(error))
    return Observed(events, retry)


def sseclient(client: httpx.Client, url: str) -> Observed:
    """``SSEClient`` around the bytes of the response, as its README does it with httpx."""
    from sseclient import SSEClient

    events: list[Received] = []
    try:
        with client.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
            for event in SSEClient(_closable(response)).events():
                events.append(Received(event.event, event.data, event.id or ""))
    except (httpx.TransportError, UnicodeError) as error:
        return Observed(events, failure=repr(error))
    return Observed(events)


def observe_all(
    read: Callable[[httpx.Client, str], Observed], gateway: MockGateway, cases: Sequence[Case]
) -> dict[str, Observed]:
    """What ``read`` makes of each case, by name."""
    headers = {"Authorization": f"Bearer {gateway.token}"}
    with (
        httpx.Client(headers=headers, timeout=PATIENCE, follow_redirects=True) as client,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        names = [case["name"] for case in cases]
        found = pool.map(lambda name: read(client, f"{gateway.base_url}{CASES}/{name}"), names)
        return dict(zip(names, found, strict=True))


def _closable(response: httpx.Response) -> Iterator[bytes]:
    yield from response.iter_bytes()
