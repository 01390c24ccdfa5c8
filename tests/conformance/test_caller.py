"""Behaviours 31 to 36: authentication and authorisation of the caller."""

import pytest

from tests.conformance.client import Client, exchange, new_alias, problem
from tests.conformance.lab import Lab


def test_031_no_token(anonymous: Client, root: Client, lab: Lab) -> None:
    for target in (root.at(lab.port), new_alias()):
        answer = anonymous.call(target)
        document = problem(answer, 401, "unauthenticated")
        assert document["context"]["reason"] == "MISSING_BEARER"
        assert (answer.header("www-authenticate") or "").startswith("Bearer")
    for value in ("", "Bearer", "Bearer ", "Basic abc", "abc"):
        assert anonymous.call(new_alias(), f"Authorization: {value}").status == 401
    assert lab.requests == []


@pytest.mark.double
def test_031_no_token_is_an_error_of_the_gateway(anonymous: Client) -> None:
    answer = anonymous.call(new_alias())
    assert answer.source == "gateway"
    assert answer.json()["error"]


@pytest.mark.double
def test_032_wrong_token(anonymous: Client) -> None:
    answer = anonymous.call(new_alias(), "Authorization: Bearer nobody-has-this")
    assert problem(answer, 403, "permission_denied")["context"]["reason"] == "AUTHN_FAILED"
    assert (answer.source, answer.header("www-authenticate")) == ("gateway", None)
    assert answer.json()["error"]


@pytest.mark.double
def test_033_scheme_in_any_case(root: Client, anonymous: Client, lab: Lab) -> None:
    alias = root.at(lab.port)
    for scheme in ("bearer", "BEARER", "Bearer  "):
        assert anonymous.call(alias, f"Authorization: {scheme} {root.token}").status == 200


def test_034_nil_tenant(nobody: Client, root: Client, lab: Lab) -> None:
    for target in (root.at(lab.port), new_alias(), f"{root.at(lab.port, enabled=False)}/x"):
        answer = nobody.call(target)
        document = problem(answer, 403, "permission_denied")
        assert (document["title"], document["context"]["reason"]) == ("Permission Denied", "AUTHZ_DENIED")
        assert answer.source == "gateway"


def test_035_outsider(outsider: Client, root: Client, lab: Lab) -> None:
    for target in (root.at(lab.port, auth={"type": "any", "sharing": "inherit"}), new_alias()):
        answer = outsider.call(target)
        document = problem(answer, 404, "not_found")
        assert document["detail"] == f"tenant not found: {outsider.tenant}"
        assert document["context"]["resource_type"] == "gts.cf.core.oagw.proxy.v1~"
        assert answer.source == "gateway"


def test_036_credentials_of_the_caller(root: Client, lab: Lab) -> None:
    listed = ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-mine"]
    for rules in ({"passthrough": "all"}, {"passthrough": "allowlist", "passthrough_allowlist": listed}):
        lab.clear()
        alias = root.at(lab.port, headers={"request": rules})
        fields = ("Cookie: a=b", "Proxy-Authorization: Basic x", "Set-Cookie: c=d", "X-Mine: 1")
        assert exchange(root.rig.url, root.head(alias, *fields)).status == 200
        names = lab.only().names
        assert "x-mine" in names
        assert not names & {"authorization", "cookie", "proxy-authorization", "set-cookie"}
