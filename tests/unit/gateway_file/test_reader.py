"""The file of --config: what it sets, and that every error is reported with its key."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.config import Config, ConfigError, GivenTenant, GivenToken, parse_args
from oagw.gateway_file.reader import KEYS, interpret
from oagw.gateway_file.table import FileErrors, Table
from oagw.model.tenants import ROOT
from oagw.options import OPTIONS, SETTINGS

ONE, TWO, THREE = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2, 3))
STRANGER = "00000000-0000-0000-0000-00000000000f"

TREE = f"""
[[tenants]]
id = "{ONE}"
[[tenants]]
id = "{TWO}"
parent = "{ONE}"
"""

LAB = """
[[upstreams]]
alias = "lab"
protocol = "http"
server.endpoints = [{ host = "127.0.0.1" }]
"""

ROUTE = 'match.http = { methods = ["GET"], path = "/" }'


def parsed(path: Path, text: str, *args: str, **environ: str) -> Config:
    """The Config for a file that contains ``text``."""
    file = path / "gateway.toml"
    file.write_text(text)
    return parse_args([*args, "--config", str(file)], environ=environ)


def errors(path: Path, text: str, **environ: str) -> list[str]:
    """The errors in a file that contains ``text``, without its name."""
    with pytest.raises(ConfigError) as raised:
        parsed(path, text, **environ)
    prefix = f"{path / 'gateway.toml'}: "
    lines = str(raised.value).split("\n")
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUcfP/fspJaM3QhVE/uaurW9gURRkwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjgxMjQ5MDlaGA8yMTI2MTEwNDEyNDkwOVow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHLp8QTKIByT
KWgEQxONK7kRbN7PKHQxleGwzdbO1cVeqf60/wRMxyTBCSKVPjt8/HxO2T8GIfzF
licDHI7p0bejUzBRMB0GA1UdDgQWBBSlQwAIzziNP351EbTbBpLUkY5/pjAfBgNV
HSMEGDAWgBSlQwAIzziNP351EbTbBpLUkY5/pjAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIDe8B78gnnbhOpMXQscfg8Gc4iZg/aHZNnYlfzOcmwAH
AiEApIfvfZVNiSr7qOfrUaXLJBwD/rFd2ylkT0p7q75Lfm4=
-----END CERTIFICATE-----
"""


def test_every_option_and_setting_is_a_key(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    config = parsed(
        tmp_path,
        """
        port = 0
        host = "::1"
        token = ["one", "two"]
        admin_token = "admin"
        mappings = "stubs"
        strict_models = true
        gzip = true
        github_links = true
        seed = -7
        clock = "manual"
        stream_interval_scale = 0.5
        journal_count = 5
        memory_limit = 6
        sandbox_lifetime = 7
        access_log = true
        exit_with_parent = 4711
        proxy_timeout_seconds = 2
        streaming_idle_timeout_seconds = 1.5
        token_cache_ttl_seconds = 4.5
        token_cache_capacity = 6
        body_limit_bytes = 1000
        allow_http_upstream = false
        ssrf_protection = true
        management_api_enabled = false
        upstream_ca = "ca.pem"
        """,
    )
    assert config == Config(
        host="::1",
        port=0,
        tokens=("one", "two"),
        seed=-7,
        access_log=True,
        stream_interval_scale=0.5,
        exit_with_parent=True,
        strict_models=True,
        journal_count=5,
        admin_token="admin",
        mappings=str(tmp_path / "stubs"),
        clock="manual",
        sandbox_lifetime=7.0,
        memory_limit=6,
        github_links=True,
        parent=4711,
        gzip=True,
        config=str(tmp_path / "gateway.toml"),
        body_limit=1000,
        management_api_enabled=False,
        ssrf_protection=True,
        allow_http_upstream=False,
        proxy_timeout=2.0,
        streaming_idle_timeout=1.5,
        token_cache_ttl=4.5,
        token_cache_capacity=6,
        upstream_ca=str(tmp_path / "ca.pem"),
    )
    others = {"tenants", "identities", "provisioned"}
    defaults = Config()
    assert {name for name in Config._fields if getattr(config, name) == getattr(defaults, name)} == others
    assert {one.field for one in (*OPTIONS, *SETTINGS)} | others | {"parent"} == set(Config._fields)


def test_authorities_are_checked_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    (error,) = errors(tmp_path, 'upstream_ca = "no.pem"')
    assert error == f"upstream_ca: '{tmp_path}/no.pem' has no certificates (PEM)"
    (error,) = errors(tmp_path, 'upstream_ca = "missing.pem"')
    assert error == f"upstream_ca: '{tmp_path}/missing.pem' cannot be read: no such file or directory"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    config = parsed(tmp_path, "\ufeff# nothing\n")
    assert config == Config(config=config.config)


def test_an_option_wins_over_a_variable_and_a_variable_over_the_file(tmp_path: Path) -> None:
    text = 'seed = 1\njournal_count = 1\nmemory_limit = 1\naccess_log = true\ntoken = "file"\ngzip = true'
    environ = {"OAGW_JOURNAL_COUNT": "2", "OAGW_MEMORY_LIMIT": "2", "OAGW_TOKEN": "variable"}
    config = parsed(tmp_path, text, "--memory-limit", "3", "--no-access-log", **environ)
    assert (config.seed, config.journal_count, config.memory_limit) == (1, 2, 3)
    assert (config.access_log, config.tokens, config.gzip) == (False, ("variable",), True)


def test_the_file_can_be_named_by_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("seed = 7")
    assert parse_args([], environ={"OAGW_CONFIG": str(file)}).seed == 7
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: no such file or directory"):
        parse_args(["--config", str(tmp_path / "missing.toml")], environ={"OAGW_CONFIG": str(file)})


def test_tenants_and_tokens(tmp_path: Path) -> None:
    text = f"""
    [[tenants]]
    id = "{TWO}"
    parent = "{ONE}"
    self_managed = true
    [[tenants]]
    id = "{ONE}"
    [[tenants]]
    id = "{THREE}"
    parent = "{TWO}"
    deleted = true
    [[tokens]]
    token = "root"
    [[tokens]]
    token_env = "SOME_TOKEN"
    tenant = "{THREE}"
    subject = "somebody"
    [[tokens]]
    token = "outsider"
    tenant = "{STRANGER}"
    outsider = true
    [[tokens]]
    token = "nobody"
    tenant = "00000000-0000-0000-0000-000000000000"
    """
    config = parsed(tmp_path, text, SOME_TOKEN="from-variable")
    assert config.tenants == (
        GivenTenant(TWO, ONE, self_managed=True),
        GivenTenant(ONE),
        GivenTenant(THREE, TWO, deleted=True),
    )
    assert config.identities == (
        GivenToken("root"),
        GivenToken("from-variable", THREE, "somebody"),
        GivenToken("outsider", STRANGER),
        GivenToken("nobody", "00000000-0000-0000-0000-000000000000"),
    )


def test_tokens_of_the_file_replace_the_default_one_and_add_to_the_option(tmp_path: Path) -> None:
    text = f'{TREE}\n[[tokens]]\ntoken = "listed"\ntenant = "{TWO}"'
    assert parsed(tmp_path, text).tokens == ()
    assert parsed(tmp_path, text, "--token", "given", "--token", "listed").tokens == ("given",)
    assert parsed(tmp_path, text, OAGW_TOKEN="given listed").tokens == ("given",)
    assert parsed(tmp_path, TREE).tokens == Config().tokens


def test_records_have_ids_that_stay(tmp_path: Path) -> None:
    text = f'{TREE}{LAB}\n[[routes]]\nalias = "LAB."\n{ROUTE}'
    first = parsed(tmp_path, text).provisioned
    again = parsed(tmp_path, LAB.replace("lab", "other") + text).provisioned
    assert first is not None
    assert again is not None
    assert [one.alias for one in first.upstreams] == ["lab"]
    assert first.upstreams[0].tenant_id == first.routes[0].tenant_id
    assert first.routes[0].upstream == first.upstreams[0].uuid
    assert (first.upstreams[0], first.routes[0]) == (again.upstreams[1], again.routes[0])


def test_the_order_of_upstreams_in_the_file_does_not_matter(tmp_path: Path) -> None:
    child = LAB + f'tenant = "{TWO}"\nauth.type = "noop"\n'
    parent = LAB + 'auth = { type = "noop", sharing = "enforce" }\n'
    said = "auth: cannot override auth: ancestor upstream has sharing mode 'enforce'"
    assert errors(tmp_path, TREE + child + parent) == [f"upstreams[0].{said}"]
    assert errors(tmp_path, TREE + parent + child) == [f"upstreams[1].{said}"]


def test_an_upstream_finds_the_secrets_that_its_tenant_can_read(tmp_path: Path) -> None:
    upstream = 'auth = { type = "x", config = { secret_ref = "cred://key" } }'
    secret = f'{TREE}[[secrets]]\nname = "key"\nvalue_env = "KEY"\n'
    for tenant in (ONE, TWO):
        config = parsed(
            tmp_path, f'{secret}sharing = "shared"{LAB}{upstream}\ntenant = "{tenant}"', KEY="value"
        )
        assert config.provisioned is not None
        (kept,) = config.provisioned.secrets
        assert (kept.reference, kept.value, kept.sharing, str(kept.owner.tenant)) == (
            "key",
            "value",
            "shared",
            ONE,
        )
        assert "value" not in repr(config.provisioned)
    said = errors(tmp_path, f'{secret}{LAB}{upstream}\ntenant = "{TWO}"', KEY="value")
    assert said == [
        "upstreams[0].auth.config.secret_ref: secret_ref 'cred://key' is not accessible to this tenant "
        "(not provisioned yet, or not shared)"
    ]


BAD = {
    "an unknown key": ("prt = 1", 'prt: unknown key, did you mean "port"? There are port'),
    "a key as on the command line": (
        '"memory-limit" = 1',
        'memory-limit: unknown key, did you mean "memory_limit"',
    ),
    "another file": ('config = "x"', "config: a file cannot name another one"),
    "a string for a number": ('port = "1"', "port: expected an integer, got a string"),
    "a number for a string": ("host = 1", "host: expected a string, got an integer"),
    "a fraction": ("seed = 1.5", "seed: expected an integer, got a number"),
    "a boolean for a number": ("seed = true", "seed: expected an integer, got a boolean"),
    "a switch": ("gzip = 1", "gzip: expected a boolean, got an integer"),
    "a date": ("gzip = 2026-01-01", "gzip: expected a boolean, got a date or time"),
    "a large port": ("port = 65536", "port: a port is a number from 0 to 65535, not 65536"),
    "a negative count": (
        "journal_count = -1",
        "journal_count: a count is a whole number, 0 or greater, not '-1'",
    ),
    "an infinite scale": ("stream_interval_scale = inf", "stream_interval_scale: a factor is a number"),
    "a clock": ('clock = "slow"', "clock: there is no clock 'slow'; there are real, manual"),
    "a process": ("exit_with_parent = 0", "exit_with_parent: a process id is a whole number, 1 or greater"),
    "tokens": ('token = ["a", 1]', "token: expected an array of strings"),
    "no time": (
        "proxy_timeout_seconds = 0",
        "proxy_timeout_seconds: expected a number greater than 0 and at most 86400",
    ),
    "no number": ("proxy_timeout_seconds = nan", "proxy_timeout_seconds: expected a number greater than 0"),
    "a large body": (
        "body_limit_bytes = 104857601",
        "body_limit_bytes: expected a whole number greater than 0 and at most 104857600",
    ),
    "tables without brackets": (
        "[tokens]",
        "tokens: expected an array of tables, got a table; write [[tokens]]",
    ),
    "no tables": ("upstreams = 0", "upstreams: expected an array of tables, got an integer"),
    "an item that is no table": ("routes = [1]", "routes[0]: expected a table, got an integer"),
    "a tenant without id": ("[[tenants]]", "tenants[0].id: is missing"),
    "no UUID": ('[[tenants]]\nid = "root"', "tenants[0].id: expected a UUID, got 'root'"),
    "the nil UUID": (f'[[tenants]]\nid = "{ONE[:-1]}0"', "tenants[0].id: the nil UUID is no tenant"),
    "a tenant twice": (f'{TREE}[[tenants]]\nid = "{TWO}"', "tenants[2].id: is the same as tenants[1].id"),
    "two roots": (
        f'{TREE}[[tenants]]\nid = "{THREE}"',
        "tenants[2]: has no parent, and neither has tenants[0]; only one tenant can be the root",
    ),
    "an unknown parent": (
        f'{TREE}[[tenants]]\nid = "{THREE}"\nparent = "{STRANGER}"',
        f"tenants[2].parent: there is no tenant {STRANGER}",
    ),
    "a cycle": (
        f'[[tenants]]\nid = "{ONE}"\nparent = "{TWO}"\n[[tenants]]\nid = "{TWO}"\nparent = "{ONE}"',
        f"tenants[0].parent: is in a cycle: {ONE} -> {TWO} -> {ONE}",
    ),
    "a tenant above itself": (
        f'{TREE}[[tenants]]\nid = "{THREE}"\nparent = "{THREE}"',
        f"tenants[2].parent: is in a cycle: {THREE} -> {THREE}",
    ),
    "a token without text": ("[[tokens]]", "tokens[0]: token and token_env are both missing; give one"),
    "a token in two places": (
        '[[tokens]]\ntoken = "hush"\ntoken_env = "PATH"',
        "tokens[0]: token and token_env are both given; keep one",
    ),
    "an invalid token": (
        '[[tokens]]\ntoken = "hush hush"',
        "tokens[0].token: a token is one or more visible ASCII characters without spaces",
    ),
    "an empty token": ('[[tokens]]\ntoken = ""', "tokens[0].token: is empty"),
    "a variable that is not set": (
        '[[tokens]]\ntoken_env = "NOT_SET"',
        "tokens[0].token_env: the variable 'NOT_SET' is not set",
    ),
    "a variable that is not text": (
        '[[secrets]]\nname = "key"\nvalue_env = "BYTES"',
        "secrets[0].value_env: the variable 'BYTES' is not UTF-8",
    ),
    "a token twice": (
        '[[tokens]]\ntoken = "hush"\n[[tokens]]\ntoken_env = "HUSH"',
        "tokens[1].token_env: is the same as tokens[0].token",
    ),
    "a token of a stranger": (
        f'[[tokens]]\ntoken = "hush"\ntenant = "{STRANGER}"',
        f"tokens[0].tenant: there is no tenant {STRANGER}; add it to [[tenants]], or give the token "
        "outsider = true",
    ),
    "an outsider that is none": (
        f'[[tokens]]\ntoken = "hush"\ntenant = "{ROOT}"\noutsider = true',
        f"tokens[0].outsider: is true, but there is a tenant {ROOT}",
    ),
    "an unknown key of a token": (
        '[[tokens]]\ntoken = "hush"\ntennant = "x"',
        'tokens[0].tennant: unknown key, did you mean "tenant"?',
    ),
    "a secret without value": (
        '[[secrets]]\nname = "key"',
        "secrets[0]: value and value_env are both missing; give one",
    ),
    "a secret with a bad name": (
        '[[secrets]]\nname = "a/b"\nvalue = "hush"',
        "secrets[0].name: expected 1 to 255 letters, digits, '_' or '-'",
    ),
    "a secret twice": (
        '[[secrets]]\nname = "key"\nvalue = "hush"\n[[secrets]]\nname = "cred://key"\nvalue = "hush"',
        "secrets[1].name: is the same as secrets[0].name",
    ),
    "an unknown sharing": (
        '[[secrets]]\nname = "key"\nvalue = "hush"\nsharing = "all"',
        "secrets[0].sharing: expected one of private, tenant, shared, got 'all'",
    ),
    "a private secret of nobody": (
        '[[secrets]]\nname = "key"\nvalue = "hush"\nsharing = "private"',
        "secrets[0].subject: a private secret, and no other, needs the subject that owns it",
    ),
    "a secret of a stranger": (
        f'[[secrets]]\nname = "key"\nvalue = "hush"\ntenant = "{STRANGER}"',
        f"secrets[0].tenant: there is no tenant {STRANGER}; add it to [[tenants]]",
    ),
    "an upstream of a stranger": (
        f'{LAB}tenant = "{STRANGER}"',
        f"upstreams[0].tenant: there is no tenant {STRANGER}",
    ),
    "an upstream without server": ('[[upstreams]]\nprotocol = "p"', "upstreams[0].server: is missing"),
    "an unknown key of an upstream": (
        f"{LAB}rate_limits = 1",
        'upstreams[0].rate_limits: unknown key, did you mean "rate_limit"?',
    ),
    "an upstream by id": (f'{LAB}upstream_id = "x"', "upstreams[0].upstream_id: unknown key"),
    "an unknown key far down": (
        f"{LAB}rate_limit.sustained = {{ rate = 1, windw = 2 }}",
        'upstreams[0].rate_limit.sustained.windw: unknown key, did you mean "window"?',
    ),
    "a wrong type far down": (
        LAB.replace('"127.0.0.1"', '"127.0.0.1", port = 70000'),
        "upstreams[0].server.endpoints[0].port: expected an integer <= 65535",
    ),
    "no array": (
        '[[upstreams]]\nprotocol = "p"\nserver.endpoints = 1',
        "upstreams[0].server.endpoints: expected an array, got an integer",
    ),
    "a value that is not listed": (
        f'{LAB}rate_limit = {{ sustained = {{ rate = 1, window = "week" }} }}',
        "upstreams[0].rate_limit.sustained.window: invalid enum value 'week', expected one of \"",
    ),
    "a number among settings": (
        f'{LAB}auth = {{ type = "x", config = {{ header = 1 }} }}',
        "upstreams[0].auth.config.header: expected a string, got an integer",
    ),
    "no endpoints": (
        '[[upstreams]]\nprotocol = "p"\nserver.endpoints = []',
        "upstreams[0].server.endpoints: server must have at least one endpoint",
    ),
    "too many endpoints": (
        LAB.replace('{ host = "127.0.0.1" }', '{ host = "127.0.0.1" },' * 1001),
        "upstreams[0].server.endpoints: expected an array of length <= 1000",
    ),
    "endpoints that differ": (
        LAB.replace('" }', '" }, { host = "127.0.0.2", port = 1 }'),
        "upstreams[0].server.endpoints[1]: endpoint[1] has the port 1, endpoint[0] 443; "
        "all endpoints must share the same port",
    ),
    "no alias": (
        LAB.replace('alias = "lab"', ""),
        "upstreams[0].alias: explicit alias is required for IP-based or heterogeneous-host endpoints",
    ),
    "an alias twice": (LAB + LAB, "upstreams[1].alias: alias 'lab' already exists for tenant"),
    "CORS": (
        f'{LAB}cors = {{ allowed_origins = ["x"] }}',
        "upstreams[0].cors.allowed_origins: invalid origin 'x': expected '*' or http(s)://host[:port]",
    ),
    "a budget": (
        f'{LAB}rate_limit = {{ sustained = {{ rate = 1 }}, budget = {{ mode = "shared" }} }}',
        "upstreams[0].rate_limit.budget.total: budget.total is required when budget.mode is 'allocated' or "
        "'shared'",
    ),
    "SSRF protection": (
        f"ssrf_protection = true\n{LAB}",
        "upstreams[0].server.endpoints[0]: endpoint[0] IP address '127.0.0.1' is blocked by SSRF protection",
    ),
    "memory": (
        f'memory_limit = 1\n{LAB}tags = ["{"x" * 500_000}"]',
        "upstreams[0]: Out of memory: this takes",
    ),
    "a route without alias": (f"[[routes]]\n{ROUTE}", "routes[0].alias: is missing"),
    "a route to nowhere": (
        f'{LAB}[[routes]]\nalias = "lap"\n{ROUTE}',
        "routes[0].alias: the tenant has no upstream 'lap', did you mean \"lab\"? There is lab",
    ),
    "a route of another tenant": (
        f'{TREE}{LAB}[[routes]]\nalias = "lab"\ntenant = "{TWO}"\n{ROUTE}',
        "routes[0].alias: the tenant has no upstream 'lab'; there are none",
    ),
    "a route by id": (
        f'{LAB}[[routes]]\nalias = "lab"\nupstream_id = "x"\n{ROUTE}',
        "routes[0].upstream_id: in this file, a route names its upstream by its alias",
    ),
    "a route that matches nothing": (
        f'{LAB}[[routes]]\nalias = "lab"\nmatch = {{}}',
        "routes[0].match: match rules must specify exactly one of 'http' or 'grpc'",
    ),
    "two routes for the same calls": (
        f'{LAB}[[routes]]\nalias = "lab"\n{ROUTE}\n[[routes]]\nalias = "lab"\n{ROUTE}',
        "routes[1].match: route overlap: an enabled route already exists on upstream",
    ),
    "no TOML": ("port = 1\nhost =\n", "line 2, column 7: Invalid value"),
    "a key twice": ("port = 1\nport = 2\n", "line 2, column 9: Cannot overwrite a value"),
    "a file that ends early": ('host = """', "end of document: "),
    "deep nesting": (f"seed = {'[' * 100_000}", "is nested too deeply"),
    "a long number": (f"seed = {'1' * 5_000}", "Exceeds the limit"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_error_is_reported_with_its_key_and_no_secret(name: str, tmp_path: Path) -> None:
    text, said = BAD[name]
    lines = errors(tmp_path, text, HUSH="hush", PATH="hush", BYTES="hush\udcff")
    assert [line[: len(said)] for line in lines] == [said]
    assert "hush" not in lines[0]


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    said = errors(
        tmp_path,
        """
        prt = 1
        seed = "x"
        [[tenants]]
        id = "x"
        [[tokens]]
        [[secrets]]
        value = "hush-hush"
        [[upstreams]]
        protocol = 1
        [[upstreams]]
        protocol = "p"
        server.endpoints = []
        [[routes]]
        alias = "hush-hush"
        match.http = { methods = ["GET"], path = "/" }
        """,
    )
    assert [line.partition(":")[0] for line in said] == [
        "prt",
        "seed",
        "tenants[0].id",
        "tokens[0]",
        "secrets[0].name",
        "upstreams[0].protocol",
        "upstreams[0].server",
        "upstreams[1].server.endpoints",
        "routes[0].alias",
    ]
    assert "the tenant has no upstream '***'" in said[-1]


def test_nothing_is_said_about_routes_of_upstreams_that_are_refused(tmp_path: Path) -> None:
    one = '[[upstreams]]\nprotocol = "p"\nserver.endpoints = [{ host = "a.example", port = 0.5 }]\n'
    assert len(errors(tmp_path, f'{one}[[routes]]\nalias = "a.example:8"\n{ROUTE}')) == 1
    two = LAB + "enabled = 1\n"
    assert len(errors(tmp_path, f'{two}[[routes]]\nalias = "lab"\n{ROUTE}')) == 1


def test_a_broken_tree_brings_no_other_errors(tmp_path: Path) -> None:
    tree = TREE + f'[[tenants]]\nid = "{THREE}"\nparent = "{STRANGER}"\n'
    upstream = LAB + f'tenant = "{THREE}"\nauth = {{ type = "x", config = {{ secret_ref = "k" }} }}\n'
    route = f'[[routes]]\nalias = "lab"\ntenant = "{THREE}"\n{ROUTE}'
    assert len(errors(tmp_path, tree + upstream + route)) == 1


def test_very_many_errors_are_counted(tmp_path: Path) -> None:
    lines = errors(tmp_path, "[[tokens]]\n" * 310)
    assert (len(lines), lines[-1]) == (301, "10 more errors")


def test_a_file_that_is_not_one(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    for data, said in (
        (b"# \n# \xff\n", "line 2: is not UTF-8"),
        (b"#" * (16 << 20) + b"\n", "is larger than 16777216 bytes"),
    ):
        file.write_bytes(data)
        with pytest.raises(ConfigError) as raised:
            parse_args(["--config", str(file)])
        assert str(raised.value) == f"{file}: {said}"
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        parse_args(["--config", str(tmp_path)])


SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([ONE, TWO, "lab", "127.0.0.1", "GET", "shared"]),
    st.just(date(2026, 1, 1)),
)
NAMES = st.sampled_from(
    [
        *KEYS,
        "id",
        "parent",
        "token",
        "tenant",
        "name",
        "value",
        "alias",
        "server",
        "endpoints",
        "host",
        "auth",
        *(
            "protocol",
            "match",
            "http",
            "methods",
            "path",
            "cors",
            "rate_limit",
            "sustained",
            "rate",
            "plugins",
        ),
    ]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_no_file_whatever_is_a_traceback(values: dict[str, Any]) -> None:
    document = Table(values, "", FileErrors("gateway.toml"))
    found = interpret(document, "gateway.toml", {}, {}, Config._field_defaults)
    assert all(line.startswith("gateway.toml: ") and "\n" not in line for line in found.errors)
