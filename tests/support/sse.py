"""A parser of event streams, written from the WHATWG HTML standard, section 9.2.6."""

from typing import NamedTuple


class Received(NamedTuple):
    """An event as a browser would dispatch it."""

    type: str
    data: str
    id: str


def events(body: bytes) -> list[Received]:
    """The events of a complete stream; an unfinished block at its end is dropped, as the standard says."""
    text = body.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found: list[Received] = []
    data: list[str] = []
    type, id = "", ""
    for line in text.split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                found.append(Received(type or "message", "\n".join(data), id))
            data, type = [], ""
        elif name == "data":
            data.append(value)
        elif name == "event":
            type = value
        elif name == "id" and "\0" not in value:
            id = value
    return found
