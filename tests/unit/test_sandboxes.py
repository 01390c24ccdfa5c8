"""Sandboxes: whose token leads where, and how long sandboxes live."""

from random import Random

import pytest

import oagw.sandboxes
from oagw.model.memory import Memory
from oagw.model.refused import Refused
from oagw.sandboxes import Sandboxes, TokenSandbox


def made(count: int = 1, lifetime: float = 10.0) -> tuple[Sandboxes, list[TokenSandbox]]:
    sandboxes = Sandboxes(Random(1), 100, 1 << 20, Memory(1 << 30))
    return sandboxes, [sandboxes.create(lifetime, now=0.0) for _ in range(count)]


def test_a_token_leads_to_its_own_sandbox_alone() -> None:
    sandboxes, three = made(3)
    assert [sandboxes.with_token(sandbox.token, 1.0) for sandbox in three] == three
    assert len({sandbox.token for sandbox in three}) == 3


def test_the_id_alone_is_not_enough() -> None:
    sandboxes, (sandbox,) = made()
    for token in (b"sandbox-" + sandbox.id.encode(), sandbox.token[:-1], sandbox.token + b"0"):
        assert sandboxes.with_token(token, 1.0) is None


def test_each_use_puts_the_end_off() -> None:
    sandboxes, (sandbox,) = made()
    assert sandboxes.with_token(sandbox.token, 9.0) is sandbox
    sandboxes.expire(18.9)
    assert sandboxes.with_token(sandbox.token, 18.9) is sandbox
    assert sandboxes.next_expiry(20.0) == 28.9


def test_after_its_time_it_is_not_found_even_before_it_is_freed() -> None:
    sandboxes, (sandbox,) = made()
    assert sandboxes.with_token(sandbox.token, 10.0) is None
    sandboxes.expire(10.0)
    assert (len(sandboxes), sandboxes.next_expiry(10.0)) == (0, None)


def test_a_sandbox_with_a_request_under_way_does_not_expire() -> None:
    sandboxes, (sandbox,) = made()
    sandbox.open = 1
    sandboxes.expire(1000.0)
    assert sandboxes.next_expiry(1000.0) == 1010.0
    sandbox.open, sandbox.used = 0, 1005.0
    sandboxes.expire(1014.9)
    assert len(sandboxes) == 1
    sandboxes.expire(1015.0)
    assert len(sandboxes) == 0


def test_there_may_be_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oagw.sandboxes, "MAX_SANDBOXES", 2)
    sandboxes, (first, _) = made(2)
    with pytest.raises(Refused, match="The limit of 2 sandboxes is reached"):
        sandboxes.create(10.0, 1.0)
    sandboxes.delete(first.id)
    sandboxes.create(10.0, 1.0)
