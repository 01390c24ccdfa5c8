"""Our own server with the tenants and tokens of the rig: ``python -m tests.conformance.rigged``.

``--read-only`` disables the writes of the management API, ``--strict`` allows only public https upstreams,
and ``--patient`` has a manual clock and waits longer.
"""

import sys
from unittest import mock

from oagw.config import Config, GivenTenant, GivenToken
from oagw.server import run
from tests.conformance.client import Rig

ROOT = "00000000-df51-5b42-9538-d2b56b7ee953"
IDS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(7)]

TENANTS = {
    "root": ROOT,
    "hierarchy_root": IDS[1],
    "left_child": IDS[2],
    "right_child": IDS[5],
    "outsider": "00000000-0000-0000-0000-0000000000ff",
    "nobody": IDS[0],
}
TOKENS = {role: f"conformance-token-{role}" for role in TENANTS}

TREE = (
    GivenTenant(ROOT),
    GivenTenant(IDS[1], ROOT),
    GivenTenant(IDS[2], IDS[1]),
    GivenTenant(IDS[3], IDS[2], deleted=True),
    GivenTenant(IDS[4], IDS[2]),
    GivenTenant(IDS[5], IDS[1]),
    GivenTenant(IDS[6], IDS[5]),
)


def rig(url: str) -> Rig:
    """The rig of our own server at ``url``."""
    return Rig(url, TOKENS, TENANTS, double=True)


def config(*options: str) -> Config:
    """The options of our own server."""
    identities = tuple(GivenToken(TOKENS[role], TENANTS[role], role) for role in TENANTS)
    strict, patient = "--strict" in options, "--patient" in options
    return Config(
        port=0,
        tenants=TREE,
        identities=identities,
        management_api_enabled="--read-only" not in options,
        ssrf_protection=strict,
        allow_http_upstream=not strict,
        proxy_timeout=60.0 if patient else 2.0,
        streaming_idle_timeout=10.0 if patient else 300.0,
        clock="manual" if patient else "real",
    )


if __name__ == "__main__":
    chosen = config(*sys.argv[1:])
    # The command line has no options for tenants.
    with mock.patch.object(run, "parse_args", return_value=chosen):
        sys.exit(run.main([]))
