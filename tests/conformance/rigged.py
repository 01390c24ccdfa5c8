"""Our own server with the tenants and tokens of the rig: the file for its ``--config``."""

import json
from typing import Any

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
    {"id": ROOT},
    {"id": IDS[1], "parent": ROOT},
    {"id": IDS[2], "parent": IDS[1]},
    {"id": IDS[3], "parent": IDS[2], "deleted": True},
    {"id": IDS[4], "parent": IDS[2]},
    {"id": IDS[5], "parent": IDS[1]},
    {"id": IDS[6], "parent": IDS[5]},
)


def rig(url: str) -> Rig:
    """The rig of our own server at ``url``."""
    return Rig(url, TOKENS, TENANTS, double=True)


def gateway_file(**settings: Any) -> str:
    """The contents of the file, with further ``settings``."""
    tokens = [
        {"token": TOKENS[role], "tenant": id, "subject": role, "outsider": role in ("outsider", "nobody")}
        for role, id in TENANTS.items()
    ]
    # The default token is one of the file only if it says so.
    own = {"port": 0, "token": "test-integration-token", "proxy_timeout_seconds": 2}
    members = {**own, **settings, "tenants": TREE, "tokens": tokens}
    return "".join(f"{key} = {_toml(value)}\n" for key, value in members.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
