"""The header X-OAGW-Mock-Fault: what it asks for, and how it says what is wrong with it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.model.invalid import Invalid
from oagw.toxics.mock_fault import MAX_FAULTS, faults


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("reset_peer", [("reset_peer", {"timeout": 0})]),
        ("reset_peer; after_bytes=100", [("reset_peer", {"timeout": 0, "after_bytes": 100})]),
        (
            "slicer;average_size=5 , bandwidth ; rate = 10",
            [
                ("slicer", {"average_size": 5, "size_variation": 0, "delay": 0}),
                ("bandwidth", {"rate": 10}),
            ],
        ),
        ("limit_data; bytes=0", [("limit_data", {"bytes": 0})]),
        ("EMPTY_RESPONSE", [("limit_data", {"bytes": 0})]),
        ("CONNECTION_RESET_BY_PEER", [("reset_peer", {"timeout": 0})]),
    ],
)
def test_a_fault_is_a_toxic_in_one_line(value: str, expected: list[tuple[str, Any]]) -> None:
    shown = [toxic.as_json() for toxic in faults(value)]
    assert [(one["type"], one["attributes"]) for one in shown] == expected


def test_toxicity_is_a_parameter() -> None:
    (fault,) = faults("latency; latency=5; toxicity=0.25")
    assert fault.as_json()["toxicity"] == 0.25


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "Expected the type"),
        ("latency,", "Expected the type"),
        ("chaos", "chaos"),
        ("latency; latency", 'latency: Expected a parameter such as after_bytes=100, got "latency"'),
        ("latency; latency=abc", 'latency: latency must be a number, got "abc"'),
        ("latncy; latency=5", 'There is no fault "latncy", did you mean "latency"?'),
        ("Reset-Peer", 'did you mean "reset_peer"?'),
        ("empty_response", 'did you mean "EMPTY_RESPONSE"?'),
        ("x", "there are latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data, CONN"),
        ("latency latency=5", 'latency: Expected ";" before its parameters, got "latency latency=5"'),
        ("latency; toxicty=0.5", 'latency: There is no parameter "toxicty", did you mean "toxicity"?'),
        ("reset_peer; after_byte=1", 'did you mean "after_bytes"?'),
        ("slow_close; x=1", "there are "),
        ("latency; speed=1", "speed"),
        ("latency; latency=-1", "latency"),
        ("latency; latency=1; latency=2", "latency is given twice"),
        ("latency; toxicity=2", "toxicity"),
        ("bandwidth", "rate"),
        ("reset_peer; after_bytes=1; after_events=1", "not both"),
        (",".join(["latency"] * (MAX_FAULTS + 1)), "More than"),
    ],
)
def test_a_malformed_fault_says_what_was_wrong(value: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        faults(value)
    assert says in caught.value.detail


@given(st.text(st.sampled_from("latency_reset;=, 0159.-abc\u00e9"), max_size=40))
def test_anything_else_is_invalid_and_nothing_worse(value: str) -> None:
    with suppress(Invalid):
        faults(value)
