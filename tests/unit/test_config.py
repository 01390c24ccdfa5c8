"""The command line: what it accepts, and what it says when it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.config import Config, ConfigError, parse_args


def test_without_arguments_all_is_as_documented() -> None:
    assert parse_args([]) == Config(
        host="127.0.0.1",
        port=8765,
        tokens=("test-integration-token",),
        seed=None,
        access_log=False,
        stream_interval_scale=1.0,
        exit_with_parent=False,
        strict_models=False,
        clock="real",
        sandbox_lifetime=600.0,
    )


def test_every_option_is_read() -> None:
    args = "9000 --host ::1 --token a --token b --seed -3 --access-log --stream-interval-scale 0.5"
    assert parse_args([*args.split(), "--exit-with-parent", "--strict-models"]) == Config(
        "::1", 9000, ("a", "b"), -3, True, 0.5, True, True
    )


def test_the_clock_and_the_life_of_sandboxes_are_read() -> None:
    config = parse_args(["--clock", "manual", "--sandbox-lifetime", "2.5"])
    assert (config.clock, config.sandbox_lifetime) == ("manual", 2.5)


def test_the_memory_limit_is_read() -> None:
    assert [parse_args(args).memory_limit for args in ([], ["--memory-limit", "64"])] == [512, 64]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        *(
            (["--memory-limit", text], f"a memory limit is a whole number of MiB, 1 or greater, not '{text}'")
            for text in ("0", "-1", "1.5", "64MiB", "1_0", "٣")
        ),
        (["http"], "a port is a number from 0 to 65535"),
        (["65536"], "a port is a number from 0 to 65535, not 65536"),
        (["-1"], "a port is a number from 0 to 65535"),
        (["8_000"], "a port is a number"),
        (["١٢"], "a port is a number"),
        (["1", "2"], "more than one PORT"),
        (["--access-log=yes"], "argument --access-log: takes no value"),
        (["--prot", "1"], "unrecognized arguments: --prot"),
        (["--tok", "1"], "unrecognized arguments: --tok"),
        (["--seed", "x"], "a seed is a whole number, not 'x'"),
        (["--stream-interval-scale", "-1"], "a factor is a number, 0 or greater, not '-1'"),
        (["--stream-interval-scale", "nan"], "a factor is a number, 0 or greater, not 'nan'"),
        (["--stream-interval-scale", "inf"], "a factor is a number, 0 or greater, not 'inf'"),
        (["--stream-interval-scale", "fast"], "a factor is a number, 0 or greater, not 'fast'"),
        (["--host"], "argument --host: expected one argument"),
        (["--clock", "slow"], "argument --clock: there is no clock 'slow'; there are real, manual"),
        (["--sandbox-lifetime", "0"], "a lifetime is greater than 0 and at most 604800 seconds, not '0'"),
        (["--sandbox-lifetime", "604801"], "a lifetime is greater than 0"),
        (["--sandbox-lifetime", "nan"], "a lifetime is greater than 0"),
        (["--sandbox-lifetime", "long"], "a lifetime is greater than 0"),
    ],
)
def test_what_makes_no_sense_is_named(args: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_args(args)
    assert said in str(raised.value)
    assert "--help" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("token", ["", "with space", "tab\t", "new\nline", "ünï", "\x00"])
def test_a_bad_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigError, match="a token is one or more visible ASCII characters") as raised:
        parse_args(["--token", token])
    assert not token or token not in str(raised.value)


def test_version_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parse_args(["--version"])
    assert capsys.readouterr().out == "oagw-mock-server 0.1.0\n"


@pytest.mark.parametrize(
    "args",
    [
        "--tokn=secret",
        "--tokn secret",
        "8000 --tokn secret",
        "--token a secret",
        "8000 --token a secret",
        "--access-log=secret",
        "--access-log secret",
    ],
)
def test_what_may_be_a_token_in_the_wrong_place_is_not_repeated(args: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_args(args.split())
    assert "secret" not in str(raised.value)


@given(st.lists(st.text(max_size=8), max_size=4))
def test_no_argument_whatever_is_a_traceback(args: list[str]) -> None:
    try:
        parsed: Config | int | str | None = parse_args(args)
    except ConfigError:
        return
    except SystemExit as ended:
        parsed = ended.code
    assert isinstance(parsed, Config) or parsed == 0
