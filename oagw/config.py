"""Config, and the parser of the command line, the environment and the file that creates it.

Uses the standard library only, because the port is bound before anything else is imported. The parser of the
file of ``--config`` is loaded only if there is one. ``server.run`` and ``server.twistd`` parse their
arguments here; ``app`` builds a gateway from the Config.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from oagw import __version__
from oagw.options import HELP, OPTIONS, THE_PARENT, read_port

if TYPE_CHECKING:
    from oagw.registry.provision import Provisioned

# Variables that are not options, but tell clients and recipes what to start or where to connect.
_OTHER_VARIABLES = ("OAGW_EXAM", "OAGW_URL", "OAGW_PYTHON", "OAGW_SERVER")


class GivenToken(NamedTuple):
    """A token of the gateway, the UUID of its tenant (None for the root), and its subject."""

    token: str
    tenant: str | None = None
    subject: str | None = None


class GivenTenant(NamedTuple):
    """A tenant; ``id`` is a UUID, ``parent`` that of another one, or None for the root."""

    id: str
    parent: str | None = None
    self_managed: bool = False
    deleted: bool = False


class Config(NamedTuple):  # importing dataclasses would delay the first connection by a third
    """The options and the settings of a gateway.

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
    - ``parent``: the process id of what ``exit_with_parent`` watches; None for the parent and standard input.
    - ``gzip``: compress bodies for clients that accept it.
    - ``config``: the path of the file that some of these are from.
    - ``provisioned``: secrets, upstreams and routes that are there from the start.
    - ``body_limit``: the largest body of a request, in bytes.
    - ``identities``: tokens in addition to ``tokens``, which stand for the root tenant.
    - ``tenants``: a tree, each after its parent; without them, there is only the root tenant.
    - ``management_api_enabled``: whether upstreams and routes can be changed, not only read.
    - ``ssrf_protection``: refuse upstreams on private networks.
    - ``allow_http_upstream``: whether upstreams may be called without TLS.
    - ``proxy_timeout``: the longest wait for the head of an upstream's response, and the longest silence in
      its body, in seconds.
    - ``upstream_ca``: a file of certificate authorities for upstreams, besides those of the platform.
    - ``streaming_idle_timeout``: the longest silence in a stream of events, in seconds.
    - ``token_cache_ttl``: how long an access token for an upstream is used at most, in seconds.
    - ``token_cache_capacity``: the largest number of access tokens that are kept for a sandbox.
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
    parent: int | None = None
    gzip: bool = False
    config: str | None = None
    provisioned: "Provisioned | None" = None
    body_limit: int = 64_000_000
    identities: tuple[GivenToken, ...] = ()
    tenants: tuple[GivenTenant, ...] = ()
    management_api_enabled: bool = True
    ssrf_protection: bool = False
    allow_http_upstream: bool = True
    proxy_timeout: float = 30.0
    streaming_idle_timeout: float = 300.0
    token_cache_ttl: float = 300.0
    token_cache_capacity: int = 10_000
    upstream_ca: str | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """All tokens that the gateway accepts, then the values of secrets, which must never be shown."""
        tokens = (*self.tokens, *(identity.token for identity in self.identities))
        if self.admin_token is not None:
            tokens = (*tokens, self.admin_token)
        given = () if self.provisioned is None else self.provisioned.secrets
        return (*tokens, *(secret.value for secret in given))


class ConfigError(Exception):
    """The arguments are invalid; the message says why and what is expected."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        flag, found, _ = message.partition("ignored explicit argument")
        if found:
            message = f"{flag}takes no value"
        raise ConfigError(f"{message} (try --help)")


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(HELP.format(prog=parser.prog), end="")
        parser.exit()


def parse_args(
    args: Sequence[str], prog: str = "server.py", environ: Mapping[str, str] = MappingProxyType({})
) -> Config:
    """Parse the command line ``args``, without the program's name, the variables of ``environ``, and a file.

    An argument wins over a variable, a variable over the file. Raises ConfigError if one is invalid, with a
    line for each error in the file, and SystemExit after ``--help`` or ``--version``, like argparse.
    """
    parser = _Parser(prog=prog, allow_abbrev=False, add_help=False)
    parser.add_argument("PORT", nargs="?", type=read_port)
    for option in OPTIONS:
        add = partial(parser.add_argument, dest=option.field, default=argparse.SUPPRESS)
        if option.read is None:
            add("--" + option.name, action="store_true")
        else:
            add("--" + option.name, action="append" if option.repeatable else "store", type=option.read)
        if option.can_be_off:
            add("--no-" + option.name, action="store_false")
    parser.add_argument("-h", "--help", action=_Help, nargs=0, default=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"oagw-mock-server {__version__}")
    # Without its value, argparse would take the next argument for it, which may be PORT.
    args = [f"{text}={THE_PARENT}" if text == "--exit-with-parent" else text for text in args]
    known, unknown = parser.parse_known_args(args)
    if unknown:
        _refuse(parser, unknown)
    given = vars(known)
    port = given.pop("PORT")
    if port is not None:
        if "port" in given:
            parser.error("more than one PORT")
        given["port"] = port
    chosen = {**_variables(environ), **given}
    if "config" in chosen:
        chosen = _with_file(chosen, environ)
    elif "tokens" in chosen:
        chosen["tokens"] = tuple(chosen["tokens"])
    watched = chosen.get("exit_with_parent", False)
    if watched is not True and watched:
        chosen |= {"exit_with_parent": True, "parent": watched}
    return Config(**chosen)


def _with_file(chosen: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return ``chosen`` with what the file of ``--config`` has in addition. Raises ConfigError."""
    from oagw.gateway_file.reader import read

    found = read(chosen["config"], environ, chosen, Config._field_defaults)
    if found.errors:
        raise ConfigError("\n".join(found.errors))
    # The file alone says who has a token, unless there is --token; and which tenant a token belongs to.
    tokens = chosen.get("tokens", found.values.get("tokens", () if found.tokens else Config().tokens))
    listed = {token for token, _, _ in found.tokens}
    return {
        **found.values,
        **chosen,
        "tokens": tuple(token for token in tokens if token not in listed),
        "identities": tuple(GivenToken(*one) for one in found.tokens),
        "tenants": tuple(GivenTenant(*one) for one in found.tenants),
        "provisioned": found.provisioned,
    }


def misspelled_variable(environ: Mapping[str, str]) -> str | None:
    """Return a sentence about a variable whose name is almost that of an option; None if there is none."""
    known = {option.variable for option in OPTIONS}
    for name in environ:
        if name.startswith("OAGW_") and name not in known and name not in _OTHER_VARIABLES:
            from difflib import get_close_matches

            if close := get_close_matches(name[:100], known, 1, 0.85):
                return f"the variable {name[:100]} is no option; did you mean {close[0]}?"
    return None


def _refuse(parser: _Parser, unknown: list[str]) -> NoReturn:
    # Leave out values: one may be a token after a misspelled --token.
    flags = [text.partition("=")[0] for text in unknown if text.startswith("-")]
    if not flags:
        parser.error("more than one PORT")
    from oagw.model.suggestion import suggestion

    known = [f"--{option.name}" for option in OPTIONS]
    parser.error(f"unrecognized arguments: {' '.join(flags)}{suggestion(flags[0], known)}")


def _variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of Config that ``environ`` has; an empty variable counts as missing."""
    found = {}
    for option in OPTIONS:
        text = environ.get(option.variable, "").strip()
        # In Kubernetes, a service with the name "oagw" sets OAGW_PORT to such a URL in every container.
        if text and not (option.field == "port" and text.startswith("tcp://")):
            try:
                found[option.field] = option.from_variable(text)
            except argparse.ArgumentTypeError as error:
                raise ConfigError(f"the variable {option.variable}: {error} (try --help)") from None
    return found
