"""What can be asked for on the command line, as one value.

Standard library only: the port is bound before anything else is imported. ``server.run`` and
``server.twistd`` turn arguments into a Config here; ``app`` builds a gateway from it.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, NoReturn

from oagw import __version__

# The longest life of a sandbox, in seconds, as in oagw.sandboxes.
_MAX_LIFETIME = 604_800

# More than any count or size that makes sense.
_MANY = 999_999_999

# A NamedTuple and not a dataclass, whose import alone would delay the first connection by a third.


class Config(NamedTuple):
    """How a gateway is to run.

    ``port`` is 0 to 65535, 0 for a free one. ``seed`` makes ids repeatable. ``stream_interval_scale``
    multiplies the gaps of all streams; 0 sends without waiting. ``strict_models`` makes unlisted models
    unknown. ``journal_count`` is how many requests are kept, 0 for none. With ``admin_token``, the control
    plane answers those who show it, from wherever they call. ``mappings`` is a folder of stubs. ``clock`` is
    ``real``, or ``manual`` for time that the control plane alone moves. ``sandbox_lifetime`` is how many
    seconds a sandbox outlives its last use. ``memory_limit`` bounds all stubs and journals, in MiB. With
    ``github_links``, links in bodies of the GitHub mock point to the gateway.
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

    @property
    def secrets(self) -> tuple[str, ...]:
        """The tokens that are accepted: they are logged and shown nowhere."""
        return self.tokens if self.admin_token is None else (*self.tokens, self.admin_token)


class ConfigError(Exception):
    """The arguments make no sense; the message says why and what would."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        flag, found, _ = message.partition("ignored explicit argument")
        if found:
            message = f"{flag}takes no value"
        raise ConfigError(f"{message} (try --help)")


def parse_args(args: Sequence[str], prog: str = "server.py") -> Config:
    """The Config that ``args`` ask for; raises ConfigError.

    ``--help`` and ``--version`` print and raise SystemExit, as in argparse.
    """
    default = Config()
    parser = _Parser(
        prog=prog,
        allow_abbrev=False,
        # With a width of its own it need not load what measures the terminal: 4 ms before we listen.
        formatter_class=partial(argparse.HelpFormatter, width=100),
        description="A mock of the OAGW gateway and of the upstreams behind it.",
    )
    parser.add_argument(
        "port",
        nargs="?",
        type=_port,
        default=default.port,
        metavar="PORT",
        help="where to listen, 0 for a free port (default: %(default)s)",
    )
    parser.add_argument(
        "--host",
        default=default.host,
        help="the address or name to listen on, IPv4 or IPv6 (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        dest="tokens",
        action="append",
        type=_token,
        metavar="TOKEN",
        help=f"a bearer token to accept, may be repeated (default: {default.tokens[0]})",
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="make generated ids repeatable")
    parser.add_argument("--access-log", action="store_true", help="a line on standard error for each request")
    parser.add_argument(
        "--stream-interval-scale",
        type=_scale,
        default=default.stream_interval_scale,
        metavar="X",
        help="a factor on the gaps of all streams, 0 for no waiting (default: %(default)s)",
    )
    parser.add_argument(
        "--exit-with-parent",
        action="store_true",
        help="stop when the parent process ends, or standard input, if it is a pipe",
    )
    parser.add_argument(
        "--strict-models",
        action="store_true",
        help="answer a model that is not listed with 404 model_not_found",
    )
    parser.add_argument(
        "--github-links",
        action="store_true",
        help="have links in bodies of the GitHub mock point to this gateway, not to api.github.com",
    )
    parser.add_argument(
        "--admin-token",
        type=_token,
        metavar="TOKEN",
        help="who shows it may drive the control plane, from any machine (default: this machine, no token)",
    )
    parser.add_argument(
        "--journal-count",
        type=_whole(0, _MANY, "a count is a number from 0 on"),
        default=default.journal_count,
        metavar="N",
        help="how many requests are kept in the journal (default: %(default)s)",
    )
    parser.add_argument(
        "--mappings",
        metavar="DIR",
        help="a folder with WireMock's mappings/ and __files/, read at the start and at each SIGHUP",
    )
    parser.add_argument(
        "--clock",
        choices=("real", "manual"),
        default=default.clock,
        help="with manual, time stands still but for POST /__admin/clock/advance (default: %(default)s)",
    )
    parser.add_argument(
        "--sandbox-lifetime",
        type=_lifetime,
        default=default.sandbox_lifetime,
        metavar="SECONDS",
        help="how long a sandbox outlives its last use (default: %(default)g)",
    )
    parser.add_argument(
        "--memory-limit",
        type=_whole(1, _MANY, "a memory limit is a number of MiB from 1 on"),
        default=default.memory_limit,
        metavar="MIB",
        help="how many MiB all stubs and journals may take (default: %(default)s)",
    )
    parser.add_argument("--version", action="version", version=f"oagw-mock-server {__version__}")
    known, unknown = parser.parse_known_args(args)
    if unknown:
        # Without their values: one may be a token behind a misspelled --token.
        options = [text.partition("=")[0] for text in unknown if text.startswith("-")]
        parser.error("unrecognized arguments: " + " ".join(options) if options else "more than one PORT")
    chosen = vars(known)
    chosen["tokens"] = tuple(chosen["tokens"] or default.tokens)
    return Config(**chosen)


def _whole(least: int, most: int, said: str) -> Callable[[str], int]:
    """Reads a number of ASCII digits within bounds; ``said`` is what it has to be."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 100 and least <= int(text) <= most:
            return int(text)
        raise argparse.ArgumentTypeError(f"{said}, not {text[:20]!r}")

    return read


def _port(text: str) -> int:
    try:
        return _whole(0, 65535, "")(text)
    except argparse.ArgumentTypeError:
        # What is no number stays out of the message: it may be a token behind a misspelled --token.
        not_this = f", not {text}" if text.isdigit() and len(text) < 10 else ""
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535{not_this}") from None


def _token(text: str) -> str:
    if not text or not all("!" <= character <= "~" for character in text):
        # The text stays out of the message: it was meant to be a secret.
        raise argparse.ArgumentTypeError("a token is visible ASCII without sandboxes")
    return text


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a seed is a whole number, not {text!r}") from None


def _scale(text: str) -> float:
    scale = _number(text)
    if not 0 <= scale < math.inf:
        raise argparse.ArgumentTypeError(f"a factor is a number from 0 on, not {text!r}")
    return scale


def _lifetime(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= _MAX_LIFETIME:
        raise argparse.ArgumentTypeError(
            f"a lifetime is more than 0 and at most {_MAX_LIFETIME} seconds, not {text!r}"
        )
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
