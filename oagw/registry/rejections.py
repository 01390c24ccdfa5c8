"""Rejections: the problems with which the registry rejects a write or a look-up."""

from uuid import UUID

from oagw.model.gts import ROUTE, UPSTREAM, GtsError, parse
from oagw.model.problem import PROXY_TYPE, Problem, canonical, invalid_field
from oagw.model.refused import Refused


class Rejected(Refused):
    """A request is refused with ``problem``."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.error, headers=problem.headers)
        self.problem = problem


def invalid(message: str) -> Rejected:
    """Return the 400 whose detail is ``message``."""
    context = {"format": message, "resource_type": PROXY_TYPE}
    return Rejected(canonical("invalid_argument", error=message, detail=message, context=context))


def invalid_in(field: str, reason: str, description: str) -> Rejected:
    """Return the 400 for ``field``; ``reason`` is a constant such as INVALID_CORS_ORIGIN."""
    return Rejected(invalid_field(field, reason, description))


def identified(text: str, schema: str) -> UUID:
    """Return the UUID in the identifier ``text`` of an instance of ``schema``. Raises Rejected."""
    try:
        return parse(text, schema)
    except GtsError as error:
        raise invalid_in("gts_id", error.reason, error.description) from None


def upstream_not_found(id: UUID) -> Rejected:
    """Return the 404 for the id of an upstream."""
    return _not_found(UPSTREAM, "upstream", id)


def route_not_found(id: UUID) -> Rejected:
    """Return the 404 for the id of a route."""
    return _not_found(ROUTE, "route", id)


def tenant_not_found(id: UUID) -> Rejected:
    """Return the 404 for a tenant that is not in the tree."""
    return _not_found(PROXY_TYPE, "tenant", id)


def exists(schema: str, name: str, detail: str) -> Rejected:
    """Return the 409 for a resource of ``schema`` that there is already."""
    context = {"resource_type": schema, "resource_name": name}
    return Rejected(canonical("already_exists", error=detail, detail=detail, context=context))


def failed_precondition(subject: str, description: str) -> Rejected:
    """Return the 400 for a write that the state of the gateway, such as a missing secret, forbids."""
    violation = {"type": "STATE", "subject": subject, "description": description}
    context = {"resource_type": UPSTREAM, "violations": [violation]}
    return Rejected(canonical("failed_precondition", error=description, context=context))


def _not_found(schema: str, kind: str, id: UUID) -> Rejected:
    detail = f"{kind} not found: {id}"
    context = {"resource_type": schema, "resource_name": str(id)}
    return Rejected(canonical("not_found", error=detail, detail=detail, context=context))
