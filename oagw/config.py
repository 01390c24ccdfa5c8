"""Config, and the parser of the command line that creates it.

Uses the standard library only, because the port is bound before anything else is imported. ``server.run`` and
``server.twistd`` parse their arguments here; ``app`` builds a gateway from the Config.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn

from oagw import __version__

# The longest lifetime of a sandbox, in seconds: one week, as in oagw.sandboxes.
_MAX_LIFETIME = 604_800

# The upper bound of counts and sizes.
_MANY = 999_999_999


class Config(NamedTuple):  # importing dataclasses would delay the first connection by a third
    """The options of a gateway.

    - ``port``: 0 to 65535; 0 selects a free port.
    - ``seed``: makes what is random repeatable, such as generated ids, for each sandbox by itself.
    - ``stream_interval_scale``: multiplies the gaps of all streams; 0 sends without waiting.
    - ``strict_models``: answer models that are not listed with 404.
    - ``journal_count``: the number of requests that the journal keeps; 0 disables it.
    - ``admin_token``: the bearer token of the control plane, which then accepts calls from other machines.
    - ``mappings``: the path of a folder of stubs.
    - ``clock``: ``real``, or ``manual`` for a clock that only the control plane advances.
    - ``sandbox_lifetime``: seconds between the last use of a sandbox and its expiry.
    - ``memory_limit``: the limit of all stubs and journals together, in MiB.
    - ``github_links``: make the links in bodies of the GitHub mock point to the gateway.
    - ``gzip``: compress bodies for clients that accept it.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    tokens: tuple[str, ...] = ("test-integration-token",)
    seed: int | None = None
    access_log: bool = False
    stream_interval_scale: float = 1.0
    exit_with_parent: bool = False
    strict_models: bool = False
    journal_count: int = 10_000
    admin_token: str | None = None
    mappings: str | None = None
    clock: str = "real"
    sandbox_lifetime: float = 600.0
    memory_limit: int = 512
    github_links: bool = False
    gzip: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """All tokens that the gateway accepts. They must never be logged or sent to a client."""
        return self.tokens if self.admin_token is None else (*self.tokens, self.admin_token)


class ConfigError(Exception):
    """The arguments are invalid; the message says why and what is expected."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        flag, found, _ = message.partition("ignored explicit argument")
        if found:
            message = f"{flag}takes no value"
        raise ConfigError(f"{message} (try --help)")


def parse_args(args: Sequence[str], prog: str = "server.py") -> Config:
    """Parse the command-line arguments ``args``, without the program's name.

    Raises ConfigError if they are invalid, and SystemExit after ``--help`` or ``--version``, like argparse.
    """
    default = Config()
    parser = _Parser(
        prog=prog,
        allow_abbrev=False,
        # A fixed width avoids importing shutil to measure the terminal, which takes 4 ms.
        formatter_class=partial(argparse.HelpFormatter, width=100),
        description="A mock of the OAGW gateway and of the upstreams behind it.",
    )
    parser.add_argument(
        "port",
        nargs="?",
        type=_port,
        default=default.port,
        metavar="PORT",
        help="port to listen on, 0 for any free port (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        default=default.host,
        help="address or name to listen on, IPv4 or IPv6 (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        dest="tokens",
        action="append",
        type=_token,
        metavar="TOKEN",
        help=f"bearer token to accept; may be repeated (default: {default.tokens[0]})",
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="make what is random repeatable, such as ids")
    parser.add_argument("--access-log", action="store_true", help="log each request to standard error")
    parser.add_argument(
        "--stream-interval-scale",
        type=_scale,
        default=default.stream_interval_scale,
        metavar="X",
        help="factor on the gaps of all streams, 0 for no waiting (default: %(default)s)",
    )
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="stop when the parent process ends or, if it is a pipe, standard input",
    )
    parser.add_argument(
        "--strict-models",
        action="store_true",
        help="answer requests for models that are not listed with 404 model_not_found",
    )
    parser.add_argument(
        "--gzip", action="store_true", help="compress bodies for clients whose Accept-Encoding has gzip"
    )
    parser.add_argument(
        "--github-links",
        action="store_true",
        help="make links in bodies of the GitHub mock point to this gateway instead of api.github.com",
    )
    parser.add_argument(
        "--admin-token",
        type=_token,
        metavar="TOKEN",
        help="bearer token of the control plane; allows its use from other machines "
        "(default: no token, this machine only)",
    )
    parser.add_argument(
        "--journal-count",
        type=_whole(0, _MANY, "a count is a whole number, 0 or greater"),
        default=default.journal_count,
        metavar="N",
        help="number of requests that the journal keeps, 0 for none (default: %(default)s)",
    )
    parser.add_argument(
        "--mappings",
        metavar="DIR",
        help="folder with WireMock's mappings/ and __files/, loaded at start and reloaded on SIGHUP",
    )
    parser.add_argument(
        "--clock",
        choices=("real", "manual"),
        default=default.clock,
        help="manual: time advances only by POST /__admin/clock/advance (default: %(default)s)",
    )
    parser.add_argument(
        "--sandbox-lifetime",
        type=_lifetime,
        default=default.sandbox_lifetime,
        metavar="SECONDS",
        help="time after its last use at which a sandbox expires (default: %(default)g)",
    )
    parser.add_argument(
        "--memory-limit",
        type=_whole(1, _MANY, "a memory limit is a whole number of MiB, 1 or greater"),
        default=default.memory_limit,
        metavar="MIB",
        help="memory limit of all stubs and journals together, in MiB (default: %(default)s)",
    )
    parser.add_argument("--version", action="version", version=f"oagw-mock-server {__version__}")
    known, unknown = parser.parse_known_args(args)
    if unknown:
        # Leave out values: one may be a token after a misspelled --token.
        options = [text.partition("=")[0] for text in unknown if text.startswith("-")]
        parser.error("unrecognized arguments: " + " ".join(options) if options else "more than one PORT")
    chosen = vars(known)
    chosen["tokens"] = tuple(chosen["tokens"] or default.tokens)
    return Config(**chosen)


def _whole(least: int, most: int, rule: str) -> Callable[[str], int]:
    """Return a function that reads a whole number within bounds; errors begin with ``rule``."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 100 and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{rule}, not {text[:20]!r}")

    return read


def _port(text: str) -> int:
    try:
        return _whole(0, 65535, "")(text)
    except argparse.ArgumentTypeError:
        # Show numbers only: other text may be a token after a misspelled --token.
        not_this = f", not {text}" if text.isdigit() and len(text) < 10 else ""
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535{not_this}") from None


def _token(text: str) -> str:
    if not text or not all("!" <= character <= "~" for character in text):
        # Leave out the text: it was meant to be secret.
        raise argparse.ArgumentTypeError("a token is one or more visible ASCII characters without spaces")
    return text


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a seed is a whole number, not {text!r}") from None


def _scale(text: str) -> float:
    scale = _number(text)
    if not 0 <= scale < math.inf:
        raise argparse.ArgumentTypeError(f"a factor is a number, 0 or greater, not {text!r}")
    return scale


def _lifetime(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= _MAX_LIFETIME:
        raise argparse.ArgumentTypeError(
            f"a lifetime is greater than 0 and at most {_MAX_LIFETIME} seconds, not {text!r}"
        )
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
