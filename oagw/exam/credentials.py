"""Situations in which credentials must be sent, must not be, and redirects and links lead elsewhere."""

from typing import Any

from oagw.exam.observed import bounded, same_body
from oagw.exam.pages import ITEMS, page
from oagw.exam.reported import fails, gets, message_without_token
from oagw.exam.situation import BASE, GET, OTHER, PAGES, POST, Situation, answer, rfc
from oagw.exam.visited import (
    arrives_as,
    if_asked,
    keeps_from_other_host,
    sends_token,
    token_only_in_authorization,
)

_NOT_FOLLOWED = "A client that does not follow the redirect is not judged."
_MOVED = "/v1/moved"


def _redirect(status: int, to: str, at: str) -> dict[str, Any]:
    return answer(status, at=at, headers={"Location": to})


CREDENTIALS = (
    Situation(
        name="token-sent",
        happens="A GET and a POST are answered 200.",
        correct="Send the token as Authorization: Bearer with every request.",
        source=rfc(6750, "2.1"),
        calls=(GET, POST),
        stubs=(answer(),),
        rules=(gets(), sends_token()),
    ),
    Situation(
        name="token-not-in-url",
        happens="A GET and a POST are answered 200.",
        correct="Send the token in Authorization, and nowhere else: URLs are logged.",
        source=rfc(6750, "5.3"),
        calls=(GET, POST),
        stubs=(answer(),),
        rules=(gets(), token_only_in_authorization()),
    ),
    Situation(
        name="redirect-other-host",
        happens="A GET is redirected (302) to another host.",
        correct="Follow without Authorization: the token is not for that host.",
        source=rfc(9110, "15.4"),
        legitimate=_NOT_FOLLOWED,
        stubs=(answer(at=_MOVED), _redirect(302, OTHER + _MOVED, GET.path)),
        rules=(keeps_from_other_host("Authorization"),),
    ),
    Situation(
        name="redirect-other-host-cookie",
        happens="A GET with the field Cookie is redirected (302) to another host.",
        correct="Follow without Cookie: it is not for that host.",
        source=rfc(9110, "15.4"),
        legitimate=_NOT_FOLLOWED,
        calls=(GET._replace(headers={"Cookie": "session=7d1f"}),),
        stubs=(answer(at=_MOVED), _redirect(302, OTHER + _MOVED, GET.path)),
        rules=(keeps_from_other_host("Cookie"),),
    ),
    Situation(
        name="redirect-same-host-307",
        happens="A POST is redirected (307) to another path.",
        correct="Follow with the same method and body.",
        source=rfc(9110, "15.4.8"),
        legitimate=_NOT_FOLLOWED,
        calls=(POST,),
        stubs=(answer(at=_MOVED), _redirect(307, BASE + _MOVED, POST.path)),
        rules=(arrives_as("POST", _MOVED, True), if_asked(_MOVED, gets()), if_asked(_MOVED, same_body())),
    ),
    Situation(
        name="redirect-303",
        happens="A POST is redirected (303) to its result.",
        correct="Follow with a GET without a body.",
        source=rfc(9110, "15.4.4"),
        legitimate=_NOT_FOLLOWED,
        calls=(POST,),
        stubs=(answer(at=_MOVED), _redirect(303, BASE + _MOVED, POST.path)),
        rules=(arrives_as("GET", _MOVED, False), if_asked(_MOVED, gets())),
    ),
    Situation(
        name="redirect-loop",
        happens="A GET is redirected (302) to a path that is redirected to itself.",
        correct="Notice the loop, or limit the number of redirects, and report an error.",
        source=rfc(9110, "15.4"),
        legitimate=_NOT_FOLLOWED,
        stubs=(_redirect(302, BASE + _MOVED, "/v1/(things|moved)"),),
        rules=(if_asked(_MOVED, fails()), bounded(200)),
    ),
    Situation(
        name="link-other-host",
        kind="pages",
        happens="The link to the second page leads to another host.",
        correct="Follow without the token, or do not follow: the token is not for that host.",
        source=rfc(6750, "5.3"),
        legitimate="A client that does not follow the link is not judged.",
        calls=(PAGES,),
        stubs=(
            page(ITEMS[:2], f'<{OTHER}/v1/items?after=b>; rel="next"'),
            page(ITEMS[2:], after="b"),
        ),
        rules=(keeps_from_other_host("Authorization"),),
    ),
    Situation(
        name="error-without-token",
        happens="A GET is answered 401.",
        correct="Report an error whose message does not contain the token: messages are logged.",
        source=rfc(6750, "5.3"),
        legitimate="A client that reports no message is not judged.",
        stubs=(answer(401, headers={"WWW-Authenticate": "Bearer"}),),
        rules=(fails(401), message_without_token()),
    ),
)
