"""The catalogue of problems."""

import pytest

from oagw.model.problem import CATEGORIES, canonical, invalid_field, platform


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_canonical_problem_has_the_status_title_and_type_of_its_category(category: str) -> None:
    status, title, detail = CATEGORIES[category]
    problem = canonical(category, error="why")
    assert (problem.status, problem.title, problem.detail) == (status, title, detail)
    assert problem.type == f"gts://gts.cf.core.errors.err.v1~cf.core.err.{category}.v1~"
    assert problem.error == "why"


def test_an_unknown_category_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        canonical("nonsense", error="why")


def test_an_invalid_field_is_named() -> None:
    (violation,) = invalid_field("host", "REQUIRED", "Missing Host").context["field_violations"]
    assert violation == {"field": "host", "reason": "REQUIRED", "description": "Missing Host"}


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(404, "Not Found"), (413, "Payload Too Large"), (431, "Request Header Fields Too Large")],
)
def test_a_platform_problem_is_the_phrase_of_its_status(status: int, phrase: str) -> None:
    problem = platform(status, "why")
    assert (problem.type, problem.status) == ("about:blank", status)
    assert (problem.title, problem.detail) == (phrase, phrase)
