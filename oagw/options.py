"""The table of options: the name of each, how its value is read, and the text of ``--help``.

Every option can be given on the command line, as ``--seed 7``, as a variable, as ``OAGW_SEED=7``, and in the
file of ``--config``, as ``seed = 7``. SETTINGS are keys of that file alone.
Uses the standard library only, because the port is bound before anything else is imported.
"""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any, NamedTuple

# The longest lifetime of a sandbox, in seconds: one week, as in oagw.sandboxes.
_MAX_LIFETIME = 604_800

# The upper bound of counts and sizes.
_MANY = 999_999_999

_CLOCKS = ("real", "manual")

# Written by hand, because it has to fit on a screen of 80 x 40 characters.
HELP = """\
usage: {prog} [PORT] [OPTION]..., or {prog} exam --help

A mock of the OAGW gateway and of the upstreams behind it.

Where it listens
  PORT, --port PORT      port, 0 for any free one (default: 8765)
  --host HOST            address or name, IPv4 or IPv6 (default: 127.0.0.1)

Who may call it
  --token TOKEN          token to accept, repeatable (test-integration-token)
  --admin-token TOKEN    token of the control plane, which then answers other
                         machines too (default: this machine only, no token)

What it answers
  --config FILE          TOML with these options, the settings of the gateway,
                         tokens, tenants, secrets, upstreams and routes
  --mappings DIR         folder with WireMock's mappings/ and __files/, loaded
                         at start and on SIGHUP
  --strict-models        answer 404 for OpenAI models that are not listed
  --gzip                 compress bodies for clients that accept gzip
  --github-links         lead links in GitHub's bodies to this gateway
  --seed N               make generated ids and random choices repeatable

Time
  --clock CLOCK          real, or manual: advanced by the control plane (real)
  --stream-interval-scale X   factor on the gaps of streams, 0: no waiting (1)

What it keeps
  --journal-count N      requests in the journal, 0 for none (10000)
  --memory-limit MIB     limit of all stubs and journals together (512)
  --sandbox-lifetime SECONDS  time from the last use to expiry (600)

The process
  --access-log           log each request to standard error
  --exit-with-parent[=PID]    stop when process PID ends; without PID, when the
                         parent or, if it is a pipe, standard input ends
  --help, --version      show this text or the version

Each option is also a variable: OAGW_SEED=7, OAGW_ACCESS_LOG=true, OAGW_TOKEN
with spaces between tokens. Options win; --no-access-log turns a switch off.
"""


class Option(NamedTuple):
    """The option ``--name``, whose value goes to the member ``field`` of Config.

    ``read`` converts the text of a value; None if the option is a switch. ``read_variable`` converts the text
    of the environment variable, if that is different. Both raise ArgumentTypeError. ``types`` are the types
    of its value in a file.
    """

    name: str
    field: str
    read: Callable[[str], Any] | None = None
    read_variable: Callable[[str], Any] | None = None
    repeatable: bool = False
    types: tuple[type, ...] = (str,)

    @property
    def key(self) -> str:
        """The key in a file."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return "OAGW_" + self.name.upper().replace("-", "_")

    @property
    def can_be_off(self) -> bool:
        """Whether ``--no-name`` turns off what the environment variable turned on."""
        return self.read is None or self.name == "exit-with-parent"

    def from_variable(self, text: str) -> Any:
        """Return the value of the environment variable."""
        return (self.read_variable or self.read or _switch)(text)

    def from_file(self, value: Any) -> Any:
        """Return the value for Config of ``value`` in a file, which has one of ``types``."""
        return value if isinstance(value, bool) or self.read is None else self.read(str(value))


class Setting(NamedTuple):
    """A setting of the gateway that only a file has. Its value goes to the member ``field`` of Config.

    ``type`` is bool, str, int or float; a number is greater than 0 and at most ``most``.
    """

    key: str
    field: str
    type: type
    most: float = 0


def whole(least: int, most: int, rule: str) -> Callable[[str], int]:
    """Return a function that reads a whole number within bounds; errors begin with ``rule``."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) < 100 and least <= int(text) <= most:
            return int(text)
        raise ArgumentTypeError(f"{rule}, not {text[:20]!r}")

    return read


def read_port(text: str) -> int:
    try:
        return whole(0, 65535, "")(text)
    except ArgumentTypeError:
        # Show numbers only: other text may be a token after a misspelled --token.
        not_this = f", not {text}" if text.isdigit() and len(text) < 10 else ""
        raise ArgumentTypeError(f"a port is a number from 0 to 65535{not_this}") from None


def read_token(text: str) -> str:
    if not text or not all("!" <= character <= "~" for character in text):
        # Leave out the text: it was meant to be secret.
        raise ArgumentTypeError("a token is one or more visible ASCII characters without spaces")
    return text


def _seed(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"a seed is a whole number, not {text[:20]!r}") from None


def _scale(text: str) -> float:
    scale = _number(text)
    if not 0 <= scale < math.inf:
        raise ArgumentTypeError(f"a factor is a number, 0 or greater, not {text[:20]!r}")
    return scale


def _lifetime(text: str) -> float:
    seconds = _number(text)
    if not 0 < seconds <= _MAX_LIFETIME:
        raise ArgumentTypeError(
            f"a lifetime is greater than 0 and at most {_MAX_LIFETIME} seconds, not {text[:20]!r}"
        )
    return seconds


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _clock(text: str) -> str:
    if text not in _CLOCKS:
        from oagw.model.suggestion import suggestion

        raise ArgumentTypeError(f"there is no clock {text[:20]!r}{suggestion(text, _CLOCKS)}")
    return text


def _tokens(text: str) -> list[str]:
    return [read_token(part) for part in text.split()]


_SWITCH = {"1": True, "true": True, "0": False, "false": False}


def _switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ArgumentTypeError(f"a switch is 1, 0, true or false, not {text[:20]!r}") from None


# The value of --exit-with-parent without a process id.
THE_PARENT = "parent"

_process_id = whole(1, 2**31 - 1, "a process id is a whole number, 1 or greater")


def _process(text: str) -> int | bool:
    return True if text == THE_PARENT else _process_id(text)


def _switch_or_process(text: str) -> int | bool:
    return _switch(text) if text.lower() in _SWITCH else _process_id(text)


_INT, _FLOAT, _BOOL = (int,), (int, float), (bool,)

OPTIONS = (
    Option("port", "port", read_port, types=_INT),
    Option("host", "host", str),
    Option("token", "tokens", read_token, _tokens, repeatable=True),
    Option("admin-token", "admin_token", read_token),
    Option("config", "config", str),
    Option("mappings", "mappings", str),
    Option("strict-models", "strict_models", types=_BOOL),
    Option("gzip", "gzip", types=_BOOL),
    Option("github-links", "github_links", types=_BOOL),
    Option("seed", "seed", _seed, types=_INT),
    Option("clock", "clock", _clock),
    Option("stream-interval-scale", "stream_interval_scale", _scale, types=_FLOAT),
    Option(
        "journal-count",
        "journal_count",
        whole(0, _MANY, "a count is a whole number, 0 or greater"),
        types=_INT,
    ),
    Option(
        "memory-limit",
        "memory_limit",
        whole(1, _MANY, "a memory limit is a whole number of MiB, 1 or greater"),
        types=_INT,
    ),
    Option("sandbox-lifetime", "sandbox_lifetime", _lifetime, types=_FLOAT),
    Option("access-log", "access_log", types=_BOOL),
    Option("exit-with-parent", "exit_with_parent", _process, _switch_or_process, types=(bool, int)),
)

# The longest time-out, one day in seconds; the size of the largest body that the real gateway itself accepts,
# in bytes; and the largest number of access tokens.
_DAY, _MAX_BODY, _TOKENS = 86_400, 104_857_600, 1_000_000

SETTINGS = (
    Setting("proxy_timeout_seconds", "proxy_timeout", float, _DAY),
    Setting("streaming_idle_timeout_seconds", "streaming_idle_timeout", float, _DAY),
    Setting("token_cache_ttl_seconds", "token_cache_ttl", float, _DAY),
    Setting("token_cache_capacity", "token_cache_capacity", int, _TOKENS),
    Setting("body_limit_bytes", "body_limit", int, _MAX_BODY),
    Setting("allow_http_upstream", "allow_http_upstream", bool),
    Setting("ssrf_protection", "ssrf_protection", bool),
    Setting("management_api_enabled", "management_api_enabled", bool),
    Setting("upstream_ca", "upstream_ca", str),
)
