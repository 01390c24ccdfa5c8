"""The situations of pages, at the level of bytes."""

import json

from tests.support.examination import ExamTestCase


class PageTests(ExamTestCase):
    def test_the_second_page_is_cut_in_its_body(self) -> None:
        examination = self.examine("pages-cut-on-second")
        (call,) = examination.calls
        examination.calls = [{**call, "url": call["url"] + "?after=b"}]
        cut, whole = examination.ask(), examination.ask()
        self.assertIn(b"\r\nContent-Length: 22\r\n", cut.head)
        self.assertEqual((cut.status, cut.body, cut.end), (200, b'[{"id": 3}, {"i', "closed"))
        self.assertEqual((whole.status, whole.end), (200, "complete"))
        self.assertEqual(json.loads(whole.body), [{"id": 3}, {"id": 4}])
