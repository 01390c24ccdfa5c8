"""What ``oagw.testing`` exports: with it, a test can annotate all that it gets."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import oagw.testing
from oagw.client import control_plane, management
from oagw.client.mock_gateway import Tenant


def classes_in(hint: Any) -> Iterator[type]:
    """The classes in an annotation, also those that others have as parameters."""
    if isinstance(hint, type) and not get_args(hint):
        yield hint
    for argument in get_args(hint):
        yield from classes_in(argument)


def public_functions(owner: type) -> Iterator[Any]:
    for name, member in inspect.getmembers(owner):
        function = member.fget if isinstance(member, property) else member
        if not name.startswith("_") and inspect.isfunction(function):
            yield function


def test_every_type_that_a_method_takes_or_returns_is_exported() -> None:
    exported = {getattr(oagw.testing, name) for name in oagw.testing.__all__}
    names = {**vars(control_plane), **vars(management), **vars(oagw.testing)}
    met = set()
    for owner in filter(inspect.isclass, exported):
        if owner is oagw.testing.InMemoryGateway:
            continue  # its own types are Twisted's
        for function in public_functions(owner):
            for hint in get_type_hints(function, names).values():
                met |= {one for one in classes_in(hint) if one.__module__.startswith("oagw.")}
    assert {"Route", "Sandbox", "Secret", "Stub", "Toxic", "Upstream"} <= {one.__name__ for one in met}
    met.add(Tenant)  # the type of ``sandbox.tenants``
    assert {one.__name__ for one in met if one not in exported} == set()
