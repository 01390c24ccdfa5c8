"""Writes of upstreams: endpoints, aliases, secrets, CORS, budgets, binding, and the order of the checks."""

from typing import Any

import pytest

from oagw.model.refused import Refused
from oagw.registry.alias import derived
from tests.unit.registry.samples import (
    ALONE,
    APIKEY,
    BELOW,
    LEAF,
    LEFT,
    OUTSIDE,
    RIGHT,
    ROOT,
    body,
    create,
    create_route,
    limit,
    refusal,
    registry,
    replace,
)


def endpoints(*hosts: str, **members: Any) -> dict[str, Any]:
    return {"endpoints": [{"host": host, **members} for host in hosts]}


@pytest.mark.parametrize(
    ("server", "phrase"),
    [
        (endpoints(), "server must have at least one endpoint"),
        (endpoints("::1"), "IPv6 endpoints are not yet supported"),
        (endpoints("[2001:db8::1]"), "IPv6 endpoints are not yet supported"),
        (endpoints("127.0.0.1", "a.example"), "mixed configurations are not allowed"),
        (endpoints(""), "endpoint[0] host '' is empty"),
        (endpoints("a.example", "b_c.example"), "endpoint[1] host 'b_c.example' has invalid characters"),
        (endpoints("-a.example"), "endpoint[0] host"),
        (endpoints("a-.example"), "endpoint[0] host"),
        (endpoints("a..example"), "endpoint[0] host"),
        (endpoints("a" * 64 + ".example"), "endpoint[0] host"),
        (endpoints(".".join(["a" * 60] * 5)), "endpoint[0] host"),
        (endpoints("ü.example"), "endpoint[0] host"),
        (
            {"endpoints": [{"host": "a.example"}, {"host": "a.example", "scheme": "http"}]},
            "all endpoints must share the same scheme",
        ),
        ({"endpoints": [{"host": "a.example"}, {"host": "a.example", "port": 444}]}, "same port"),
    ],
)
def test_bad_endpoints(server: Any, phrase: str) -> None:
    message = refusal(create, registry(), ROOT, body(None) | {"server": server})
    assert message.startswith("400 ")
    assert phrase in message


@pytest.mark.parametrize(
    ("server", "alias"),
    [
        (endpoints("API.Vendor.example."), "api.vendor.example"),
        (endpoints("a.example", port=8443), "a.example:8443"),
        (endpoints("a.example", scheme="http", port=80), "a.example"),
        (endpoints("a.example", scheme="http"), "a.example:443"),
        (endpoints("a.example", "A.example."), "a.example"),
        (endpoints("us.api.vendor.com", "eu.api.vendor.com"), "api.vendor.com"),
        (endpoints("us.vendor.co.uk", "eu.vendor.co.uk", port=8443), "vendor.co.uk:8443"),
        (endpoints("vendor.com", "eu.vendor.com"), "vendor.com"),
        (endpoints("a.openai.test", "b.openai.test"), "openai.test"),
        (endpoints("localhost"), "localhost"),
    ],
)
def test_derived_aliases(server: Any, alias: str) -> None:
    assert create(registry(), ROOT, body(None) | {"server": server}).alias == alias
    assert create(registry(), ROOT, body(alias.upper() + ".") | {"server": server}).alias == alias
    message = refusal(create, registry(), ROOT, body("openai") | {"server": server})
    assert f"remove the 'alias' field (derived: '{alias}')" in message


@pytest.mark.parametrize(
    "hosts",
    [("127.0.0.1",), ("127.0.0.1", "127.0.0.2"), ("a.vendor.com", "a.other.com"), ("a.co.uk", "b.co.uk")],
)
def test_other_endpoints_require_an_alias(hosts: tuple[str, ...]) -> None:
    server = endpoints(*hosts)
    assert "explicit alias is required" in refusal(create, registry(), ROOT, body(None) | {"server": server})
    assert create(registry(), ROOT, body("My-Lab..") | {"server": server}).alias == "my-lab"


@pytest.mark.parametrize("alias", ["", ".", "...", "-_", "a/b", "a b", "ä", "a" * 254, "%61"])
def test_bad_aliases(alias: str) -> None:
    assert refusal(create, registry(), ROOT, body(alias)).startswith("400 alias ")


def test_an_alias_is_unique_in_its_tenant() -> None:
    kept = registry()
    create(kept, ROOT, body("lab"))
    with pytest.raises(Refused) as refused:
        create(kept, ROOT, body("LAB"))
    problem = refused.value.problem  # type: ignore[attr-defined]
    assert (problem.status, problem.detail) == (409, "alias 'lab' already exists for tenant")
    assert problem.context == {
        "resource_type": "gts.cf.core.oagw.upstream.v1~",
        "resource_name": "lab",
    }
    create(kept, LEFT, body("lab"))


def test_the_alias_cannot_be_changed() -> None:
    kept = registry()
    lab = create(kept, ROOT, body("lab"))
    named = create(kept, ROOT, body(None, "a.example"))
    message = refusal(replace, kept, lab, body("other"))
    assert "alias cannot be changed from 'lab' to 'other'; delete and re-create" in message
    assert "endpoint change would alter the alias" in refusal(replace, kept, lab, body(None, "b.example"))
    assert "endpoint change would alter the alias" in refusal(replace, kept, named, body(None, "b.example"))
    message = refusal(replace, kept, named, body(None))
    assert "cannot change hostname-based endpoints to IP-based" in message
    message = refusal(replace, kept, named, body("b.example", "a.example"))
    assert "alias cannot be changed from 'a.example' to 'b.example'" in message
    message = refusal(replace, kept, named, body("b", "A.example"))
    assert "alias is auto-derived" in message
    assert replace(kept, lab, body(None, "127.0.0.2")).alias == "lab"
    assert replace(kept, lab, body("Lab", "127.0.0.3")).server.endpoints[0].host == "127.0.0.3"
    assert derived(replace(kept, named, body(None, "A.example")).server.endpoints) == "a.example"


def test_a_replacement_clears_what_it_leaves_out() -> None:
    kept = registry()
    lab = create(
        kept, ROOT, body(tags=["a"], rate_limit=limit(1), cors={"enabled": True}, plugins={"items": []})
    )
    assert None not in (lab.rate_limit, lab.cors, lab.plugins)
    assert lab.tags == ("a",)
    lab = replace(kept, lab, body(headers=None))
    assert (lab.rate_limit, lab.cors, lab.plugins, lab.headers, lab.tags) == (None, None, None, None, ())
    assert kept.upstream(ROOT, lab.uuid) is lab


def test_secrets_must_be_accessible() -> None:
    kept = registry()

    def auth(reference: str) -> dict[str, Any]:
        return body(auth={"type": APIKEY, "config": {"header": "x", "secret_ref": reference}})

    assert refusal(create, kept, ROOT, auth("cred://a/b")).startswith("400 invalid secret_ref 'cred://a/b'")
    with pytest.raises(Refused) as refused:
        create(kept, ROOT, auth("cred://key"), "other")
    problem = refused.value.problem  # type: ignore[attr-defined]
    assert problem.title == "Failed Precondition"
    assert problem.context["violations"] == [
        {
            "type": "STATE",
            "subject": "auth.config.secret_ref",
            "description": "secret_ref 'cred://key' is not accessible to this tenant "
            "(not provisioned yet, or not shared)",
        }
    ]
    lab = create(kept, ROOT, auth("cred://key"), "key")
    assert "not accessible" in refusal(replace, kept, lab, auth("gone"))
    # References of OAuth2 are checked when they are used.
    create(kept, LEFT, body(auth={"type": "oauth2", "config": {"client_id_ref": "gone"}}))


def test_deleting_an_upstream_deletes_its_routes() -> None:
    dropped: list[str] = []
    kept = registry(dropped=dropped.append)
    lab, other = create(kept, ROOT, body()), create(kept, ROOT, body("other"))
    route = create_route(kept, lab, rate_limit=limit(1))
    left = create_route(kept, other)
    kept.delete_upstream(lab)
    assert kept.upstreams(ROOT, 9) == [other]
    assert kept.routes(ROOT, 9) == [left]
    assert dropped == [f"route:{route.uuid}", f"upstream:{lab.uuid}"]


def test_a_changed_rate_limit_drops_its_buckets() -> None:
    dropped: list[str] = []
    kept = registry(dropped=dropped.append)
    lab = create(kept, ROOT, body(rate_limit=limit(1)))
    lab = replace(kept, lab, body(rate_limit=limit(1), tags=["a"]))
    assert dropped == []
    replace(kept, lab, body(rate_limit=limit(2)))
    assert dropped == [f"upstream:{lab.uuid}"]


@pytest.mark.parametrize(
    ("budget", "phrase"),
    [
        ({"mode": "allocated"}, "budget.total is required when budget.mode is 'allocated' or 'shared'"),
        ({"mode": "shared", "total": None}, "budget.total is required"),
        ({"mode": "shared", "total": 0}, "budget.total must be at least 1"),
        ({"overcommit_ratio": 0.99}, "overcommit_ratio must be between 1.0 and 2.0"),
        ({"mode": "allocated", "total": 1, "overcommit_ratio": 2.01}, "overcommit_ratio must be between"),
    ],
)
def test_bad_budgets(budget: Any, phrase: str) -> None:
    document = body(rate_limit=limit(1, budget=budget))
    assert phrase in refusal(create, registry(), ROOT, document)
    kept = registry()
    lab = create(kept, ROOT, body(rate_limit=limit(1, budget={"total": 0, "overcommit_ratio": 2})))
    assert phrase in refusal(replace, kept, lab, document)


def allocated(
    total: int, ratio: float | None = None, window: str = "second", **members: Any
) -> dict[str, Any]:
    budget = {"mode": "allocated", "total": total, "overcommit_ratio": ratio}
    return body(rate_limit=limit(100, window, budget=budget), **members)


def test_allocations_must_fit() -> None:
    kept = registry()
    lab = create(
        kept, ROOT, allocated(600, window="minute", enabled=False)
    )  # 10 a second; invisible, disabled
    assert "rate_limit is required" in refusal(create, kept, LEFT, body())
    create(kept, LEFT, body(rate_limit=limit(240, "minute"), enabled=False))
    right = create(kept, RIGHT, body(rate_limit=limit(6)))  # equal is allowed
    message = refusal(replace, kept, right, body(rate_limit=limit(361, "minute")))
    assert message.startswith(
        "400 budget allocation exceeded: children total 10.02 req/s exceeds ancestor budget 10.00 req/s"
    )
    assert "rate_limit is required" in refusal(replace, kept, right, body())
    replace(kept, right, body(rate_limit=limit(5)))
    # The budget of the closest ancestor alone counts for the leaf; but the leaf counts for the root.
    create(kept, LEAF, body(rate_limit=limit(1_000)))
    assert "children total 1009.00" in refusal(replace, kept, right, body(rate_limit=limit(5)))
    # Those behind a barrier have no ancestors, and do not count.
    create(kept, BELOW, body(rate_limit=limit(5_000)))
    create(kept, ALONE, body())
    assert "children total 1009.00" in refusal(replace, kept, right, body(rate_limit=limit(5)))
    replace(kept, lab, body())  # without a budget, nothing is checked
    replace(kept, right, body(rate_limit=limit(5)))


def test_overcommitted_budgets_and_other_modes() -> None:
    kept = registry()
    create(kept, ROOT, allocated(10, 1.5))
    create(kept, LEFT, body(rate_limit=limit(15)))
    message = refusal(create, kept, RIGHT, body(rate_limit=limit(1)))
    assert "(allowed: 15.00 req/s)" in message
    kept = registry()
    create(kept, ROOT, body(rate_limit=limit(1, budget={"mode": "shared", "total": 1})))
    create(kept, LEFT, body())
    create(kept, RIGHT, body(rate_limit=limit(100)))


def test_a_budget_cannot_be_lowered_below_what_is_allocated() -> None:
    kept = registry()
    lab = create(kept, ROOT, allocated(20))
    create(kept, LEFT, body(rate_limit=limit(10)))
    assert "cannot lower budget: existing descendant allocations total 10.00" in refusal(
        replace, kept, lab, allocated(9)
    )
    lab = replace(kept, lab, allocated(10))
    # An unchanged budget is not checked, whatever the window says: here it is a sixtieth.
    lab = replace(kept, lab, allocated(10, window="minute"))
    assert "cannot lower budget" in refusal(replace, kept, lab, allocated(10, 1.0, "minute"))


def test_what_an_ancestor_enforces_cannot_be_overridden() -> None:
    kept = registry()
    auth = {"type": "noop", "sharing": "enforce"}
    lab = create(kept, ROOT, body(auth=auth, enabled=False))
    message = refusal(create, kept, LEFT, body(auth={"type": "noop"}))
    assert message == "400 cannot override auth: ancestor upstream has sharing mode 'enforce'"
    left = create(kept, LEFT, body(rate_limit=limit(1), cors={}, plugins={"items": []}))
    assert "cannot override auth" in refusal(replace, kept, left, body(auth={"type": "noop"}))
    # The closest ancestor alone counts.
    create(kept, LEAF, body(auth={"type": "noop"}))
    replace(kept, lab, body(rate_limit=limit(1, sharing="enforce"), cors={"sharing": "enforce"}))
    assert "cannot override rate_limit" in refusal(create, kept, RIGHT, body(rate_limit=limit(1), cors={}))
    assert "cannot override cors" in refusal(create, kept, RIGHT, body(cors={}))
    create(kept, RIGHT, body(auth={"type": "noop"}, plugins={"items": []}))


@pytest.mark.parametrize(
    ("cors", "reason"),
    [
        ({"allow_credentials": True, "allowed_origins": ["*"]}, "CORS_CREDENTIALS_WITH_WILDCARD"),
        *(
            ({"allowed_origins": [origin]}, "INVALID_CORS_ORIGIN")
            for origin in (
                "a.example",
                "ftp://a.example",
                "https://a.example/",
                "https://",
                "http://a:b",
                "",
                "http://a:99999",
            )
        ),
    ],
)
def test_bad_cors(cors: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        create(registry(), ROOT, body(cors=cors))
    problem = refused.value.problem  # type: ignore[attr-defined]
    assert problem.context["field_violations"][0]["reason"] == reason
    fine = {"allowed_origins": ["*", "http://[::1]:8080", "https://A.example", "http://localhost:1"]}
    create(registry(), ROOT, body(cors=fine))


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost.", "127.0.0.1", "10.1.2.3", "169.254.169.254", "240.0.0.1"]
)
def test_ssrf_protection(host: str) -> None:
    alias = None if host[0] in "lL" else "lab"
    create(registry(), ROOT, body(alias, host))
    message = refusal(create, registry(), ROOT, body(alias, host), protected=True)
    assert "is blocked by SSRF protection (matches '" in message
    create(registry(), ROOT, body("public", "8.8.8.8"), protected=True)


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1.", "127.0.0.1."])
def test_ssrf_protection_knows_other_spellings_of_addresses(host: str) -> None:
    create(registry(), ROOT, body(None, host))
    message = refusal(create, registry(), ROOT, body(None, host), protected=True)
    assert message.endswith(f"'{host}' is blocked by SSRF protection (matches '127.0.0.0/8')")
    create(registry(), ROOT, body(None, "0x08080808"), protected=True)
    create(registry(), ROOT, body(None, "127.1.example"), protected=True)


def test_the_order_of_the_checks() -> None:
    """A document with all faults, of which the first is mended again and again."""
    kept = registry()
    create(
        kept,
        LEFT,
        allocated(1, auth={"type": "noop", "sharing": "enforce"}) | {"server": endpoints("8.8.8.8")},
    )
    create(kept, LEAF, body("own", "8.8.8.8"))
    faulty = {
        "server": {"endpoints": []},
        "protocol": "any",
        "cors": {"allowed_origins": ["bad"]},
        "rate_limit": limit(9, budget={"mode": "shared"}),
        "auth": {"type": "noop", "config": {"secret_ref": "gone"}},
    }
    mended: list[tuple[str, dict[str, Any]]] = [
        ("server must have", {"server": endpoints("127.0.0.1")}),
        ("SSRF", {"server": endpoints("8.8.8.8")}),
        ("invalid origin", {"cors": {}}),
        ("budget.total", {"rate_limit": limit(9)}),
        ("explicit alias", {"alias": "lab"}),
        ("tenant not found", {}),
        (
            "cannot override auth",
            {"alias": "own", "auth": {"type": "noop", "config": {"secret_ref": "gone"}}},
        ),
        ("secret_ref", {"alias": "lab"}),
    ]
    for phrase, change in mended:
        tenant = OUTSIDE if phrase == "tenant not found" else LEAF
        assert phrase in refusal(create, kept, tenant, faulty, protected=True), phrase
        faulty = faulty | change


def test_a_spent_budget_comes_before_a_used_alias() -> None:
    kept = registry()
    create(kept, ROOT, allocated(10))
    create(kept, LEFT, body(rate_limit=limit(10)))
    auth = {"type": "noop", "config": {"secret_ref": "gone"}}
    assert "secret_ref" in refusal(create, kept, LEFT, body(auth=auth))
    assert "budget allocation exceeded" in refusal(create, kept, LEFT, body(rate_limit=limit(11)))
    assert "409 alias" in refusal(create, kept, LEFT, body(rate_limit=limit(10)))


def test_a_refused_write_changes_nothing() -> None:
    kept = registry()
    lab = create(kept, ROOT, body())
    resolved = kept.resolve(ROOT, lab.alias)
    refusal(create, kept, ROOT, body())
    refusal(replace, kept, lab, body("other"))
    assert kept.upstreams(ROOT, 9) == [lab]
    assert kept.resolve(ROOT, lab.alias) is resolved
