"""Clients with a planted fault fail the situations meant for it, by the rule meant for it."""

import re
from collections.abc import Callable
from typing import Any

from oagw.config import Config
from oagw.exam.catalogue import SITUATIONS
from tests.support.examinee import Client, Failure, Sent, prepare, take, verdict
from tests.support.wire import Answer, Wire
from tests.support.wire_case import WireTestCase

GROUPS = ("retry", "limits", "pages", "credentials")
NAMES = [name for name, one in SITUATIONS.items() if one.group in GROUPS]


def failures(client: Callable[[Wire], Client], names: list[str] = NAMES) -> dict[str, set[str]]:
    """Return which situations the client fails, each with the rules."""
    found = {}
    for name in names:
        wire = Wire(Config(seed=1))
        wire.clock.advance(0.3)  # dates are not always at a whole second
        judged = take(wire, name, client(wire))
        if judged["verdict"] == "failed":
            found[name] = {one["rule"] for one in judged["rules"] if one["verdict"] == "failed"}
    return found


class Impatient(Client):
    """Does not wait as it is asked, but backs off."""

    def stated(self, answer: Answer) -> float | None:
        return None


class NoDates(Client):
    """Ignores a Retry-After that is a date."""

    def stated(self, answer: Answer) -> float | None:
        return None if " " in answer.headers.get("retry-after", [""])[0] else super().stated(answer)


class AtOnce(Client):
    """Retries without a pause."""

    def pause(self, sent: Sent, answer: Answer | None, attempt: int) -> float | None:
        return None if super().pause(sent, answer, attempt) is None else 0.0


class RepeatsPosts(Client):
    """Repeats a POST whose answer was lost."""

    def pause(self, sent: Sent, answer: Answer | None, attempt: int) -> float | None:
        return self.backoff(attempt) if answer is None else super().pause(sent, answer, attempt)


class RetriesEverything(Client):
    """Retries after every status."""

    def pause(self, sent: Sent, answer: Answer | None, attempt: int) -> float | None:
        stated = super().pause(sent, answer, attempt)
        return self.backoff(attempt) if stated is None and answer is not None else stated


class Changing(Client):
    """Changes something in each attempt."""

    fault = ""

    def exchange(self, sent: Sent) -> Answer | None:
        attempt = self.__dict__.setdefault("attempt", 0)
        self.__dict__["attempt"] += 1
        if attempt and self.fault == "body":
            sent = sent._replace(body=b"")
        if self.fault == "key" and "Idempotency-Key" in sent.fields:
            sent = sent._replace(fields={**sent.fields, "Idempotency-Key": f"key-{attempt}"})
        return super().exchange(sent)


class EmptyBody(Changing):
    fault = "body"

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        return super().redirected(sent, answer)._replace(body=b"")


class NewKey(Changing):
    fault = "key"


class WithoutToken(Client):
    def first_request(self, call: dict[str, Any], url: str, home: str) -> Sent:
        sent = super().first_request(call, url, home)
        return sent._replace(fields={n: v for n, v in sent.fields.items() if n != "Authorization"})


class TokenInUrl(Client):
    def first_request(self, call: dict[str, Any], url: str, home: str) -> Sent:
        return super().first_request(call, f"{url}?access_token={call['token']}", home)


class TokenInField(Client):
    def first_request(self, call: dict[str, Any], url: str, home: str) -> Sent:
        sent = super().first_request(call, url, home)
        return sent._replace(fields={**sent.fields, "X-Api-Key": call["token"]})


class TakesAllAlong(Client):
    """Keeps all header fields when it is redirected."""

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        redirected = super().redirected(sent, answer)
        return redirected._replace(fields={**sent.fields, "Host": redirected.fields["Host"]})


class TokenForAllLinks(Client):
    """Sends the token to whatever host a link leads to."""

    def first_request(self, call: dict[str, Any], url: str, home: str) -> Sent:
        sent = super().first_request(call, url, home)
        return sent._replace(fields={**sent.fields, "Authorization": f"Bearer {call['token']}"})


class GetsAfterAll(Client):
    """Follows every redirect with GET."""

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        return super().redirected(sent, answer)._replace(method="GET", body=b"")


class KeepsThePost(Client):
    """Follows every redirect with the method and body that it had."""

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        return super().redirected(sent, answer)._replace(method=sent.method, body=sent.body)


class TellsTheToken(Client):
    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        report = super().call(call)
        return (
            {**report, "message": f"failed with {call['token']}"} if report["outcome"] == "error" else report
        )


class FirstPage(Client):
    def next_page(self, url: str, answer: Answer) -> str | None:
        return None


class PartialList(Client):
    """Takes an error for the end of the pages."""

    def pages(self, call: dict[str, Any]) -> list[Any]:
        items: list[Any] = []
        url: str | None = call["url"]
        seen = set()
        while url is not None and url not in seen:
            seen.add(url)
            try:
                answer = self.ask(call, url, home=call["url"].split("/")[2])
            except Failure:
                break
            items += self.read(answer)
            url = self.next_page(url, answer)
        return items


class StopsAtEmptyPage(Client):
    def next_page(self, url: str, answer: Answer) -> str | None:
        return super().next_page(url, answer) if answer.json() else None


class OnePattern(Client):
    """Finds the next page with one regular expression."""

    def next_page(self, url: str, answer: Answer) -> str | None:
        found = re.search(r'<([^<>]+)>; rel="next"', ", ".join(answer.headers.get("link", ())))
        if found is not None and "://" not in found[1]:
            raise Failure(f"not a URL: {found[1]}")
        return None if found is None else found[1]


class GoesRound(Client):
    """Asks for pages three times, then returns what it has."""

    def pages(self, call: dict[str, Any]) -> list[Any]:
        items: list[Any] = []
        url: str | None = call["url"]
        asked = 0
        while url is not None and asked < 8:
            asked += 1
            answer = self.ask(call, url, home=call["url"].split("/")[2])
            items += [item for item in self.read(answer) if item not in items]
            url = self.next_page(url, answer)
        return items


STATED = {
    "retry-after-seconds",
    "retry-after-date",
    "retry-after-date-obsolete",
    "retry-after-on-503",
    "retry-after-too-long",
    "limit-then-new-call",
    "pages-retry-on-second",
}
FINAL = {f"not-retried-{status}" for status in (400, 401, 403, 404, 422)}


class FaultTests(WireTestCase):
    def fails(self, client: Callable[[Wire], Client], names: set[str], rule: str) -> None:
        found = failures(client)
        self.assertEqual(set(found), names)
        for name, rules in found.items():
            self.assertIn(rule, rules, name)

    def test_stated_delays_are_ignored(self) -> None:
        self.fails(Impatient, STATED, "delay")

    def test_dates_are_ignored(self) -> None:
        self.fails(NoDates, {"retry-after-date", "retry-after-date-obsolete"}, "delay")

    def test_there_is_no_pause(self) -> None:
        found = failures(AtOnce)
        self.assertEqual(set(found), (STATED | {"backoff-grows"}) - {"retry-after-too-long"})
        self.assertEqual(found["backoff-grows"], {"backoff"})

    def test_the_pause_is_constant(self) -> None:
        self.fails(lambda wire: Client(wire, backoff=lambda attempt: 0.3), {"backoff-grows"}, "backoff")

    def test_there_is_no_end(self) -> None:
        found = failures(lambda wire: Client(wire, retries=40, backoff=lambda attempt: 0.01 * attempt))
        self.assertEqual(set(found), {"retry-after-zero", "backoff-grows", "attempts-bounded"})
        self.assertEqual({rule for rules in found.values() for rule in rules}, {"number of requests"})

    def test_every_status_is_retried(self) -> None:
        found = failures(RetriesEverything)
        self.assertEqual(set(found), FINAL | {"retry-after-too-long"})
        self.assertEqual(found["not-retried-404"], {"no retry"})

    def test_posts_are_repeated(self) -> None:
        self.fails(
            RepeatsPosts,
            {"lost-answer-post", "cut-answer-post", "stale-connection-post"},
            "no repeated side effect",
        )

    def test_the_body_of_a_retry_is_empty(self) -> None:
        repeated = {"lost-answer-put", "lost-answer-post-with-key", "retry-sends-body"}
        found = failures(EmptyBody)
        self.assertEqual(set(found), repeated | {"redirect-same-host-307"})
        for name in repeated:
            self.assertEqual(found[name], {"body of the retry"})

    def test_each_attempt_has_another_key(self) -> None:
        self.fails(NewKey, {"lost-answer-post-with-key", "retry-sends-body"}, "idempotency key")

    def test_the_token_is_missing(self) -> None:
        self.fails(WithoutToken, {"token-sent"}, "token")

    def test_the_token_is_in_the_url(self) -> None:
        found = failures(TokenInUrl, ["token-not-in-url", "token-sent", "retry-after-seconds"])
        self.assertEqual(found, {"token-not-in-url": {"place of the token"}})

    def test_the_token_is_in_another_field(self) -> None:
        self.fails(TokenInField, {"token-not-in-url"}, "place of the token")

    def test_credentials_follow_redirects(self) -> None:
        found = failures(TakesAllAlong)
        self.assertEqual(
            found,
            {
                "redirect-other-host": {"Authorization for one host"},
                "redirect-other-host-cookie": {"Cookie for one host"},
            },
        )

    def test_the_token_follows_links(self) -> None:
        self.fails(TokenForAllLinks, {"link-other-host"}, "Authorization for one host")

    def test_redirects_change_the_method(self) -> None:
        self.fails(GetsAfterAll, {"redirect-same-host-307"}, "redirected request")

    def test_redirects_keep_the_method(self) -> None:
        self.fails(KeepsThePost, {"redirect-303"}, "redirected request")

    def test_the_error_tells_the_token(self) -> None:
        self.fails(TellsTheToken, {"error-without-token"}, "message")

    def test_only_the_first_page_is_read(self) -> None:
        found = failures(FirstPage)
        self.assertEqual(
            set(found),
            {
                "pages-followed",
                "pages-relative-link",
                "pages-several-links",
                "pages-link-parameters",
                "pages-link-unquoted",
                "pages-link-two-relations",
                "pages-comma-in-url",
                "pages-empty-in-the-middle",
                "pages-error-on-second",
                "pages-retry-on-second",
                "pages-cut-on-second",
                "pages-loop",
                "pages-loop-of-two",
            },
        )

    def test_an_error_ends_the_list(self) -> None:
        self.fails(PartialList, {"pages-error-on-second"}, "error")
        found = failures(lambda wire: PartialList(wire, retries=0))
        names = {"pages-error-on-second", "pages-retry-on-second", "pages-cut-on-second"}
        self.assertEqual(set(found), names)

    def test_an_empty_page_ends_the_list(self) -> None:
        self.fails(StopsAtEmptyPage, {"pages-empty-in-the-middle"}, "answer")

    def test_links_are_not_parsed(self) -> None:
        found = failures(OnePattern)
        self.assertEqual(
            set(found),
            {
                "pages-relative-link",
                "pages-link-parameters",
                "pages-link-unquoted",
                "pages-link-two-relations",
            },
        )

    def test_a_loop_of_pages_is_not_noticed(self) -> None:
        self.fails(GoesRound, {"pages-loop", "pages-loop-of-two"}, "end of the pages")

    def test_the_first_call_succeeds_and_the_next_does_not(self) -> None:
        class OnlyOnce(Client):
            def call(self, call: dict[str, Any]) -> dict[str, Any]:
                report = super().call(call)
                return report if call["id"].endswith("/1") else {"outcome": "error", "error": "Open"}

        found = failures(OnlyOnce, ["limit-then-new-call"])
        self.assertEqual(found, {"limit-then-new-call": {"later calls"}})

    def test_a_client_that_does_not_return_or_crashes(self) -> None:
        for report in ({"outcome": "none"}, {"outcome": "crash", "message": "Segmentation fault"}):
            examined = prepare(self.wire, "server-error-once")
            judged = verdict(self.wire, examined, [report])
            self.assertEqual(judged["verdict"], "failed")

    def test_a_client_that_waits_as_it_was_asked_to(self) -> None:
        examined = prepare(self.wire, "retry-after-too-long")
        judged = verdict(self.wire, examined, [{"outcome": "none"}])
        self.assertEqual(judged["verdict"], "not judged")
        self.assertEqual(judged["text"], "The client still waited after 4 s, as asked.")

    def test_a_client_that_does_not_support_a_kind_of_call(self) -> None:
        for name in NAMES:
            wire = Wire(Config(seed=1))
            examined = prepare(wire, name)
            judged = verdict(wire, examined, [{"outcome": "unsupported"} for _ in examined["calls"]])
            self.assertEqual(judged["verdict"], "not judged", name)


class SharedLimitTests(WireTestCase):
    """The calls of these situations begin while others wait."""

    def take(self, name: str, times: list[float], outcomes: list[str] | None = None) -> dict[str, Any]:
        """Send a request at each of ``times``; the first is refused."""
        wire = Wire(Config(seed=1))
        client = Client(wire)
        examined = prepare(wire, name)
        now = 0.0
        for at in times:
            wire.clock.advance(at - now)
            now = at
            call = examined["calls"][0]
            client.exchange(client.first_request(call, call["url"], "localhost"))
        reports = []
        for outcome in outcomes or ["value"] * 3:
            report: dict[str, Any] = {"outcome": outcome}
            reports.append(
                {**report, "error": "E"} if outcome == "error" else {**report, "value": "marigold"}
            )
        judged = verdict(wire, examined, reports)
        client.close()
        return judged

    def verdicts(self, *arguments: Any) -> set[str]:
        return {self.take(name, *arguments)["verdict"] for name in ("limit-shared", "limit-on-503-shared")}

    def test_those_that_wait_hold_back(self) -> None:
        self.assertEqual(self.verdicts([0.0, 1.0, 1.0, 1.0]), {"passed"})

    def test_one_after_the_other(self) -> None:
        self.assertEqual(self.verdicts([0.0, 1.1, 1.5, 2.0]), {"passed"})

    def test_what_was_on_its_way_counts_for_nothing(self) -> None:
        self.assertEqual(self.verdicts([0.0, 0.05, 0.1, 1.1]), {"passed"})

    def test_the_others_call_all_the_same(self) -> None:
        for name in ("limit-shared", "limit-on-503-shared"):
            judged = self.take(name, [0.0, 0.4, 0.8, 1.0])
            self.assertEqual(judged["verdict"], "failed")
            self.assertIn("2 requests came within the 1 s that the", judged["text"])

    def test_a_client_without_retries_is_not_judged(self) -> None:
        self.assertEqual(self.verdicts([0.0, 0.4, 0.8], ["error", "value", "value"]), {"not judged"})
        self.assertEqual(self.verdicts([0.0, 0.4, 0.8], ["value", "error", "value"]), {"not judged"})
