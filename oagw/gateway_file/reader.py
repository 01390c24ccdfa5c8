"""Read the file of ``--config``: its options, settings, tenants, tokens, secrets, upstreams and routes."""

import re
import tomllib
from argparse import ArgumentTypeError
from collections.abc import Mapping
from os.path import dirname, join
from typing import TYPE_CHECKING, Any, NamedTuple

from oagw.gateway_file.table import FileErrors, Table
from oagw.gateway_file.tenancy import TenantFields, TokenFields, read_secrets, read_tenants, read_tokens
from oagw.options import OPTIONS, SETTINGS, Setting

if TYPE_CHECKING:
    from oagw.registry.provision import Provisioned

# The largest file, in bytes.
_MAX = 16 << 20

_TABLES = ("tenants", "tokens", "secrets", "upstreams", "routes")
KEYS = [*(option.key for option in OPTIONS), *(setting.key for setting in SETTINGS), *_TABLES]

# What tomllib adds to its messages.
_PLACE = re.compile(r"(.*) \(at (line [0-9]+, column [0-9]+|end of document)\)", re.DOTALL)


class Found(NamedTuple):
    """What a file has: ``values`` for members of Config, and the rest. With ``errors``, it is incomplete."""

    values: dict[str, Any]
    tenants: tuple[TenantFields, ...]
    tokens: tuple[TokenFields, ...]
    provisioned: "Provisioned | None"
    errors: list[str]


def read(
    path: str, environ: Mapping[str, str], chosen: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Found:
    """Read the file at ``path``, and see ``interpret``."""
    errors = FileErrors(path)
    return interpret(Table(_document(path, errors), "", errors), path, environ, chosen, defaults)


def interpret(
    document: Table,
    path: str,
    environ: Mapping[str, str],
    chosen: Mapping[str, Any],
    defaults: Mapping[str, Any],
) -> Found:
    """Return what ``document``, the contents of the file at ``path``, says.

    ``chosen`` are the members of Config that win over the file, ``defaults`` those that it wins over.
    ``environ`` are the variables that it may name.
    """
    document.check_names(KEYS)
    values = {**_options(document, path), **_settings(document, path)}
    tree = read_tenants(document)
    tokens = read_tokens(document, tree, environ)
    secrets = read_secrets(document, tree, environ)
    provisioned = None
    if secrets or "upstreams" in document or "routes" in document:
        from oagw.gateway_file.records import provided

        effective = {**defaults, **values, **chosen}
        provisioned = provided(
            document, tree, secrets, effective["memory_limit"], effective["ssrf_protection"]
        )
    return Found(values, tree.given, tokens, provisioned, document.errors.lines)


def _document(path: str, errors: FileErrors) -> dict[str, Any]:
    """Return the contents of the file; {} if it cannot be read, which is reported."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX + 1)
        if len(data) > _MAX:
            raise ValueError(f"is larger than {_MAX} bytes")
        return tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        errors.add("", f"cannot be read: {(error.strerror or str(error)).lower()}")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        errors.add("", f"line {line}: is not UTF-8")
    except RecursionError:
        errors.add("", "is nested too deeply")
    except ValueError as error:
        match = _PLACE.fullmatch(str(error))
        errors.add("", f"{match[2]}: {match[1]}" if match else str(error))
    return {}


def _options(document: Table, path: str) -> dict[str, Any]:
    """Return the members of Config that are options."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        if option.key not in document:
            continue
        if option.name == "config":
            document.wrong(option.key, "a file cannot name another one")
            continue
        types = (*option.types, list) if option.repeatable else option.types
        value = document.get(option.key, *types)
        if value is None:
            continue
        try:
            if option.repeatable:
                values[option.field] = tuple(map(_text, value if isinstance(value, list) else [value]))
                values[option.field] = tuple(map(option.from_file, values[option.field]))
            else:
                values[option.field] = option.from_file(value)
        except (ArgumentTypeError, ValueError) as error:
            document.wrong(option.key, str(error))
    if "mappings" in values:
        values["mappings"] = join(dirname(path), values["mappings"])
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError("expected an array of strings")
    return value


def _settings(document: Table, path: str) -> dict[str, Any]:
    """Return the members of Config that are settings."""
    values = {}
    for setting in SETTINGS:
        value = document.get(setting.key, *((int, float) if setting.type is float else (setting.type,)))
        if value is None:
            continue
        if setting.type in (int, float) and not 0 < value <= setting.most:
            document.wrong(setting.key, _range(setting))
        else:
            values[setting.field] = setting.type(value)
    if "upstream_ca" in values:
        values["upstream_ca"] = join(dirname(path), values["upstream_ca"])
        _check_authorities(document, values["upstream_ca"])
    return values


def _range(setting: Setting) -> str:
    what = "a whole number" if setting.type is int else "a number"
    return f"expected {what} greater than 0 and at most {setting.most:.0f}"


def _check_authorities(document: Table, path: str) -> None:
    import ssl  # loaded only where a file names authorities

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        document.wrong("upstream_ca", f"{path[:200]!r} has no certificates (PEM)")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        document.wrong("upstream_ca", f"{path[:200]!r} cannot be read: {reason}")
