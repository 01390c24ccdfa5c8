"""docs/reference.md: it lists what there is, and what it says is masked is."""

import json
import re
from collections.abc import Iterator

import pytest

from oagw.model.secret import is_secret
from tests.docs.pages import blocks, names, section, table
from tests.support.wire import Wire

PAGE = "docs/reference.md"
SECTIONS = ("Stubs", "Toxics", "Requests", "Verification", "Sandboxes and the clock", "The server")
ROWS = [row for heading in SECTIONS for row in table(PAGE, heading, "Method")]


def test_every_operation_of_the_description_has_one_row_and_every_row_is_one() -> None:
    paths = Wire().admin("GET", "/openapi.json").json()["paths"]
    methods = {"get", "put", "post", "delete", "patch"}
    described = [
        f"{method.upper()} {path}" for path, item in paths.items() for method in methods & item.keys()
    ]
    assert sorted(name for cell, _ in ROWS for name in names(cell)) == sorted(described)


@pytest.mark.parametrize(("call", "sentence"), ROWS)
def test_a_row_begins_with_a_verb_and_names_one_call(call: str, sentence: str) -> None:
    assert len(names(call)) == 1
    verb = re.split(r"\W", sentence.lstrip("["))[0]
    assert verb[0].isupper()
    assert verb.endswith("s")


def test_every_call_that_is_listed_is_there() -> None:
    wire = Wire()
    for cell, _ in ROWS:
        method, path = names(cell)[0].split()
        allowed = wire.admin("OPTIONS", path.rstrip("/")).headers["allow"][0]
        assert method in allowed.split(", "), (method, path)


def test_the_parameters_of_a_call_are_named() -> None:
    paths = Wire().admin("GET", "/openapi.json").json()["paths"]
    for cell, sentence in ROWS:
        method, path = names(cell)[0].split()
        for parameter in paths[path][method.lower()].get("parameters", []):
            if parameter["in"] == "query":
                assert f"{parameter['name']}=" in sentence, cell


def test_a_refusal_has_the_members_of_the_example() -> None:
    (written,) = blocks(PAGE, "json")
    answer = Wire().admin("POST", "/mappings", {"response": {"colour": "red"}})
    (error,), (example,) = answer.json()["errors"], json.loads(written)["errors"]
    assert answer.status == 422
    assert error | {"detail": "..."} == example


def test_the_members_of_oagw_stand_where_the_page_says() -> None:
    anything: dict[str, object] = {}
    bodies = {
        "/verify": {"request": {"urlPath": "/y"}},
        "/requests/remove-by-metadata": {"matchesJsonPath": "$.a"},
    }
    stub = {"request": {"urlPath": "/x"}, "metadata": {"a": 1}}

    def found(value: object, place: str = "") -> Iterator[str]:
        """Where there is a member ``oagw`` in ``value``."""
        if isinstance(value, list):
            for one in value:
                yield from found(one, place + "[]")
        elif isinstance(value, dict):
            for name, one in value.items():
                if name == "oagw":
                    yield f"{place}.oagw".lstrip(".")
                yield from found(one, f"{place}.{name}")

    rows = table(PAGE, "Where `oagw` is", "Answer of")
    written = {names(call)[0]: names(place)[0] for call, place in rows}
    answered = {}
    paths = Wire().admin("GET", "/openapi.json").json()["paths"]
    del paths["/openapi.json"]  # it describes the member, but has none
    for path, item in paths.items():
        for method in {"get", "post"} & item.keys():
            wire = Wire()
            wire.admin("POST", "/mappings", stub)
            for url in ("/x", "/api/oagw/v1/proxy/nobody/x"):
                wire.ask("GET", url)
            (event, *_) = wire.admin("GET", "/requests").json()["requests"]
            sent = bodies.get(path, anything) if method == "post" else None
            answer = wire.admin(method.upper(), path.replace("{id}", event["id"]), sent)
            has_json = answer.body and answer.type == "application/json"
            places = set(found(json.loads(answer.body))) if has_json else set()
            if places:
                (answered[f"{method.upper()} {path}"],) = places
    assert answered == written


def test_what_is_said_to_be_masked_is() -> None:
    text = section(PAGE, "Masked secrets").partition(" Masked are ")[2]
    masked, _, never = text.partition("\n\nThese names are never masked:\n")
    anywhere, between = masked.split("\n- ")[1:]
    counts, ends, *others = never.partition("\n\nThe credentials ")[0].split("\n- ")[1:]
    parts = [name for name in names(anywhere) if name != "_"]
    assert len(parts) == 9
    assert all(is_secret(f"X{name}X".upper()) for name in parts)
    assert is_secret("ApiKey")
    assert is_secret("access_key")
    for name in names(between):
        assert (is_secret(f"X-{name}-X"), is_secret(f"X{name}X")) == (True, False), name
    tokens, *words = names(counts)
    for name in [*(f"{word}_{tokens}" for word in words), *names(" ".join(others))]:
        assert not is_secret(name.replace("*", "Key")), name
    for end in names(ends):
        assert not is_secret(f"token_{end}"), end
