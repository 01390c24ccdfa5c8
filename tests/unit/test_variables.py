"""Options as environment variables, and the text of ``--help``."""

import re
from pathlib import Path

import pytest

from oagw.config import Config, ConfigError, misspelled_variable, parse_args
from oagw.options import OPTIONS, Option


def test_every_option_is_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("")
    variables = {
        "OAGW_PORT": "0",
        "OAGW_HOST": "::1",
        "OAGW_TOKEN": " one  two ",
        "OAGW_ADMIN_TOKEN": "secret",
        "OAGW_CONFIG": str(file),
        "OAGW_MAPPINGS": "some folder",
        "OAGW_STRICT_MODELS": "1",
        "OAGW_GZIP": "true",
        "OAGW_GITHUB_LINKS": "true",
        "OAGW_SEED": "-7",
        "OAGW_CLOCK": "manual",
        "OAGW_STREAM_INTERVAL_SCALE": "0.5",
        "OAGW_JOURNAL_COUNT": "5",
        "OAGW_MEMORY_LIMIT": "6",
        "OAGW_SANDBOX_LIFETIME": "7.5",
        "OAGW_ACCESS_LOG": "TRUE",
        "OAGW_EXIT_WITH_PARENT": "4711",
    }
    assert {option.variable for option in OPTIONS} == variables.keys()
    config = parse_args([], environ=variables)
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
        admin_token="secret",
        mappings="some folder",
        clock="manual",
        sandbox_lifetime=7.5,
        memory_limit=6,
        github_links=True,
        gzip=True,
        parent=4711,
        config=str(file),
    )
    defaults = Config()
    fields = {option.field for option in OPTIONS} | {"parent"}
    assert [name for name in fields if getattr(config, name) == getattr(defaults, name)] == []


@pytest.mark.parametrize("args", [["1"], ["--port", "1"], ["--port=1"]])
def test_an_option_wins_over_its_variable(args: list[str]) -> None:
    environ = {
        "OAGW_PORT": "2",
        "OAGW_TOKEN": "variable",
        "OAGW_ACCESS_LOG": "1",
        "OAGW_EXIT_WITH_PARENT": "1",
    }
    config = parse_args(
        [*args, "--token", "option", "--no-access-log", "--no-exit-with-parent"], environ=environ
    )
    assert (config.port, config.tokens) == (1, ("option",))
    assert (config.access_log, config.exit_with_parent) == (False, False)


@pytest.mark.parametrize("text", ["1", "true", "True"])
def test_the_variable_for_the_parent_is_a_switch_too(text: str) -> None:
    config = parse_args([], environ={"OAGW_EXIT_WITH_PARENT": text})
    assert (config.exit_with_parent, config.parent) == (True, None)
    assert not parse_args([], environ={"OAGW_EXIT_WITH_PARENT": "false"}).exit_with_parent


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_empty_variable_counts_as_missing(option: Option) -> None:
    assert parse_args([], environ={option.variable: " "}) == Config()


def test_the_url_that_kubernetes_sets_for_a_service_is_no_port() -> None:
    assert parse_args([], environ={"OAGW_PORT": "tcp://10.0.0.1:8765"}) == Config()


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("OAGW_PORT", "http", "a port is a number from 0 to 65535"),
        ("OAGW_SEED", "x", "a seed is a whole number, not 'x'"),
        ("OAGW_ACCESS_LOG", "yes", "a switch is 1, 0, true or false, not 'yes'"),
        ("OAGW_STRICT_MODELS", "2", "a switch is 1, 0, true or false, not '2'"),
        ("OAGW_EXIT_WITH_PARENT", "no", "a process id is a whole number, 1 or greater, not 'no'"),
        ("OAGW_CLOCK", "slow", "there is no clock 'slow'; there are real, manual"),
        ("OAGW_MEMORY_LIMIT", "0", "a memory limit is a whole number of MiB, 1 or greater, not '0'"),
    ],
)
def test_an_invalid_variable_is_named(variable: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_args(["1"], environ={variable: text})
    assert str(raised.value) == f"the variable {variable}: {said} (try --help)"


def test_a_token_in_a_variable_is_never_repeated() -> None:
    for variable in ("OAGW_TOKEN", "OAGW_ADMIN_TOKEN", "OAGW_PORT"):
        with pytest.raises(ConfigError, match=variable) as raised:
            parse_args([], environ={variable: "sëcret"})
        assert "cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("OAGW_SEEED", "OAGW_SEED"), ("OAGW_TOKENS", "OAGW_TOKEN"), ("OAGW_STRICT_MODEL", "OAGW_STRICT_MODELS")],
)
def test_a_misspelled_variable_is_told_without_its_value(name: str, meant: str) -> None:
    environ = {"PATH": "/bin", name: "secret"}
    assert parse_args([], environ=environ) == Config()
    said = misspelled_variable(environ)
    assert said == f"the variable {name} is no option; did you mean {meant}?"


def test_variables_that_are_for_others_are_let_alone() -> None:
    names = ("URL", "PYTHON", "SERVER", "SOAK_SECONDS", "SERVICE_PORT", "PORT_8765_TCP_ADDR", "SEED", "TOKEN")
    assert misspelled_variable({f"OAGW_{name}": "x" for name in names}) is None


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--exit-with-parent="], "a process id is a whole number, 1 or greater, not ''"),
        (["--exit-with-parent=0"], "a process id is a whole number, 1 or greater, not '0'"),
        (["--exit-with-parent=no"], "a process id is a whole number, 1 or greater, not 'no'"),
        (["1", "--port", "2"], "more than one PORT"),
        (["--port"], "argument --port: expected one argument"),
        (["--sead", "7"], "unrecognized arguments: --sead"),
        (["--no-token"], "unrecognized arguments: --no-token"),
    ],
)
def test_arguments_that_make_no_sense_are_named(args: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_args(args)
    assert said in str(raised.value)


def test_the_number_after_the_switch_for_the_parent_is_the_port() -> None:
    config = parse_args(["--exit-with-parent", "5000"])
    assert (config.port, config.exit_with_parent, config.parent) == (5000, True, None)
    assert parse_args(["--exit-with-parent=5000"]).parent == 5000
    assert parse_args(["--exit-with-parent=1"]).parent == 1


def test_the_help_fits_on_a_screen_and_has_every_option_and_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse_args(["--help"], "python -m oagw")
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("usage: python -m oagw ")
    documented = re.findall(r"^ .*?--([\w-]+)", text, re.MULTILINE)
    assert sorted(documented) == sorted([*(option.name for option in OPTIONS), "help"])
    assert "--version" in text
    default = Config()
    for shown in (
        f"(default: {default.port})",
        f"(default: {default.host})",
        *(f"({value})" for value in (default.tokens[0], default.clock)),
        *(f"({default.stream_interval_scale:g})", f"({default.sandbox_lifetime:g})"),
        *(f"({default.journal_count})", f"({default.memory_limit})"),
    ):
        assert shown in text
