"""The same in memory, with an agent of Twisted: no process is started."""

from twisted.web.http_headers import Headers

from oagw.testing import InMemoryGateway

gateway = InMemoryGateway()
with gateway.sandbox() as sandbox:
    sandbox.stub("GET stripe/v1/charges/{id}", json={"id": "ch_1"})
    url = sandbox.alias_url("stripe") + "/v1/charges/ch_1"
    headers = Headers({"Authorization": [f"Bearer {sandbox.token}"]})
    assert gateway.run(gateway.agent().request(b"GET", url.encode(), headers)).code == 200
    sandbox.verify("GET stripe/v1/charges/ch_1", times=1)
print("ok")
