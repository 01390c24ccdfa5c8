"""Hooks for schemathesis, which ``test_admin_fuzz`` runs: a verification may not wait for long."""

from typing import Any

import schemathesis

# The longest ``within``, in seconds; what is refused stays as it is.
WITHIN = 0.05
REFUSED = 86_400


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    within = body.get("within") if isinstance(body, dict) else None
    if isinstance(within, int | float) and not isinstance(within, bool) and WITHIN < within <= REFUSED:
        return {**body, "within": WITHIN}
    return body
