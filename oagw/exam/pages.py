"""Situations of lists in pages: links to the next page in all forms, loops, and failures between pages."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from oagw.exam.observed import bounded, waits
from oagw.exam.reported import fails, gets, gets_or_fails
from oagw.exam.situation import (
    BASE,
    ExamRule,
    RuleSource,
    Situation,
    answer,
    rfc,
)
from oagw.exam.situation import (
    PAGES as LIST,
)
from oagw.exam.visited import stops

_PATH = "/v1/items"
_URL = BASE + _PATH

# All items, two on each of three pages.
ITEMS = [{"id": number} for number in range(1, 7)]
_SECOND = json.dumps(ITEMS[2:4])

_EMPTY_PAGE = RuleSource("Google: pages may be empty before the end", "https://google.aip.dev/158")
_LOOP = RuleSource(
    "AWS SDK: stop when a page leads to itself",
    "https://docs.rs/aws-sdk-s3/latest/aws_sdk_s3/operation/list_objects_v2/paginator/"
    "struct.ListObjectsV2Paginator.html#method.stop_on_duplicate_token",
)
_LINK = rfc(8288, "3")
_UNSUPPORTED = "A client that does not follow pages reports that it does not support this."


def _at(after: str | None) -> dict[str, Any]:
    """Return the pattern of requests for the page after the cursor ``after``; None for the first page."""
    return {"queryParameters": {"after": {"absent": True} if after is None else {"equalTo": after}}}


def page(
    items: Sequence[Any], link: str | list[str] | None = None, after: str | None = None, **more: Any
) -> Mapping[str, Any]:
    """Return a stub for a page of ``items`` with this ``link``."""
    headers = None if link is None else {"Link": link}
    return answer(200, list(items), at=_PATH, request=_at(after), headers=headers, **more)


def to(after: str) -> str:
    """Return a link to the page after this cursor, as most servers write it."""
    return f'<{_URL}?after={after}>; rel="next"'


def _pages(first: str | list[str], second: str | list[str], cursors: tuple[str, str] = ("b", "c")) -> Any:
    """Return the stubs of three pages, of which the first two have these links."""
    return (
        page(ITEMS[:2], first),
        page(ITEMS[2:4], second, cursors[0]),
        page(ITEMS[4:], after=cursors[1]),
    )


def _listed(
    name: str,
    happens: str,
    correct: str,
    stubs: Any,
    source: RuleSource = _LINK,
    rules: tuple[ExamRule, ...] = (gets(ITEMS), bounded()),
    legitimate: str = _UNSUPPORTED,
    **more: Any,
) -> Situation:
    return Situation(
        name=name,
        kind="pages",
        happens=happens,
        correct=correct,
        source=source,
        legitimate=legitimate,
        calls=(LIST,),
        stubs=stubs,
        rules=rules,
        **more,
    )


PAGES = (
    _listed(
        "pages-followed",
        "Three pages, the first two with a Link to the next one.",
        "Follow the links to the end, and return the items of all pages in order.",
        _pages(to("b"), to("c")),
    ),
    _listed(
        "pages-relative-link",
        "The links to the next pages are relative: <?after=b> and <items?after=c>.",
        "Resolve them against the URL of the page.",
        _pages('<?after=b>; rel="next"', '<items?after=c>; rel="next"'),
        rfc(8288, "3.1"),
    ),
    _listed(
        "pages-several-links",
        "The Link field has several links, and there are two Link fields; one is rel=next.",
        "Take the link whose relation is next, wherever it is.",
        _pages(
            f'<{_URL}>; rel="first", {to("b")}, <{_URL}?after=c>; rel="last"',
            [f'<{_URL}>; rel="prev"', to("c")],
        ),
    ),
    _listed(
        "pages-link-parameters",
        "The links have other parameters before and after rel, one of them with a comma.",
        "Find rel among the parameters of the link.",
        _pages(
            f'<{_URL}?after=b>; title="Items, continued"; rel="next"; type="application/json"',
            f'<{_URL}?after=c>;type="application/json";rel="next";hreflang=en',
        ),
    ),
    _listed(
        "pages-link-unquoted",
        "The links end with rel=next, without quotes.",
        "Accept values with and without quotes.",
        _pages(f"<{_URL}?after=b>; rel=next", f"<{_URL}?after=c>;rel=next"),
    ),
    _listed(
        "pages-link-two-relations",
        'The last link has two relations: rel="next last".',
        "Accept a link that is next and something else.",
        _pages(to("b"), f'<{_URL}?after=c>; rel="next last"'),
        rfc(8288, "3.3"),
    ),
    _listed(
        "pages-comma-in-url",
        "The URLs of the next pages contain a comma.",
        "Read the URL up to the angle bracket.",
        _pages(to("1,b"), to("2,c"), ("1,b", "2,c")),
    ),
    _listed(
        "pages-empty-in-the-middle",
        "The second of three pages has no items, but a link to the third.",
        "Follow the link, and return the items of the first and the third page.",
        (page(ITEMS[:2], to("b")), page([], to("c"), "b"), page(ITEMS[4:], after="c")),
        _EMPTY_PAGE,
        (gets([*ITEMS[:2], *ITEMS[4:]]), bounded()),
    ),
    _listed(
        "pages-loop",
        "The second page links to itself.",
        "Notice that, and return the items once, or report an error.",
        (
            page(ITEMS[:2], to("b"), fixedDelayMilliseconds=20),
            page(ITEMS[2:], to("b"), "b", fixedDelayMilliseconds=20),
        ),
        _LOOP,
        (gets_or_fails(value=ITEMS), stops()),
        "Ask for the page once more to notice, or give up with an error after a number of pages.",
        deadline=5.0,
    ),
    _listed(
        "pages-loop-of-two",
        "The second page links to the first one.",
        "Notice that, and return the items once, or report an error.",
        (
            page(ITEMS[:2], to("b"), fixedDelayMilliseconds=20),
            page(ITEMS[2:], f'<{_URL}>; rel="next"', "b", fixedDelayMilliseconds=20),
        ),
        _LOOP,
        (gets_or_fails(value=ITEMS), stops()),
        "Ask for a page once more to notice, or give up with an error after a number of pages.",
        deadline=5.0,
    ),
    _listed(
        "pages-error-on-second",
        "The second page is answered 403.",
        "Report the error. The items of the first page are not the list.",
        (page(ITEMS[:2], to("b")), answer(403, at=_PATH, request=_at("b"))),
        rfc(9110, "15.5.4"),
        (fails(403), bounded()),
    ),
    _listed(
        "pages-retry-on-second",
        "The second page is first answered 429 with Retry-After: 1, then 200.",
        "Wait at least one second, ask for the page again, and return all items once; or report the 429.",
        (
            answer(429, at=_PATH, request=_at("b"), headers={"Retry-After": "1"}, times=1),
            *_pages(to("b"), to("c")),
        ),
        rfc(6585, "4"),
        (gets_or_fails(429, value=ITEMS), bounded()),
        "Report the 429 without a retry.",
        if_retried=(waits(),),
    ),
    _listed(
        "pages-cut-on-second",
        "The connection is closed in the middle of the second page.",
        "Ask for the page again, or report the error. The items so far are not the list.",
        (
            answer(
                at=_PATH,
                request=_at("b"),
                body=_SECOND[:15],
                headers={
                    "Content-Type": "application/json",
                    "Content-Length": str(len(_SECOND)),
                    "Link": to("c"),
                },
                times=1,
            ),
            *_pages(to("b"), to("c")),
        ),
        rfc(9112, "8"),
        (gets_or_fails(value=ITEMS), bounded()),
        "Report the error without a retry.",
    ),
)
