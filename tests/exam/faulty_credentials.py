"""Clients that are careless with credentials, and those that get redirects and pages wrong."""

from tests.exam.client import Call, Client, Report, Request, origin_of
from tests.exam.connection import Response
from tests.exam.failures import Failed, PageLoop
from tests.exam.faults import fault


@fault("redirect-other-host", "redirect-other-host-cookie")
class SendsTokenAnywhere(Client):
    """It sends the token to the host of a redirect."""

    def redirected(self, request: Request, status: int, url: str) -> Request:
        return super().redirected(request, status, url)._replace(home=origin_of(url))


@fault("link-other-host")
class SendsTokenToPages(Client):
    """It sends the token to the host of the next page."""

    async def follow(self, request: Request) -> Response:
        return await super().follow(request._replace(home=origin_of(request.url)))


@fault("redirect-other-host-cookie")
class SendsCookieAnywhere(Client):
    """It sends cookies to the host of a redirect."""

    keeps_cookie = True


@fault("token-not-in-url")
class PutsTokenInUrl(Client):
    """It sends the token in the query as well."""

    def url(self, request: Request) -> str:
        if origin_of(request.url) != request.home:
            return request.url
        return request.url + ("&" if "?" in request.url else "?") + f"access_token={request.token}"


@fault("token-sent")
class ForgetsToken(Client):
    """It does not send the token."""

    sends_token = False


@fault("error-without-token")
class ShowsToken(Client):
    """The message of its errors contains the token."""

    async def take(self, call: Call) -> Report:
        report = await super().take(call)
        if "message" in report:
            report["message"] += f" (Authorization: Bearer {call['token']})"
        return report


@fault("redirect-same-host-307")
class MakesGetOf307(Client):
    """It follows a 307 with GET."""

    makes_get_of = frozenset({301, 302, 303, 307, 308})


@fault("redirect-303")
class KeepsPostAfter303(Client):
    """It follows a 303 with POST."""

    makes_get_of = frozenset()


@fault("redirect-loop")
class FollowsForEver(Client):
    """It follows redirects without a limit."""

    most_redirects = 1_000


@fault("pages-loop pages-loop-of-two")
class FollowsPagesForEver(Client):
    """It does not notice that pages lead back."""

    def is_loop(self, url: str, seen: set[str]) -> bool:
        return False

    async def follow(self, request: Request) -> Response:
        await self.sleep(0.02)  # the network takes time as well
        return await super().follow(request)


@fault("pages-loop-of-two")
class SeesShortLoops(FollowsPagesForEver):
    """It notices only a page that leads to itself."""

    last = ""

    def is_loop(self, url: str, seen: set[str]) -> bool:
        before, self.last = self.last, url
        return url == before


@fault("pages-relative-link")
class JoinsLinks(Client):
    """It takes a relative link for a path at the root."""

    def link_target(self, page: str, link: str) -> str:
        origin = origin_of(page)
        return link if "://" in link else f"http://{origin.host}:{origin.port}/{link.lstrip('/')}"


@fault("pages-link-parameters", "pages-comma-in-url pages-link-two-relations pages-link-unquoted")
class ReadsOneFormOfLinks(Client):
    """It reads the target of Link up to the first comma, and only rel="next"."""

    def next_link(self, response: Response) -> str | None:
        for link in (response.head.get("link") or "").split(","):
            target, _, parameters = link.partition(";")
            if parameters.strip() == 'rel="next"':
                return target.strip().removeprefix("<").removesuffix(">")
        return None


@fault("pages-error-on-second")
class ReturnsSomePages(Client):
    """It takes the pages before an error for all of them."""

    async def pages(self, call: Call) -> Report:
        items: list[object] = []
        request: Request | None = self.first_request(call)
        seen: set[str] = set()
        while request is not None:
            if self.is_loop(request.url, seen):
                raise PageLoop("A page leads to one before it")
            seen.add(request.url)
            try:
                page, link = await self.ask(request, call["retries"], self.read_page)
            except Failed:
                if not items:
                    raise
                break
            items += page
            request = request._replace(url=self.link_target(request.url, link)) if link else None
        return {"outcome": "value", "value": items}


@fault("pages-empty-in-the-middle")
class StopsAtEmptyPage(Client):
    """It takes an empty page for the last one."""

    async def read_page(self, request: Request, response: Response) -> tuple[list[object], str | None]:
        page, link = await super().read_page(request, response)
        return page, link if page else None


@fault(
    "pages-followed",
    "pages-comma-in-url pages-cut-on-second pages-empty-in-the-middle pages-error-on-second "
    "pages-link-parameters pages-link-two-relations pages-link-unquoted pages-loop pages-loop-of-two "
    "pages-relative-link pages-retry-on-second pages-several-links",
)
class ReadsOnePage(Client):
    """It does not follow Link."""

    def next_link(self, response: Response) -> str | None:
        return None


@fault("pages-loop pages-loop-of-two")
class ReturnsLoop(Client):
    """It gives up after ten pages, and takes what it has for all of them."""

    async def pages(self, call: Call) -> Report:
        items: list[object] = []
        request = self.first_request(call)
        for _ in range(10):
            page, link = await self.ask(request, call["retries"], self.read_page)
            items += page
            if link is None:
                break
            request = request._replace(url=self.link_target(request.url, link))
        return {"outcome": "value", "value": items}
