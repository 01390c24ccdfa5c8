"""A correct client passes everything, and no legitimate variation of it fails anything."""

from typing import Any

from oagw.config import Config
from oagw.exam.catalogue import SITUATIONS
from tests.support.examinee import Client, take
from tests.support.wire import Answer, Wire
from tests.support.wire_case import WireTestCase
from tests.wire.exam.test_faults import NAMES


def verdicts(make: Any) -> dict[str, set[str]]:
    """Return the names of situations by verdict."""
    found: dict[str, set[str]] = {"passed": set(), "failed": set(), "not judged": set()}
    for name in NAMES:
        wire = Wire(Config(seed=1))
        wire.clock.advance(0.3)
        found[take(wire, name, make(wire))["verdict"]].add(name)
    return found


class Knowing(Client):
    """Knows no field of vendors."""

    def stated(self, answer: Answer) -> float | None:
        for name in ("retry-after-ms", "x-ratelimit-remaining"):
            answer.headers.pop(name, None)
        return super().stated(answer)


class VariationTests(WireTestCase):
    def all_pass(self, make: Any, *unjudged: str) -> None:
        found = verdicts(make)
        self.assertEqual(found["failed"], set())
        self.assertEqual(found["not judged"], set(unjudged))

    def test_a_correct_client(self) -> None:
        self.all_pass(Client)

    def test_no_retries(self) -> None:
        self.all_pass(lambda wire: Client(wire, retries=0), "limit-shared", "limit-on-503-shared")

    def test_one_retry(self) -> None:
        self.all_pass(lambda wire: Client(wire, retries=1))

    def test_more_retries(self) -> None:
        self.all_pass(lambda wire: Client(wire, retries=10, backoff=lambda attempt: 0.05 * (attempt + 1)))

    def test_redirects_are_not_followed(self) -> None:
        redirects = [name for name in NAMES if name.startswith("redirect-")]
        self.all_pass(lambda wire: Client(wire, follows=False), *redirects)

    def test_connections_are_closed(self) -> None:
        self.all_pass(lambda wire: Client(wire, keeps=False), "stale-connection-get", "stale-connection-post")

    def test_keys_of_its_own(self) -> None:
        self.all_pass(lambda wire: Client(wire, own_keys=True))

    def test_a_random_backoff(self) -> None:
        pauses = (0.31, 0.02, 0.19, 0.4)
        self.all_pass(lambda wire: Client(wire, backoff=lambda attempt: pauses[attempt % 4]))

    def test_a_first_retry_at_once(self) -> None:
        self.all_pass(
            lambda wire: Client(wire, backoff=lambda attempt: 0.2 * (2**attempt - 1)),
        )

    def test_fields_of_vendors_are_unknown(self) -> None:
        self.all_pass(Knowing, "retry-after-ms", "rate-limit-reset")

    def test_openai_waits_less_than_an_hour(self) -> None:
        class OpenAI(Client):
            def first_request(self, call: dict[str, Any], url: str, home: str) -> Any:
                sent = super().first_request(call, url, home)
                return sent._replace(fields={**sent.fields, "X-Stainless-Lang": "python"})

            def stated(self, answer: Answer) -> float | None:
                answer.headers.pop("x-ratelimit-remaining", None)
                stated = super().stated(answer)
                return None if stated is not None and stated > 60 else stated

        self.all_pass(
            lambda wire: OpenAI(wire, backoff=lambda attempt: 0.375 * 2**attempt), "rate-limit-reset"
        )

    def test_openai_must_know_its_own_field(self) -> None:
        class OpenAI(Knowing):
            def first_request(self, call: dict[str, Any], url: str, home: str) -> Any:
                sent = super().first_request(call, url, home)
                return sent._replace(fields={**sent.fields, "X-Stainless-Lang": "python"})

        self.assertEqual(verdicts(OpenAI)["failed"], {"retry-after-ms"})

    def test_lists_are_not_supported(self) -> None:
        class NoLists(Client):
            def call(self, call: dict[str, Any]) -> dict[str, Any]:
                return {"outcome": "unsupported"} if call["kind"] == "pages" else super().call(call)

        pages = [name for name in NAMES if SITUATIONS[name].kind == "pages"]
        self.all_pass(NoLists, *pages)
