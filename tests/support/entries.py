"""Entries of a journal, made by hand: one call each, at so many seconds after the start."""

from itertools import count
from typing import Any

from oagw.model.ending import Ending
from oagw.model.entry import COMPLETE, OPEN, SERVICE, Entry

START = 1_700_000_000.0
TOKEN = "test-integration-token"
CHAT = "/api/oagw/v1/proxy/openai/v1/chat/completions"


class Entries(list[Entry]):
    """A journal in the making; ``add`` has what an ordinary call has unless it is told otherwise.

    What happens at the same time overlaps.
    """

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count(1)
        self._turns: dict[int, int] = {}

    def add(
        self,
        at: float = 0.0,
        method: str = "POST",
        url: str = CHAT,
        *fields: str,
        body: bytes = b"",
        status: int | None = 200,
        answer: tuple[str, ...] = (),
        took: float = 0.0,
        connection: int = 1,
        ended: Ending = COMPLETE,
        authorization: str | None = f"Bearer {TOKEN}",
        **more: Any,
    ) -> Entry:
        lines = ["Host: gateway", *fields]
        if authorization is not None:
            lines.append(f"Authorization: {authorization}")
        turn = self._turns[connection] = self._turns.get(connection, 0) + 1
        entry = Entry(
            next(self._numbers),
            START + at,
            method.encode(),
            url.encode(),
            "\r\n".join(lines).encode(),
            connection,
            turn,
            ("127.0.0.1", 50_000 + connection),
            ("127.0.0.1", 8765),
        )
        entry.body, entry.body_size = body, len(body)
        entry.ended = ended
        entry.alias, entry.answered_by = "openai", SERVICE
        if status is not None:
            entry.status = status
            entry.response_head = "\r\n".join([f"HTTP/1.1 {status} X", *answer]).encode()
            entry.first_byte = entry.last_byte = START + at + took
            entry.began = _position(at + took)
        entry.arrived = _position(at)
        if ended is not OPEN:
            entry.over, entry.closed = _position(at + took), START + at + took
        for name, value in more.items():
            setattr(entry, name, value)
        self.append(entry)
        return entry


def _position(seconds: float) -> int:
    return round(seconds * 1e6)
