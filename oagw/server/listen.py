"""Open the listening socket with the standard library alone, before Twisted is imported.

A client that connects early waits in the backlog until the gateway is loaded; it is never refused.
"""

import errno
import os
import socket
from collections.abc import Callable, MutableMapping

from oagw import __version__
from oagw.config import Config
from oagw.server.console import Console

# The kernel caps this at net.core.somaxconn. With Twisted's default of 50, clients that connect in a burst
# have to retransmit their SYN, which delays each of them by a second.
BACKLOG = 4096

# SD_LISTEN_FDS_START of sd_listen_fds(3).
_FIRST_INHERITED = 3

_ADVICE = {
    errno.EADDRNOTAVAIL: "use an address of this machine",
    errno.EACCES: "choose port 1024 or higher, or 0 for any free port",
}


class ListenError(Exception):
    """The gateway cannot listen. The message names the address, the cause and a remedy."""


def open_socket(config: Config, environ: MutableMapping[str, str]) -> socket.socket:
    """Return the socket inherited from the parent, or else a new one that listens as ``config`` says.

    Sockets are passed by the protocol of sd_listen_fds(3): ``LISTEN_FDS`` is the number of inherited
    descriptors, starting at 3 (only the first is used), and ``LISTEN_PID`` is the process id that they are
    meant for. ``LISTEN_PID`` may be missing, because a parent often cannot know it in advance. Both variables
    are removed from ``environ``.

    Raises ListenError if the socket cannot be opened, or if the inherited one is not a listening TCP socket.
    """
    count, pid = environ.pop("LISTEN_FDS", None), environ.pop("LISTEN_PID", None)
    environ.pop("LISTEN_FDNAMES", None)
    if count is not None and (pid is None or pid == str(os.getpid())):
        return _inherited(count)
    return _bound(config.host, config.port)


def url(listening: socket.socket) -> str:
    """Return the base URL by which a client on this machine can reach the socket."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def announce(listening: socket.socket) -> Callable[[], None]:
    """Report the address: one line of JSON on standard output, one readable line on standard error.

    Return a function that reports on standard output that calls are answered at once: the same line, with
    the event ``ready``.
    """
    import json  # imported late so that the socket listens earlier

    host, port = listening.getsockname()[:2]
    where = url(listening)
    about = {"url": where, "host": host, "port": port, "pid": os.getpid(), "version": __version__}
    output = Console(1)
    output.line(json.dumps({"event": "listening", **about}))
    Console(2).line(f"oagw-mock-server listens on {where} (press Ctrl-C to stop)")
    return lambda: output.line(json.dumps({"event": "ready", **about}))


def _bound(host: str, port: int) -> socket.socket:
    # Pass ASCII names as bytes: a str would load the slow IDNA codec.
    name = host.encode() if host.isascii() else host
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", "not a host name")
        raise ListenError(
            f"cannot listen on {host!r}: {reason.lower()}; use an address or name of this machine"
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
        advice = _ADVICE.get(error.errno or 0, "choose another port, or 0 for any free port")
        raise ListenError(f"cannot listen on port {port} of {host}: {reason}; {advice}") from None
    return listening


def _inherited(count: str) -> socket.socket:
    if not (count.isascii() and count.isdigit()) or int(count[:9]) < 1:
        raise ListenError(f"LISTEN_FDS must be an integer of at least 1, or unset; got {count!r}")
    try:
        listening = socket.socket(fileno=_FIRST_INHERITED)
    except OSError:
        raise ListenError(
            f"LISTEN_FDS is {count}, but file descriptor {_FIRST_INHERITED} is not a socket"
        ) from None
    listens = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if listening.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        listening.detach()
        raise ListenError(f"the inherited file descriptor {_FIRST_INHERITED} is not a listening TCP socket")
    listening.set_inheritable(False)
    return listening
