"""The listening socket, from the standard library alone: it accepts before Twisted is imported.

A client that connects early waits in the backlog until the gateway is there to answer; it is never
refused.
"""

import errno
import os
import socket
from collections.abc import MutableMapping

from oagw.config import Config
from oagw.server.console import Console

# The kernel caps this at net.core.somaxconn. Twisted's 50 makes a burst of clients wait for a
# retransmission, a second each.
BACKLOG = 4096

# The first inherited descriptor: sd_listen_fds(3).
_FIRST_INHERITED = 3

_ADVICE = {
    errno.EADDRNOTAVAIL: "give an address of this machine",
    errno.EACCES: "choose a port from 1024 on, or 0 for a free one",
}


class ListenError(Exception):
    """The gateway cannot listen; the message says where, why and what to do."""


def open_socket(config: Config, environ: MutableMapping[str, str]) -> socket.socket:
    """A listening socket: the one that the parent hands down, else one bound to ``config``'s host and port.

    A socket is handed down as systemd does it, sd_listen_fds(3): ``LISTEN_FDS`` counts them from descriptor
    3 on (the first is taken) and ``LISTEN_PID`` names the process they are meant for; as a parent often
    cannot know that number beforehand, it may be left out. Both are removed from ``environ``. Raises
    ListenError.
    """
    count, pid = environ.pop("LISTEN_FDS", None), environ.pop("LISTEN_PID", None)
    environ.pop("LISTEN_FDNAMES", None)
    if count is not None and (pid is None or pid == str(os.getpid())):
        return _inherited(count)
    return _bound(config.host, config.port)


def url(listening: socket.socket) -> str:
    """The base URL at which a client on this machine reaches the socket."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(listening: socket.socket) -> None:
    """Say where the socket listens: a line of JSON on standard output, one for people on standard error."""
    import json  # not before the socket listens

    host, port = listening.getsockname()[:2]
    where = url(listening)
    event = {"event": "listening", "url": where, "host": host, "port": port, "pid": os.getpid()}
    Console(1).line(json.dumps(event))
    Console(2).line(f"oagw-mock-server listens on {where} (stop it with Ctrl-C)")


def _bound(host: str, port: int) -> socket.socket:
    # A name in ASCII goes as bytes: the codec for others takes a while to load.
    name = host.encode() if host.isascii() else host
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", "no host name")
        raise ListenError(
            f"cannot listen on {host!r}: {reason.lower()}; give an address or name of this machine"
        ) from None
    family, _, _, _, address = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        advice = _ADVICE.get(error.errno or 0, "choose another port, or 0 for a free one")
        raise ListenError(f"cannot listen on port {port} of {host}: {reason}; {advice}") from None
    return listening


def _inherited(count: str) -> socket.socket:
    if not (count.isascii() and count.isdigit()) or int(count[:9]) < 1:
        raise ListenError(f"LISTEN_FDS is {count!r}; it must be 1 or more, or not be set")
    try:
        listening = socket.socket(fileno=_FIRST_INHERITED)
    except OSError:
        raise ListenError(
            f"LISTEN_FDS is {count}, but descriptor {_FIRST_INHERITED} is not a socket"
        ) from None
    listens = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listening.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        listening.detach()
        raise ListenError(f"the inherited descriptor {_FIRST_INHERITED} is not a listening TCP socket")
    listening.set_inheritable(False)
    return listening
