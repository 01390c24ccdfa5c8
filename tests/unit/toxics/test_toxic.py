"""Toxics as documents: what is accepted, what is refused and where, and whom they act on."""

from random import Random
from typing import Any

import msgspec
import pytest

from oagw.model.call import Call
from oagw.model.document import converted
from oagw.model.draws import Draws
from oagw.model.invalid import Invalid
from oagw.toxics.toxic import Toxic, ToxicChange, ToxicDocument, selected


def chosen(toxics: list[Toxic], call: Call, draws: Draws | None = None) -> list[Toxic]:
    return [acting.toxic for acting in selected(toxics, call, 0.0, draws or Draws(Random(1)))]


def toxic(type: str = "latency", attributes: dict[str, Any] | None = None, **members: Any) -> Toxic:
    return Toxic(converted({"type": type, "attributes": attributes or {}, **members}, ToxicDocument))


@pytest.mark.parametrize(
    ("type", "given", "shown"),
    [
        ("latency", {"latency": 100}, {"latency": 100, "jitter": 0}),
        ("bandwidth", {"rate": 5}, {"rate": 5}),
        ("slow_close", {}, {"delay": 0}),
        ("timeout", {"timeout": 9}, {"timeout": 9}),
        ("reset_peer", {"after_events": 2}, {"timeout": 0, "after_events": 2}),
        ("slicer", {"average_size": 9}, {"average_size": 9, "size_variation": 0, "delay": 0}),
        ("limit_data", {"bytes": 7}, {"bytes": 7}),
    ],
)
def test_a_toxic_is_shown_with_toxiproxys_members(
    type: str, given: dict[str, int], shown: dict[str, int]
) -> None:
    assert toxic(type, given).as_json() == {
        "type": type,
        "name": f"{type}_downstream",
        "stream": "downstream",
        "toxicity": 1.0,
        "attributes": shown,
    }


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"type": "chaos"}, "/type"),
        ({"type": "latency", "stream": "upstream"}, "/stream"),
        ({"type": "latency", "toxicity": 1.5}, "/toxicity"),
        ({"type": "latency", "toxicty": 1}, "/toxicty"),
        ({"type": "latency", "name": ""}, "/name"),
        ({"type": "latency", "attributes": {"latency": -1}}, "/attributes/latency"),
        ({"type": "latency", "attributes": {"latency": "1"}}, "/attributes/latency"),
        ({"type": "latency", "attributes": {"rate": 1}}, "/attributes/rate"),
        ({"type": "bandwidth"}, "/attributes/rate"),
        ({"type": "bandwidth", "attributes": {"rate": 0}}, "/attributes/rate"),
        (
            {"type": "slicer", "attributes": {"average_size": 5, "size_variation": 5}},
            "/attributes/size_variation",
        ),
        (
            {"type": "reset_peer", "attributes": {"after_bytes": 5, "after_events": 5}},
            "/attributes/after_events",
        ),
        ({"type": "slow_close", "attributes": {"after_events": 5}}, "/attributes/after_events"),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is(document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        Toxic(converted(document, ToxicDocument))
    assert caught.value.pointer == pointer


def test_the_refusal_of_upstream_names_it() -> None:
    with pytest.raises(Invalid, match="upstream"):
        toxic(stream="upstream")


def test_a_change_keeps_what_it_does_not_name() -> None:
    before = toxic("latency", {"latency": 100, "jitter": 10}, alias="openai")
    after = before.changed(msgspec.json.decode(b'{"attributes": {"jitter": 20}}', type=ToxicChange))
    assert after.as_json()["attributes"] == {"latency": 100, "jitter": 20}
    assert after.as_json()["alias"] == "openai"
    assert before.as_json()["attributes"] == {"latency": 100, "jitter": 10}


def test_the_type_of_a_toxic_cannot_be_changed() -> None:
    with pytest.raises(Invalid) as caught:
        toxic().changed(ToxicChange(type="bandwidth"))
    assert caught.value.pointer == "/type"


@pytest.mark.parametrize(
    ("alias", "url", "acts"),
    [
        ("openai", "/api/oagw/v1/proxy/openai/v1/models", True),
        ("OpenAI", "/oagw/v1/proxy/OPENAI/v1/models", True),
        ("openai", "/api/oagw/v1/proxy/github/users/x", False),
        ("openai", "/health", False),
        (None, "/health", True),
    ],
)
def test_an_alias_selects_the_answers_of_that_upstream(alias: str | None, url: str, acts: bool) -> None:
    members: Any = {} if alias is None else {"alias": alias}
    one = toxic(**members)
    assert chosen([one], Call("GET", url)) == ([one] if acts else [])


def test_toxicity_is_the_share_of_answers() -> None:
    half, never, call = toxic(toxicity=0.5), toxic(toxicity=0), Call("GET", "/health")
    draws = Draws(Random(7))
    counts = [chosen([half, never], call, draws) for _ in range(1000)]
    assert 400 < sum(half in one for one in counts) < 600
    assert not any(never in one for one in counts)


def test_a_request_pattern_selects_the_answers_to_what_matches_it() -> None:
    one = toxic(request={"method": "POST", "urlPath": "/health"})
    assert chosen([one], Call("POST", "/health?a=b")) == [one]
    assert chosen([one], Call("GET", "/health")) == []
    with pytest.raises(Invalid) as caught:
        toxic(request={"url": 5})
    assert caught.value.pointer == "/request/url"
