"""The same with pytest-httpserver: a thread instead of a process, and the whole server for one test."""

from urllib.request import urlopen

from pytest_httpserver import HTTPServer

with HTTPServer() as server:
    server.expect_request("/v1/charges/ch_1", method="GET").respond_with_json({"id": "ch_1"})
    with urlopen(server.url_for("/v1/charges/ch_1"), timeout=10) as answer:
        assert b"ch_1" in answer.read()
    assert len(server.log) == 1
    server.check()
print("ok")
