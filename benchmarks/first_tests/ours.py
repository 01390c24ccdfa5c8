"""From the start of a server to the end of a first test, with ``oagw.testing``."""

from urllib.request import Request, urlopen

from oagw.testing import MockGateway

with MockGateway() as gateway, gateway.sandbox() as sandbox:
    sandbox.stub("GET stripe/v1/charges/{id}", json={"id": "ch_1"})
    url = sandbox.alias_url("stripe") + "/v1/charges/ch_1"
    with urlopen(Request(url, headers={"Authorization": f"Bearer {sandbox.token}"}), timeout=10) as answer:
        assert answer.read() == b'{"id":"ch_1"}'
    sandbox.verify("GET stripe/v1/charges/ch_1", times=1)
print("ok")
